#!/bin/sh
# No two files of a room call each other in a circle: the functions and objects that one file of
# src/monitor/ takes from others there must allow an order. usage: circles.sh DIRECTORY-OF-OBJECTS
set -eu
objects=${1:-build/obj}/monitor
pairs=$(mktemp)
trap 'rm -f "$pairs"' EXIT
# "defined-in symbol" and "used-in symbol", joined by the symbol: user, then who has it
nm -A --defined-only -g "$objects"/*.o | sed -E 's|^.*/([^/:]+)\.o:[0-9a-f]+ [A-Z] (.*)$|\2 \1|' | sort > "$pairs.has"
nm -A --undefined-only "$objects"/*.o | sed -E 's|^.*/([^/:]+)\.o: +U (.*)$|\2 \1|' | sort > "$pairs.uses"
join "$pairs.uses" "$pairs.has" | cut -d ' ' -f 2,3 | sort -u > "$pairs"
rm -f "$pairs.has" "$pairs.uses"
if ! order=$(tsort "$pairs" 2>&1); then
	echo "src/monitor: these files call each other in a circle:"
	echo "$order" | grep '^tsort: ' | grep -v 'input contains a loop'
	exit 1
fi
