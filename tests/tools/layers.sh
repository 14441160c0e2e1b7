#!/bin/sh
# A file includes its own layer and lower ones, nothing else (design.md, "Rooms of src/"), has a name of its own, and 450 lines at most.
set -eu
layers="base core system loop net etcd process pg monitor dispatch script records window daemon command"
status=0
allowed=""
for layer in $layers; do
	allowed="$allowed $layer"
	for file in src/"$layer"/*.[ch]; do
		for other in $(sed -nE 's/^#include "([a-z]+)\/.*/\1/p' "$file" | sort -u); do
			case " $allowed " in
			*" $other "*) ;;
			*)
				echo "$file: includes $other/, which is not below $layer/"
				status=1
				;;
			esac
		done
	done
done
# a name says where a file is; a file holds one noun
doubles=$(find src -name '*.[ch]' -exec basename {} \; | sort | uniq -d)
if [ -n "$doubles" ]; then
	echo "src/: several files are called" $doubles
	status=1
fi
long=$(find src -name '*.[ch]' -exec wc -l {} + | awk '$2 != "total" && $1 > 450 { print $2 " (" $1 " lines)" }')
if [ -n "$long" ]; then
	echo "src/: a file has 450 lines at most:" $long
	status=1
fi
# core is pure: no clock, file, socket, thread
if grep -nE '#include <(uv|time|unistd|pthread|fcntl|sys/socket|libpq-fe)\.?h?' src/core/*.[ch]; then
	echo "src/core must stay pure"
	status=1
fi
exit $status
