# Sourced: directories with a Debian 12 in them, to install and run things in.
# shellcheck shell=sh
# Needs root. Mounts are made in namespaces of their own and go with what ran there.

# Whether this machine lets us; says so if not.
root_possible() {
	if [ "$(id -u)" -ne 0 ]; then
		echo "skipped: only root can make a Debian to try this in"
		return 1
	fi
}

# $1: the directory to make: what debian:bookworm-slim has, from this machine's mirror.
root_make() {
	mmdebstrap --quiet --variant=apt --aptopt='Acquire::Retries "3"' bookworm "$1"
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
# an environment of its own (PATH, HOME, and what root_env has), and no other process.
root_run() {
	root_dir=$1
	shift
	# shellcheck disable=SC2016 # that shell's variables; and root_env is a list of words
	unshare --mount --pid --fork --kill-child sh -c '
		root=$1
		shift
		mount -t proc proc "$root/proc" && mount --rbind /dev "$root/dev" || exit 125
		cd / && exec chroot "$root" "$@"' \
		- "$root_dir" env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root "$@"
}
