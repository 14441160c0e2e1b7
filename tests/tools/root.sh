# Sourced: directories with a Debian in them, to install and run things in.
# shellcheck shell=sh
# Needs root. Mounts are made in namespaces of their own and go with what ran there.

# Whether this machine lets us; says so if not.
root_possible() {
	if [ "$(id -u)" -ne 0 ]; then
		echo "skipped: only root can make a Debian to try this in"
		return 1
	fi
}

# The suite that this machine has: a package that is built here is for it.
root_suite() {
	# shellcheck source=/dev/null
	(. /etc/os-release && echo "$VERSION_CODENAME")
}

# $1: the directory to make, $2: a suite: what debian:SUITE-slim has, from the mirror of Debian.
root_make() {
	mmdebstrap --quiet --variant=apt --aptopt='Acquire::Retries "3"' "$2" "$1"
	# as in the image: nothing is kept of what apt downloads, no package starts anything
	printf '%s\n' 'Dir::Cache::pkgcache "";' 'Dir::Cache::srcpkgcache "";' \
		'DPkg::Post-Invoke { "rm -f /var/cache/apt/archives/*.deb"; };' > "$1/etc/apt/apt.conf.d/docker-clean"
	printf '#!/bin/sh\nexit 101\n' > "$1/usr/sbin/policy-rc.d"
	chmod 0755 "$1/usr/sbin/policy-rc.d"
	root_network "$1"
}

# $1: the directory. An engine gives a container the machine's resolver.
root_network() {
	cp /etc/resolv.conf /etc/hosts "$1/etc/"
}

# $1: the directory, then the command, which is process 1 in there: with /proc and /dev,
# an environment of its own (PATH, HOME), and no other process. With root_alone=yes it has
# a loopback network of its own, and nothing else of a network: its ports are nobody else's.
root_run() {
	root_dir=$1
	shift
	# shellcheck disable=SC2016 # that shell's variables
	unshare --mount --pid --fork --kill-child ${root_alone:+--net} sh -c '
		root=$1
		alone=$2
		shift 2
		mount --bind "$root" "$root" && mount -t proc proc "$root/proc" && mount --rbind /dev "$root/dev" || exit 125
		[ -z "$alone" ] || ip link set lo up || exit 125
		cd / && exec chroot "$root" "$@"' \
		- "$root_dir" "${root_alone-}" env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root "$@"
}

# $1: the directory, $2: a unit. Boots systemd in there, for that unit, in namespaces and a
# control group of its own, with no way to the machine's network, devices and settings; then
# root_booted is its pid outside. 1: this machine does not let us, which is said.
root_boot() {
	root_group=$(awk '$9 == "cgroup2" || $8 == "cgroup2" || $10 == "cgroup2" { print $5; exit }' /proc/self/mountinfo)
	if [ -z "$root_group" ] || ! root_group=$(mktemp -d "$root_group/plusmoin-XXXXXX"); then
		echo "skipped: no control groups (cgroup2) to boot a systemd in"
		root_group=
		return 1
	fi
	mkdir -p "$1/etc/systemd/journald.conf.d" "$1/outside"
	printf '[Journal]\nAudit=no\nStorage=volatile\n' > "$1/etc/systemd/journald.conf.d/here.conf"
	# shellcheck disable=SC2016 # that shell's variables
	sh -c 'echo $$ > "$1/cgroup.procs"
		exec setsid unshare --mount --pid --uts --ipc --net --cgroup --fork --kill-child sh -e -c "$2" - "$3" "$4"' \
		- "$root_group" '
		mount --bind "$1" "$1"
		cd "$1"
		mount -t proc proc proc
		mount --bind proc/sys proc/sys
		mount -o remount,ro,bind proc/sys
		mount -t sysfs -o ro sysfs sys
		mount -t cgroup2 cgroup2 sys/fs/cgroup
		mount -t tmpfs -o mode=755 tmpfs run
		mount -t tmpfs -o mode=755 tmpfs dev
		mkdir dev/shm dev/pts
		mount -t tmpfs tmpfs dev/shm
		mount -t devpts -o newinstance,ptmxmode=666 devpts dev/pts
		ln -s pts/ptmx dev/ptmx
		ln -s /proc/self/fd dev/fd
		for name in null zero full random urandom tty; do
			: > dev/$name
			mount --bind /dev/$name dev/$name
		done
		ip link set lo up
		hostname plusmoin
		pivot_root . outside
		exec sh -c "umount -l /outside && exec env -i container=other PATH=/usr/sbin:/usr/bin:/sbin:/bin \
			setpriv --bounding-set -sys_module,-sys_time,-syslog /lib/systemd/systemd --unit=$2"' \
		"$1" "$2" > "$1.boot" 2>&1 < /dev/null &
	root_unshared=$!
}

# What root_boot has begun is gone afterwards.
root_halt() {
	[ -n "${root_group-}" ] || return 0
	if [ -n "${root_unshared-}" ]; then
		kill -KILL "$root_unshared" 2> /dev/null || :
		wait "$root_unshared" || :
		root_unshared=
	fi
	# its processes end a moment after the first of them
	while [ -d "$root_group" ] && ! find "$root_group" -depth -type d -exec rmdir {} + 2> /dev/null; do
		sleep 0.1
	done
	root_group=
}

# A command in what root_boot has begun.
root_inside() {
	nsenter --target "$(pgrep -P "$root_unshared")" --mount --pid --uts --ipc --net --cgroup --root --wd \
		env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin "$@"
}
