#!/bin/sh
# Runs test programs one after another and closes with "N passed, N failed", or
# "N passed, N failed, N skipped". Each argument is one command line; its closing line, if
# it prints one, is added up, else it counts as one test by its exit status. Those
# behind the argument --together run beside each other, four at a time. What failed, and
# what this machine did not let run and why, is told again just before the closing line.
set -u
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
passed=0
failed=0
skipped=0

# $1: the command, $2: where its output and status are
run() {
	sh -c "$1" > "$2" 2>&1
	echo $? > "$2.status"
}

# $1: the output of a command: what it has left out, "NAME: WHY" a line. busted tells a test
# in three lines, the program of another kind in one.
left_out() {
	awk '/^Pending → / { getline name; getline why; sub(/^[^ ]*:[0-9]+: /, "", why); print name ": " why }
		/^skipped: / { sub(/^skipped: /, ""); print program ": " $0 }' program="$2" "$1"
}

# $1: the command, $2: as above
count() {
	echo "== $1"
	cat "$2"
	status=$(cat "$2.status" 2> /dev/null || echo 1)
	line=$(grep -E '^[0-9]+ (passed|success)' "$2" | tail -n 1)
	p=$(echo "$line" | sed -nE 's/^([0-9]+) (passed|success).*/\1/p')
	f=$(echo "$line" | sed -nE 's/^[0-9]+ [a-z]+[,\/ ]+([0-9]+) (failed|failure).*/\1/p')
	e=$(echo "$line" | sed -nE 's/.* ([0-9]+) errors?.*/\1/p')
	left_out "$2" "$1" > "$dir/left"
	s=$(wc -l < "$dir/left")
	cat "$dir/left" >> "$dir/skipped"
	if [ -z "$p" ]; then
		p=0
		f=0
		[ "$status" -eq 0 ] && [ "$s" -eq 0 ] && p=1
	fi
	f=$((${f:-0} + ${e:-0}))
	[ "$status" -ne 0 ] && [ $f -eq 0 ] && f=1
	if [ $f -gt 0 ]; then
		{
			echo "!! $1" | cut -c 1-160
			grep -E -A 3 '^(Failure|Error) |^\[  FAILED  \]|(error|warning):|ERROR: ' "$2" | head -n 40 ||
				tail -n 5 "$2"
		} >> "$dir/failures"
	fi
	passed=$((passed + p))
	failed=$((failed + f))
	skipped=$((skipped + s))
}

while [ $# -gt 0 ] && [ "$1" != --together ]; do
	run "$1" "$dir/out"
	count "$1" "$dir/out"
	shift
done
if [ $# -gt 0 ]; then
	shift
	i=0
	for command in "$@"; do
		i=$((i + 1))
		echo "$command" > "$dir/out.$i.command"
	done
	seq "$i" | xargs -P 4 -I '{}' sh -c 'sh "$1.command" > "$1" 2>&1; echo $? > "$1.status"' sh "$dir/out.{}"
	i=0
	for command in "$@"; do
		i=$((i + 1))
		count "$command" "$dir/out.$i"
	done
fi
if [ $skipped -gt 0 ]; then
	echo "left out, for what this machine does not let us do:"
	sed 's/^/  /' "$dir/skipped"
fi
[ ! -s "$dir/failures" ] || cat "$dir/failures"
if [ $skipped -gt 0 ]; then
	echo "$passed passed, $failed failed, $skipped skipped"
else
	echo "$passed passed, $failed failed"
fi
[ $failed -eq 0 ]
