#!/bin/sh
# Static checks: clang's warnings, clang-tidy, cppcheck, luacheck, the layers of src/. What did
# not change since it was last found clean is not looked at again (lint.mk).
# usage: lint.sh [all]
# all: clang's static analyzer as well, which takes minutes.
set -eu
make --no-print-directory -k -O -j2 -f tests/tools/lint.mk "${1:-quick}"
echo "lint: clean"
