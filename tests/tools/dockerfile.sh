#!/bin/sh
# Tries conf/Dockerfile without a container engine: its instructions are carried out
# in directories with a Debian (SUITE, else the one that the Dockerfile names), then the
# entry point is run there as process 1. Needs root, and the mirror of Debian that apt has.
set -eu
cd "$(dirname "$0")/../.."
. tests/tools/root.sh
root_possible || exit 0

work=$(mktemp -d "${TMPDIR:-/tmp}/plusmoin-image-XXXXXX")
runner=
trap '[ -z "$runner" ] || kill -KILL "$runner" 2> /dev/null || :; rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM

fail() {
	echo "dockerfile: $*" >&2
	exit 1
}

suite=${SUITE:-$(sed -n 's/^ARG SUITE=//p' conf/Dockerfile)}

# $1: a Dockerfile. One instruction a line: comments out, continued lines joined, the suite put in.
instructions() {
	sed -e '/^[[:space:]]*#/d' -e '/^[[:space:]]*$/d' "$1" | sed -e ':a' -e '/\\$/N; s/\\\n//; ta' \
		-e "s/^\(FROM .*\)\${SUITE}/\1$suite/"
}

# $1: what FROM names. A stage or an image made before, else Debian's.
from() {
	if [ -d "$work/image/$1" ]; then
		cp -a "$work/image/$1/." "$work/image/$stage/"
	elif [ "$1" = "debian:$suite-slim" ]; then
		cp -a "$work/debian/." "$work/image/$stage/"
	else
		fail "no image $1"
	fi
	cp "$work/settings/$1" "$work/settings/$stage" 2> /dev/null || printf '/\n[]\n[]\n' > "$work/settings/$stage"
}

# The third, second, first line of a stage's settings: working directory, entry point, command.
setting() {
	sed -n "$2p" "$work/settings/$1"
}

# $1: the line, $2: its new text; of the stage that is being made.
set_setting() {
	awk -v line="$1" -v text="$2" 'NR == line { print text; next } { print }' "$work/settings/$stage" > "$work/new"
	mv "$work/new" "$work/settings/$stage"
}

# $1: the context, then COPY's words: one source (a file, or a directory's content) and where to.
copy() {
	source_dir=$1
	shift
	case $1 in
	--from=*)
		source_dir=$work/image/${1#--from=}
		shift
		;;
	esac
	[ $# -eq 2 ] || fail "COPY $*: one source"
	target=$work/image/$stage$2
	if [ -d "$source_dir/$1" ]; then
		ignored=/dev/null
		[ ! -e "$source_dir/.dockerignore" ] || ignored=$source_dir/.dockerignore
		mkdir -p "$target"
		tar -C "$source_dir/$1" --exclude-from="$ignored" -cf - . | tar -C "$target" --no-same-owner --keep-directory-symlink -xf -
	else
		case $2 in */) target=$target${1##*/} ;; esac
		install -D -m "$(stat -c %a "$source_dir/$1")" "$source_dir/$1" "$target"
	fi
}

# $1: a Dockerfile, $2: its context, $3: the image's name.
build() {
	stages=$(grep -c '^FROM ' "$1")
	stage=
	instructions "$1" > "$work/instructions"
	while read -r word rest; do
		echo "  $word $rest"
		case $word in
		FROM)
			stages=$((stages - 1))
			stage=$3
			[ $stages -eq 0 ] || stage=${rest##* AS }
			mkdir -p "$work/image/$stage" "$work/settings"
			from "${rest%% AS *}"
			;;
		RUN)
			root_run "$work/image/$stage" sh -c "cd $(setting "$stage" 1) && $rest" < /dev/null > "$work/log" 2>&1 || {
				cat "$work/log" >&2
				fail "RUN $rest"
			}
			;;
		COPY)
			# shellcheck disable=SC2086 # its words
			copy "$2" $rest
			;;
		WORKDIR) set_setting 1 "$rest" ;;
		ENTRYPOINT) set_setting 2 "$rest" && set_setting 3 "[]" ;;
		CMD) set_setting 3 "$rest" ;;
		ARG) [ "${rest%%=*}" = SUITE ] || fail "ARG $rest is not known here" ;;
		HEALTHCHECK) echo "[\"${rest#*CMD [\"}" > "$work/settings/$stage.health" ;;
		*) fail "$word is not known here" ;;
		esac
	done < "$work/instructions"
}

