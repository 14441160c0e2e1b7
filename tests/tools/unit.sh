#!/bin/sh
# Tries the unit under a systemd of its own: the Debian package, and a server to watch, in a
# directory with a Debian of this machine's suite that is booted. Needs root, cgroup2, and the mirror of Debian that apt has.
set -eu
cd "$(dirname "$0")/../.."
. tests/tools/root.sh
root_possible || exit 0

work=$(mktemp -d "${TMPDIR:-/tmp}/plusmoin-unit-XXXXXX")
trap 'root_halt; rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
debian=$work/debian
begin=$(date +%s)

fail() {
	echo "unit: $*" >&2
	if [ -n "${root_unshared-}" ]; then
		cat "$debian.boot"
		root_inside systemctl --no-pager --full status plusmoin || :
		root_inside journalctl --no-pager -n 60 || :
	fi >&2
	exit 1
}

said() {
	echo "$1 after $(($(date +%s) - begin)) s"
}

# $1: what for, then a command that is tried until it succeeds, for 60 s.
wait_for() {
	what=$1
	shift
	tries=600
	until "$@" > /dev/null 2>&1; do
		tries=$((tries - 1))
		[ $tries -gt 0 ] || fail "timed out waiting for $what"
		sleep 0.1
	done
}

# $1: a property of the unit, $2: the value it has.
is() {
	[ "$(root_inside systemctl show -P "$1" plusmoin)" = "$2" ]
}

# The same, but nothing else will do.
must_be() {
	is "$1" "$2" || fail "$1 is $(root_inside systemctl show -P "$1" plusmoin), not $2"
}

# $1: a key and its value besides the usual ones.
configure() {
	cat > "$debian/etc/plusmoin/plusmoin.json" <<END
{"daemon_user": "plusmoin", "dbname": "plusmoin", "user": "plusmoin", "password": "carrotcake", "heartbeat": 1, "log_level": "info",
 "shutdown_grace": 1, "nodes": [{"host": "127.0.0.1", "port": 5432}], $1}
END
}

# What the trigger has left: a line it must have.
seen() {
	root_inside grep -qx "$1" /var/lib/plusmoin/seen
}

make deb DEB="$work/deb" > "$work/out" 2>&1 || {
	cat "$work/out" >&2
	fail "make deb"
}
root_make "$debian" "$(root_suite)"
cp "$work"/deb/plusmoin_*.deb "$debian/root/plusmoin.deb"
root_run "$debian" sh -euc 'apt-get -q update
	DEBIAN_FRONTEND=noninteractive apt-get -q -y --no-install-recommends install dbus postgresql /root/plusmoin.deb' \
	< /dev/null > "$work/out" 2>&1 || {
	cat "$work/out" >&2
	fail "installing"
}
rm "$debian/usr/sbin/policy-rc.d"
said "installed"

root_boot "$debian" plusmoin.service || exit 0
wait_for "plusmoin, READY" is ActiveState active
said "booted, and plusmoin is ready"
must_be StatusText "0 clusters, 0 slaves, 0 lost"
must_be Type notify
root_inside plusmoin status > /dev/null || fail "status"

for server in "$debian"/etc/postgresql/*/main; do
	server=${server%/main}
	root_inside systemctl start "postgresql@${server##*/}-main"
done
root_inside su -s /bin/sh postgres -c "psql -q -c \"CREATE USER plusmoin WITH PASSWORD 'carrotcake'\" \
	-c 'CREATE DATABASE plusmoin WITH OWNER plusmoin'" > /dev/null
cat > "$debian/usr/local/bin/trigger" <<'END'
#!/bin/bash
exec > /var/lib/plusmoin/seen.new
id -un
grep NoNewPrivs /proc/self/status | tr '\t' ' '
exec 3<> /dev/tcp/127.0.0.1/5432 && echo network
getent hosts localhost > /dev/null && echo names
date > /tmp/file && echo tmp
date > /var/log/plusmoin/file && echo log
touch /etc/plusmoin/file 2> /dev/null || echo etc is closed
[ -e /home/somebody ] || echo home is closed
mv /var/lib/plusmoin/seen.new /var/lib/plusmoin/seen
END
chmod 0755 "$debian/usr/local/bin/trigger"
mkdir -p "$debian/home/somebody"
cat > "$debian/etc/plusmoin/words.lua" <<'END'
return function()
  local file = assert(io.open("/var/lib/plusmoin/lua", "w"))
  file:write(string.rep("word", 1000000):gsub("%a+", "lua"))
  file:close()
end
END
configure '"triggers": {"cluster_created": ["trigger", {"lua": "words.lua"}]}'
root_inside systemctl reload plusmoin || fail "reload"
wait_for "the trigger" root_inside test -e /var/lib/plusmoin/seen
wait_for "the function" root_inside test -s /var/lib/plusmoin/lua
for line in plusmoin "NoNewPrivs: 1" network names tmp log "etc is closed" "home is closed"; do
	seen "$line" || fail "the trigger has not seen: $line"
done
wait_for "its status" is StatusText "1 clusters, 0 slaves, 0 lost"
said "reloaded, and triggers run"

pid=$(root_inside systemctl show -P MainPID plusmoin)
configure '"heartbaet": 1'
! root_inside systemctl reload plusmoin > "$work/out" 2>&1 || fail "a bad configuration is taken"
must_be MainPID "$pid"
must_be ActiveState active

configure '"triggers": {"plusmoin_up": "trigger"}'
root_inside sh -c "kill -KILL $pid"
wait_for "a restart" is NRestarts 1
wait_for "its end" is ActiveState active
said "restarted after a crash"

configure '"heartbaet": 1'
! root_inside systemctl restart plusmoin > "$work/out" 2>&1 || fail "it starts with a bad configuration"
must_be ActiveState failed
must_be ExecMainStatus 3
must_be NRestarts 0
said "not restarted with a bad configuration"

mkdir -p "$debian/etc/systemd/system/plusmoin.service.d"
cp conf/setuid-triggers.conf "$debian/etc/systemd/system/plusmoin.service.d/"
printf '[Service]\nWatchdogSec=1\n' > "$debian/etc/systemd/system/plusmoin.service.d/watchdog.conf"
root_inside rm /var/lib/plusmoin/seen
configure '"triggers": {"plusmoin_up": ["trigger", "sleep 1000"]}'
root_inside systemctl daemon-reload
root_inside systemctl restart plusmoin
wait_for "the trigger" seen "NoNewPrivs: 0"
root_inside sh -c "kill -STOP $(root_inside systemctl show -P MainPID plusmoin)"
wait_for "the watchdog" is NRestarts 1
wait_for "a start" is ActiveState active
wait_for "a trigger that hangs" root_inside pidof sleep
said "restarted by the watchdog"
root_inside systemctl stop plusmoin
must_be Result success
! root_inside pidof sleep || fail "a trigger is left"
root_inside test -s /run/plusmoin/status.json || fail "the status is gone"
root_inside test ! -e /run/plusmoin/plusmoin.pid || fail "the pid file is left"
echo "the unit works: $(($(date +%s) - begin)) s"
