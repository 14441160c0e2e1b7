#!/bin/sh
# Builds and tries plusmoin on another Debian than this machine's: suite.sh SUITE (bookworm
# or trixie). A bare one is made in a directory: apt and what is essential, no LANG, and
# `localhost` is also ::1. This checkout's own deps.sh installs the rest; then its demo, its
# lint, the C units, spec/unit and the core specs run there, in a network of its own, and the
# package is built and installed. Closes with "N passed, N failed". Needs root and the mirror
# of Debian that apt has. KEEP=1 leaves the directory.
set -eu
cd "$(dirname "$0")/../.."
. tests/tools/root.sh
[ $# -eq 1 ] || {
	echo "usage: suite.sh bookworm|trixie" >&2
	exit 2
}
root_possible || exit 0

suite=$1
work=$(mktemp -d "${TMPDIR:-/tmp}/plusmoin-suite-XXXXXX")
if [ "${KEEP-}" = 1 ]; then
	echo "kept: $work"
else
	trap 'rm -rf "$work"' EXIT
fi
trap 'exit 1' HUP INT TERM
debian=$work/debian
begin=$(date +%s)

said() {
	echo "$suite: $1 after $(($(date +%s) - begin)) s"
}

# $1: what for, then a command that is run in the checkout there; shown when it fails.
must() {
	what=$1
	shift
	root_run "$debian" sh -c 'cd /root/plusmoin && exec "$@"' sh "$@" < /dev/null > "$work/out" 2>&1 || {
		cat "$work/out" >&2
		echo "$suite: $what failed" >&2
		exit 1
	}
	said "$what"
}

root_make "$debian" "$suite"
printf '127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n' > "$debian/etc/hosts"
mkdir "$debian/root/plusmoin"
tar --exclude=./build --exclude=./.git -cf - . | tar -C "$debian/root/plusmoin" --no-same-owner -xf -
said "a Debian"
must "installed make" sh -c 'apt-get -q update && apt-get -q -y --no-install-recommends install make'
must "installed what the tests need" make deps-test
must "installed what a package needs" sh tests/tools/deps.sh deb
root_alone=yes
must "built, warnings are errors" make -j2 build/plusmoin units build/tests/standin build/tests/etcd-driver
root_run "$debian" sh -c 'cd /root/plusmoin
	busted="LUA_PATH='\''./lua/?.lua;./?.lua;;'\'' sh tests/tools/in-memory.sh busted --lua=lua5.4 -o utfTerminal"
	exec sh tests/tools/run-tests.sh "make demo" $(find build/tests/unit -type f -perm -u+x | sort) \
		"sh tests/tools/lint.sh" "$busted spec/unit" "$busted --tags=core spec/program" \
		"make install DESTDIR=/tmp/installed && /tmp/installed/usr/local/bin/plusmoin --version" \
		"make deb && dpkg -i build/deb/plusmoin_*.deb && plusmoin --version && plusmoin check"' < /dev/null
