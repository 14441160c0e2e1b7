# Static checks of each file, with a stamp in build/lint for what was found clean: a file is looked at
# again when it, a header of its, this file, .clang-tidy or a tool has changed. Called by lint.sh.
# `quick` leaves out clang's static analyzer, which takes twenty times as long as all else together.

LINT = build/lint
PKGS = libpq libuv lua5.4 jansson libcurl libedit
FLAGS := -std=gnu11 -D_GNU_SOURCE -Isrc -Itests -Ibuild $(shell pkg-config --cflags $(PKGS)) \
	-DPLUSMOIN_VERSION=\"0\" -DPLUSMOIN_PREFIX=\"/usr\"
SOURCES := $(shell find src -name '*.c')
HEADERS := $(shell find src -name '*.h')
LUA_DIRS = lua spec triggers tests/tools tests/demo tests/bench
LUA := $(shell find $(LUA_DIRS) -name '*.lua') conf/plusmoin.lua .luacheckrc
SCRIPTS := $(wildcard triggers/sh/*)
COMMON = $(LINT)/tools tests/tools/lint.mk

.PHONY: quick all FORCE

quick: $(SOURCES:%=$(LINT)/quick/%) $(HEADERS:%=$(LINT)/%) $(LINT)/layers $(LINT)/circles $(LINT)/lua $(LINT)/scripts

all: $(SOURCES:%=$(LINT)/all/%) $(HEADERS:%=$(LINT)/%) $(LINT)/layers $(LINT)/circles $(LINT)/lua $(LINT)/scripts

FORCE:

# What the stamps were made by.
$(LINT)/tools: FORCE
	@mkdir -p $(@D)
	@{ clang --version; clang-tidy --version; cppcheck --version; luacheck --version; \
		pkg-config --modversion $(PKGS); echo '$(FLAGS)'; } > $@.new
	@cmp -s $@ $@.new || cp $@.new $@

# $(1): further checks of clang-tidy, appended to those of .clang-tidy.
# cppcheck 2.17 says where it has not looked at all branches, which is no finding.
define check_source
@mkdir -p $(@D)
@clang $(FLAGS) -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes -fsyntax-only -MMD -MP -MT $@ -MF $@.d $<
@clang-tidy --quiet --checks='$(1)' $< -- $(FLAGS) 2> /dev/null
@cppcheck --quiet --error-exitcode=1 --std=c11 --enable=warning,performance,portability \
	--inline-suppr --suppress=missingIncludeSystem --suppress=normalCheckLevelMaxBranches -Isrc $<
@touch $@
endef

$(LINT)/quick/%.c: %.c .clang-tidy $(COMMON)
	$(call check_source,-clang-analyzer-*)

$(LINT)/all/%.c: %.c .clang-tidy $(COMMON)
	$(call check_source,)

# every header compiles alone
$(LINT)/%.h: %.h $(COMMON)
	@mkdir -p $(@D)
	@clang $(FLAGS) -Wall -Wextra -Werror -fsyntax-only -x c -Wno-pragma-once-outside-header -MMD -MP -MT $@ -MF $@.d $<
	@touch $@

$(LINT)/layers: $(SOURCES) $(HEADERS) tests/tools/layers.sh $(COMMON)
	@sh tests/tools/layers.sh
	@touch $@

$(LINT)/circles: build/plusmoin $(HEADERS) tests/tools/circles.sh $(COMMON)
	@sh tests/tools/circles.sh build
	@touch $@

$(LINT)/lua: $(LUA) $(COMMON)
	@luacheck --quiet $(LUA_DIRS) conf/plusmoin.lua
	@touch $@

$(LINT)/scripts: $(SCRIPTS) $(COMMON)
	@for script in $(SCRIPTS); do sh -n $$script || exit 1; done
	@touch $@

-include $(shell find $(LINT) -name '*.d' 2> /dev/null)
