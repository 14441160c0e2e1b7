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

# No word names two things: what stands before the first "_" of a global symbol, or the file's name where that
# is how it begins, is used in one folder only ("luaopen" is Lua's).
nm_defined() {
	find src -mindepth 2 -name '*.c' | sed "s|^src/|$objects/|; s|\.c\$|.o|" | sort |
		xargs nm -A --extern-only --defined-only |
		sed -nE "s|^$objects/([^/]+)/([^:]+)\.o:[0-9a-f ]* [A-Z] (.*)\$|\1 \2 \3|p"
}
nm_defined | awk '{ word = index($3, $2 "_") == 1 ? $2 : $3; if (word == $3) sub(/_.*/, "", word); print word, $1 }' |
	sort -u > "$work/words"
cut -d ' ' -f 1 "$work/words" | uniq -d | while read -r word; do
	echo "src/: symbols of two folders begin with $word: $(awk -v word="$word" '$1 == word { print $2 }' "$work/words" | tr '\n' ' ')"
	exit 1
done