# $1: an image, then a command in place of its own.
run() {
	image=$1
	shift
	entry=$(setting "$image" 2 | jq -r '.[]')
	# shellcheck disable=SC2046,SC2086 # no word has blanks in it
	[ $# -gt 0 ] || set -- $(setting "$image" 3 | jq -r '.[]')
	# shellcheck disable=SC2086
	set -- $entry "$@"
	root_run "$work/image/$image" "$@"
}

# $1: what for, then a command that is tried until it succeeds, for 30 s.
wait_for() {
	what=$1
	shift
	tries=300
	until "$@"; do
		tries=$((tries - 1))
		[ $tries -gt 0 ] || fail "timed out waiting for $what: $(cat "$work/out")"
		sleep 0.1
	done
}

begin=$(date +%s)
root_make "$work/debian" "$suite"
echo "a Debian ($suite) after $(($(date +%s) - begin)) s"
build conf/Dockerfile . plusmoin
echo "the image after $(($(date +%s) - begin)) s: $(du -sm "$work/image/plusmoin" | cut -f 1) MB, Debian alone" \
	"$(du -sm "$work/debian" | cut -f 1) MB"

[ -z "$(find "$work/image/plusmoin" \( -name psql -o -name gcc \) -executable -type f,l)" ] || fail "there is a psql or a gcc in it"
[ -s "$work/settings/plusmoin.health" ] || fail "no HEALTHCHECK"
run plusmoin --version
status=0
run plusmoin > "$work/out" 2>&1 || status=$?
[ $status -eq 3 ] || fail "without a configuration: exit $status: $(cat "$work/out")"
grep -q /etc/plusmoin/plusmoin.json "$work/out" || fail "without a configuration: $(cat "$work/out")"

mkdir "$work/child"
printf 'FROM plusmoin\nCOPY plusmoin.json /etc/plusmoin/plusmoin.json\nCOPY slave_up /usr/local/bin/slave_up\n' \
	> "$work/child/Dockerfile"
echo '{"dbname": "plusmoin", "user": "plusmoin", "nodes": [], "log_level": "info"}' > "$work/child/plusmoin.json"
printf '#!/bin/sh\ncat > /dev/null\n' > "$work/child/slave_up"
chmod 0755 "$work/child/slave_up"
build "$work/child/Dockerfile" "$work/child" child
[ -x "$work/image/child/usr/local/bin/slave_up" ] || fail "slave_up is not there, or no program"

run child > "$work/out" 2>&1 &
runner=$!
wait_for "its status file" test -s "$work/image/child/run/plusmoin/status.json"
wait_for "a line on stdout" test -s "$work/out"
daemon=$runner
while [ "$(cat "/proc/$daemon/comm")" != plusmoin ]; do
	daemon=$(pgrep -P "$daemon") || fail "it has ended: $(cat "$work/out")"
done
grep -q '^NSpid:.*[[:space:]]1$' "/proc/$daemon/status" || fail "it is not process 1"
[ "$(stat -c %U "/proc/$daemon")" = nobody ] || fail "it runs as $(stat -c %U "/proc/$daemon")"
# shellcheck disable=SC2046 # words
nsenter --target "$daemon" --mount --pid --root --wd $(jq -r '.[]' "$work/settings/plusmoin.health") > "$work/health" ||
	fail "the health check: $(cat "$work/health")"
kill -TERM "$daemon"
status=0
wait "$runner" || status=$?
runner=
cat "$work/out"
[ $status -eq 0 ] || fail "on TERM: exit $status"
grep -q 'no nodes are configured' "$work/out" || fail "its log is not on stdout"
[ ! -e "$work/image/child/var/log/plusmoin" ] || fail "there is a log file"
echo "the Dockerfile works: $(($(date +%s) - begin)) s"
