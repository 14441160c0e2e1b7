#!/bin/sh
# No two files of src/ call each other in a circle, nor include each other: what each takes from
# others (functions and objects by the objects' symbols, headers by their #include lines) must allow
# an order. usage: circles.sh [BUILD], after a build.
set -eu
objects=${1:-build}/obj
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# $1: what was looked at; pairs "user used" on stdin.
has_order() {
	sort -u > "$work/pairs"
	tsort "$work/pairs" > /dev/null 2> "$work/said" && return 0
	echo "src/: files $1 each other in a circle:"
	sed -n 's/^tsort: //p' "$work/said" | grep -v 'contains a loop' | sort -u | tr '\n' ' '
	echo
	return 1
}

# "symbol file": nm's lines of all objects that have a source still.
symbols() {
	find src -name '*.c' | sed "s|^src/|$objects/|; s|\.c\$|.o|" | sort | xargs nm -A "$1" |
		sed -nE "s|^$objects/([^:]+)\.o:[0-9a-f ]* [A-Za-z] (.*)\$|\2 \1|p" | sort
}

symbols --extern-only > "$work/all"
symbols --undefined-only > "$work/uses"
comm -23 "$work/all" "$work/uses" > "$work/has"
join "$work/uses" "$work/has" | cut -d ' ' -f 2,3 | has_order call
grep -HE '^#include "[a-z_]+/' -r src --include='*.h' |
	sed -E 's|^src/([^:]+):#include "([^"]+)"|\1 \2|' | has_order include
