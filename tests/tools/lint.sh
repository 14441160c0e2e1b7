#!/bin/sh
# Static checks: clang's warnings, clang-tidy, cppcheck, luacheck, the layers of src/.
set -eu
flags="-std=gnu11 -D_GNU_SOURCE -Isrc -Itests -Ibuild $(pkg-config --cflags libpq libuv lua5.4 jansson libcurl)
	-DPLUSMOIN_VERSION=\"0\" -DPLUSMOIN_PREFIX=\"/usr\""
sources=$(find src -name '*.c' | sort)

sh tests/tools/layers.sh
# shellcheck disable=SC2086
for file in $sources; do
	clang $flags -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes -fsyntax-only "$file"
done
# every header compiles alone
# shellcheck disable=SC2086
for file in $(find src -name '*.h' | sort); do
	clang $flags -Wall -Wextra -Werror -fsyntax-only -x c "$file" -Wno-pragma-once-outside-header
done
# shellcheck disable=SC2086
clang-tidy --quiet $sources -- $flags 2>/dev/null
# cppcheck 2.17 says where it has not looked at all branches, which is no finding
cppcheck --quiet --error-exitcode=1 --std=c11 --enable=warning,performance,portability \
	--inline-suppr --suppress=missingIncludeSystem --suppress=normalCheckLevelMaxBranches -Isrc src
luacheck --quiet lua spec triggers tests/tools tests/demo tests/bench conf/plusmoin.lua
for script in triggers/sh/*; do
	sh -n "$script"
done
echo "lint: clean"
