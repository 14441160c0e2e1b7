#!/bin/sh
# Installs what a build or the tests need on Debian 12 and 13: deps.sh build|test|deb|long|bench.
# Says nothing and changes nothing when all is there. As somebody else than
# root it only says which command to run. No package is named that only one of the two
# has: Debian's own metapackages (postgresql, clang, libclang-rt-dev) choose the version.
#
# A package of PostgreSQL's server makes and starts a server on port 5432 unless
# createcluster.conf says no; the tests make servers of their own, so it is
# told no for as long as the installation takes. The proxies and web servers would be
# started too, now and at every boot: policy-rc.d says no to that meanwhile, and
# they are disabled when it was us who brought them.
set -eu

BUILD="gcc libc6-dev make pkg-config libpq-dev liblua5.4-dev lua5.4 lua-cjson libuv1-dev libjansson-dev libsystemd-dev
libcurl4-openssl-dev libmicrohttpd-dev libedit-dev lowdown"
TEST="lua-busted lua-check lua-luv libcmocka-dev postgresql-common postgresql clang clang-tidy
cppcheck libclang-rt-dev jq util-linux procps curl openssl systemd logrotate groff-base bash haproxy pgbouncer
pgpool2 prometheus etcd-server nftables iproute2 faketime locales dnsmasq-base"
# counts instructions; a yardstick for the window
BENCH="valgrind nginx"
DEB="build-essential debhelper dpkg-dev"
# to make a Debian to install things in
LONG="$DEB mmdebstrap"
# To get servers of other versions (versions.sh); where npm came with a Node.js of another
# origin, Debian's package may not be installable beside that.
command -v npm > /dev/null || LONG="$LONG npm"
CREATECLUSTER=/etc/postgresql-common/createcluster.conf
POLICY=/usr/sbin/policy-rc.d
SERVERS="haproxy pgbouncer pgpool2 prometheus etcd-server nginx"
kept=
policy=

# What was changed for the time of an installation is as it was.
restore() {
	[ -z "$kept" ] || { cp -p "$kept" "$CREATECLUSTER" && rm -f "$kept"; }
	[ -z "$policy" ] || rm -f "$policy"
}
trap restore EXIT
trap 'exit 1' HUP INT TERM

# The metapackage postgresql counts as installed where any server is, whichever package brought it.
missing_of() {
	have=$(dpkg-query -W -f '${Package} ${db:Status-Status}\n' "$@" 2>/dev/null) || :
	! ls /usr/lib/postgresql/*/bin/postgres > /dev/null 2>&1 || have="$have
postgresql installed"
	for package in "$@"; do
		case "
$have
" in
		*"
$package installed
"*) ;;
		*) printf '%s ' "$package" ;;
		esac
	done
}

install() {
	echo "plusmoin: installing $*"
	DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=300 \
		install -y --no-install-recommends "$@"
}

# Leaves createcluster.conf as a stranger had it; one that came with us stays at no.
install_postgresql() {
	if [ -z "$(missing_of postgresql-common)" ]; then
		kept=$(mktemp)
		cp -p "$CREATECLUSTER" "$kept"
	else
		install postgresql-common
	fi
	sed -i '/^[#[:space:]]*create_main_cluster[[:space:]]*=/d' "$CREATECLUSTER"
	echo 'create_main_cluster = false' >> "$CREATECLUSTER"
	install postgresql
}

case "${1-}" in
build) wanted=$BUILD ;;
test) wanted="$BUILD $TEST" ;;
deb) wanted="$BUILD $DEB" ;;
long) wanted="$BUILD $TEST $LONG" ;;
bench) wanted="$BUILD $TEST $BENCH" ;;
*)
	echo "usage: deps.sh build|test|deb|long|bench" >&2
	exit 2
	;;
esac

if ! command -v dpkg-query > /dev/null; then
	echo "plusmoin: this is no Debian; what is needed is called there: $wanted" >&2
	exit 0
fi

# shellcheck disable=SC2086 # lists of words
missing=$(missing_of $wanted)
[ -n "$missing" ] || exit 0

if [ "$(id -u)" -ne 0 ]; then
	echo "plusmoin: packages are missing; as root, run:" >&2
	case " $missing" in
	*" postgresql "*) echo "  sh $0 $1   # or, with a server on port 5432 as a side effect:" >&2 ;;
	esac
	echo "  apt-get update && apt-get install -y --no-install-recommends $missing" >&2
	exit 1
fi

apt-get -q -o DPkg::Lock::Timeout=300 update
brought=
for server in $SERVERS; do
	case " $missing" in
	*" $server "*) brought="$brought ${server%-server}" ;;
	esac
done
if [ -n "$brought" ] && [ ! -e "$POLICY" ]; then
	policy=$POLICY
	printf '#!/bin/sh\nexit 101\n' > "$policy"
	chmod 0755 "$policy"
fi
case " $missing" in
*" postgresql "*) install_postgresql ;;
esac
# shellcheck disable=SC2086
install $missing
# shellcheck disable=SC2086
# by the names of their units: that of etcd-server is etcd
# shellcheck disable=SC2086
[ -z "$brought" ] || ! command -v systemctl > /dev/null || systemctl --quiet disable $brought 2> /dev/null || :
