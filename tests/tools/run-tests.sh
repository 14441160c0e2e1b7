#!/bin/sh
# Runs test programs beside each other and closes with "N passed, N failed", or
# "N passed, N failed, N skipped".
# usage: run-tests.sh COMMAND...
# Each argument is one command line, a job. Its closing line "N passed, N failed", if it
# prints one, is added up, else it counts as one test by its exit status. LANES jobs run
# at a time (6: a spec waits most of its time). Those that took longest start first: as
# tests/tools/times.tsv says (seconds, tab, command), or build/times.tsv, in which this
# script notes what it has measured; only the order of these numbers matters. Each job's
# output is told at the end, in the order of the arguments; what failed, and what this
# machine did not let run and why, again just before the closing line.
set -u
dir=$(mktemp -d)
# One template of a data directory a family, for all jobs (spec/support/pg.lua).
PLUSMOIN_TEMPLATES=$(mktemp -d "${TMPDIR:-/tmp}/plusmoin-templates-XXXXXX")
export PLUSMOIN_TEMPLATES
trap 'rm -rf "$dir" "$PLUSMOIN_TEMPLATES"' EXIT
trap 'exit 1' HUP INT TERM
chmod 0755 "$PLUSMOIN_TEMPLATES"
TIMES=build/times.tsv
passed=0
failed=0
skipped=0

# Numbers of jobs, the longest first; in the middle those that nobody knows.
order() {
	cat tests/tools/times.tsv $TIMES > "$dir/times" 2> /dev/null
	awk -F '\t' -v times="$dir/times" '
		BEGIN { while ((getline < times) > 0) seconds[$2] = $1 }
		{ print ($2 in seconds ? seconds[$2] : 20) "\t" $1 }' "$dir/jobs" | sort -k 1,1nr -k 2,2n | cut -f 2
}

# $1: the file of a job's command, of which the names of its results are made: output, .status,
# .seconds (of the clock), .cpu (what `times` says).
# shellcheck disable=SC2016 # that shell's variables
RUN='begin=$(date +%s)
	sh "$1.command" > "$1" 2>&1
	echo $? > "$1.status"
	echo $(($(date +%s) - begin)) > "$1.seconds"
	times > "$1.cpu"'

# $1: where a job's results are. Seconds of a processor that it took.
cpu_of() {
	awk -F '[ms ]+' 'NR == 2 { printf "%.1f", $1 * 60 + $2 + $3 * 60 + $4 }' "$1.cpu"
}

# What was measured, for the next run; of other jobs the old times stay.
note_times() {
	[ -d "${TIMES%/*}" ] || return 0
	awk -F '\t' -v dir="$dir" '
		NR == FNR { getline seconds < (dir "/" $1 ".seconds"); print seconds "\t" $2; seen[$2] = 1; next }
		!($2 in seen)' "$dir/jobs" $TIMES 2> /dev/null > "$dir/times"
	cp "$dir/times" $TIMES
}

# $1: the output of a command: what it has left out, "NAME: WHY" a line. busted tells a test
# in three lines, the program of another kind in one.
left_out() {
	awk '/^Pending → / { getline name; getline why; sub(/^[^ ]*:[0-9]+: /, "", why); print name ": " why }
		/^skipped: / { sub(/^skipped: /, ""); print program ": " $0 }' program="$2" "$1"
}

# $1: the command, $2: where its results are
count() {
	status=$(cat "$2.status" 2> /dev/null || echo 1)
	echo "== $1 ($(cat "$2.seconds") s, CPU $(cpu_of "$2") s)"
	cat "$2"
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

i=0
for command in "$@"; do
	i=$((i + 1))
	echo "$command" > "$dir/$i.command"
	printf '%s\t%s\n' "$i" "$command" >> "$dir/jobs"
done
order | xargs -P "${LANES:-6}" -I '{}' sh -c "$RUN" sh "$dir/{}"
i=0
for command in "$@"; do
	i=$((i + 1))
	count "$command" "$dir/$i"
done
note_times
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
