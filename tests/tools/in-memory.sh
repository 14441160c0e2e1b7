#!/bin/sh
# Runs a command with its temp folder in memory: a tmpfs that nobody else sees and that
# ends with the command. A data directory has a thousand files; servers come and go all
# the time in the tests, and on a disk half of their time went into these files. As it is
# runs the command if it must not mount (not root, a container), memory is scarce, or
# KEEP=1 wants to look at what is left. Ports are marked in the folder around it, which
# all runs share (spec/support/proc.lua).
# usage: in-memory.sh COMMAND [ARG...]
set -eu

WANTED_MB=3072 # eight lanes had 1.3 GB at most; the rest is theirs to work in

# What may be had, in MB: of the machine, and of the control group.
free_mb() {
	mb=$(awk '/^MemAvailable:/ { print int($2 / 1024) }' /proc/meminfo)
	limit=$(cat /sys/fs/cgroup/memory.max 2> /dev/null || echo max)
	[ "$limit" = max ] || [ $((limit / 1048576)) -gt "$mb" ] || mb=$((limit / 1048576))
	echo "$mb"
}

if [ "${KEEP-}" = 1 ] || [ "$(id -u)" -ne 0 ] || [ "$(free_mb)" -lt $WANTED_MB ]; then
	exec "$@"
fi
PORT_MARKS=${TMPDIR:-/tmp}
dir=$(mktemp -d "$PORT_MARKS/plusmoin-memory-XXXXXX")
trap 'rmdir "$dir"' EXIT
trap : INT # the command has it, too, and is waited for
mount='mount -t tmpfs -o mode=1777 plusmoin-tests "$TMPDIR"'
if TMPDIR=$dir unshare -m sh -c "$mount" 2> /dev/null; then
	export PORT_MARKS
	TMPDIR=$dir unshare -m sh -c "$mount"' && exec setpriv --pdeathsig TERM "$@"' sh "$@"
else
	"$@"
fi
