#!/bin/sh
# Runs specs on one build of the program, its servers in memory.
# usage: spec.sh plain|asan|tsan BUSTED-ARG...
set -eu
case "$1" in
plain) ;;
asan)
	export PLUSMOIN_BIN=build/asan/plusmoin
	export ASAN_OPTIONS=detect_leaks=1 UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1
	;;
tsan) export PLUSMOIN_BIN=build/tsan/plusmoin ;;
*)
	echo "usage: spec.sh plain|asan|tsan BUSTED-ARG..." >&2
	exit 2
	;;
esac
shift
export LUA_PATH='./lua/?.lua;./?.lua;;'
exec sh tests/tools/in-memory.sh busted --lua=lua5.4 -o utfTerminal "$@"
