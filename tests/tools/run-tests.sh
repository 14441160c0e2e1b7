#!/bin/sh
# Runs test programs one after another and closes with "N passed, N failed".
# Each argument is one command line; its closing line "N passed, N failed", if it
# prints one, is added up, else it counts as one test by its exit status.
set -u
passed=0
failed=0
out=$(mktemp)
trap 'rm -f "$out"' EXIT
for command in "$@"; do
	echo "== $command"
	sh -c "$command" > "$out" 2>&1
	status=$?
	cat "$out"
	line=$(grep -E '^[0-9]+ (passed|successes)' "$out" | tail -n 1)
	p=$(echo "$line" | sed -nE 's/^([0-9]+) (passed|successes).*/\1/p')
	f=$(echo "$line" | sed -nE 's/^[0-9]+ [a-z]+[,\/ ]+([0-9]+) (failed|failures).*/\1/p')
	e=$(echo "$line" | sed -nE 's/.* ([0-9]+) errors.*/\1/p')
	if [ -z "$p" ]; then
		p=0
		f=0
		[ $status -eq 0 ] && p=1
	fi
	f=$((${f:-0} + ${e:-0}))
	[ $status -ne 0 ] && [ $f -eq 0 ] && f=1
	passed=$((passed + p))
	failed=$((failed + f))
done
echo "$passed passed, $failed failed"
[ $failed -eq 0 ]
