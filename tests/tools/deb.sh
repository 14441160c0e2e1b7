#!/bin/sh
# Builds the Debian package, then installs, uses, removes, installs anew and purges it
# in a directory with a Debian of this machine's suite. Needs root, and the mirror of Debian that apt has.
set -eu
cd "$(dirname "$0")/../.."
. tests/tools/root.sh
root_possible || exit 0

work=$(mktemp -d "${TMPDIR:-/tmp}/plusmoin-deb-XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
debian=$work/debian
config=$debian/etc/plusmoin/plusmoin.json
begin=$(date +%s)

fail() {
	echo "deb: $*" >&2
	exit 1
}

said() {
	echo "$1 after $(($(date +%s) - begin)) s"
}

# Runs a shell's commands in there; shown when they fail.
inside() {
	root_run "$debian" sh -euc "$1" < /dev/null > "$work/out" 2>&1 || {
		cat "$work/out" >&2
		fail "$1"
	}
}

apt() {
	inside "DEBIAN_FRONTEND=noninteractive apt-get -q -y --no-install-recommends $1"
}

# $1: there or gone, then paths.
all() {
	want=$1
	shift
	for path in "$@"; do
		is=gone
		[ ! -e "$debian$path" ] && [ ! -L "$debian$path" ] || is=there
		[ $is = "$want" ] || fail "$path is $is"
	done
}

# $1: there or gone.
user() {
	is=gone
	! grep -q '^plusmoin:' "$debian/etc/passwd" || is=there
	[ $is = "$1" ] || fail "the user is $is"
}

owner_and_mode() {
	[ "$(root_run "$debian" stat -c '%U:%G %a' "$1")" = "$2" ] ||
		fail "$1: $(root_run "$debian" stat -c '%U:%G %a' "$1")"
}

enabled=/etc/systemd/system/multi-user.target.wants/plusmoin.service
unit=/lib/systemd/system/plusmoin.service

make deb DEB="$work/deb" > "$work/out" 2>&1 || {
	cat "$work/out" >&2
	fail "make deb"
}
said "a package"
root_make "$debian" "$(root_suite)"
inside "apt-get -q update"
said "a Debian"

cp "$work"/deb/plusmoin_*.deb "$debian/root/plusmoin.deb"
apt "install /root/plusmoin.deb"
said "installed"
all there $unit $enabled /usr/bin/plusmoin /usr/share/man/man8/plusmoin.8.gz /usr/share/man/man7/plusmoin-rules.7.gz /etc/logrotate.d/plusmoin
user there
owner_and_mode /etc/plusmoin/plusmoin.json "root:plusmoin 640"
inside "systemd-analyze --man=no verify plusmoin.service"
[ ! -s "$work/out" ] || fail "systemd-analyze: $(cat "$work/out")"
inside "dpkg --verify plusmoin && dpkg-query -W -f '\${Conffiles}' plusmoin"
[ "$(grep -c '^ /etc' "$work/out")" -eq 2 ] || fail "conffiles: $(cat "$work/out")"
inside "plusmoin check"

# as the administrator changes it; a removal ends the daemon that no systemd has started
sed -i 's/"heartbeat"//; s/"nodes": \[\]/"heartbeat": 30, &/' "$config"
cp -p "$config" "$work/mine"
inside "plusmoin start && plusmoin status && test -O /proc/1 && pidof plusmoin &&
	test \$(stat -c %U /proc/\$(pidof plusmoin)) = plusmoin &&
	apt-get -q -y remove plusmoin && ! pidof plusmoin"
said "removed"
all gone $unit /usr/bin/plusmoin /usr/share/plusmoin /usr/share/doc/plusmoin
all there /etc/plusmoin/plusmoin.json /etc/logrotate.d/plusmoin /var/log/plusmoin/plusmoin.log
user there
inside "systemctl --root=/ is-enabled plusmoin.service || true"
grep -qv '^enabled' "$work/out" || fail "what is not there would start: $(cat "$work/out")"

chmod 0600 "$config"
apt "install /root/plusmoin.deb"
cmp "$config" "$work/mine" || fail "installing it again has changed the configuration"
owner_and_mode /etc/plusmoin/plusmoin.json "root:plusmoin 600"
all there $unit $enabled

mkdir -p "$debian/var/lib/plusmoin"
apt "purge plusmoin"
said "purged"
user gone
left=$(find "$debian" -xdev -path "$debian/var/lib/apt" -prune -o -name '*plusmoin*' ! -path '*/root/plusmoin.deb' -print)
[ -z "$left" ] || fail "there is still: $left"
echo "the Debian package works: $(($(date +%s) - begin)) s," \
	"$(($(stat -c %s "$debian/root/plusmoin.deb") / 1024)) KiB"
