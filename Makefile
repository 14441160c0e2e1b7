# plusmoin: `make help` lists what there is to make.

prefix ?= /usr/local
DESTDIR ?=
# The program reads /etc/plusmoin; a prefix of its own keeps its hands off the machine's /etc.
sysconfdir ?= $(if $(filter /usr /usr/local,$(prefix)),,$(prefix))/etc
unitdir ?= $(prefix)/lib/systemd/system
CC = gcc
BUILD ?= build
DEB ?= $(BUILD)/deb
PKGS = libpq libuv lua5.4 jansson libsystemd libcurl
CSTD = -std=gnu11 -D_GNU_SOURCE
WARN = -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith \
       -Wwrite-strings -Wundef -Wformat=2 -Wvla
OPT ?= -O2 -g
SAN ?=
CFLAGS ?= $(OPT)
VERSION := 0.1.0

LIBS_CFLAGS := $(shell pkg-config --cflags $(PKGS) 2>/dev/null)
LIBS_LIBS := $(shell pkg-config --libs $(PKGS) 2>/dev/null) -lm
ALL_CFLAGS = $(CSTD) $(WARN) $(CFLAGS) $(SAN) -Isrc -I$(BUILD) $(LIBS_CFLAGS) -pthread \
             -DPLUSMOIN_VERSION='"$(VERSION)"' -DPLUSMOIN_PREFIX='"$(prefix)"'
ALL_LDFLAGS = $(LDFLAGS) $(SAN) -pthread

# V=1 shows whole commands.
V ?= 0
quiet_0 = @printf '  %-6s %s\n' $(1) $(2);
quiet = $(quiet_$(V))

LIB_SRC := $(wildcard src/base/*.c src/core/*.c)
ALL_SRC := $(LIB_SRC) $(wildcard src/system/*.c src/io/*.c src/monitor/*.c src/dispatch/*.c src/script/*.c \
           src/command/*.c src/*.c)
LIB_OBJ := $(LIB_SRC:src/%.c=$(BUILD)/obj/%.o)
ALL_OBJ := $(ALL_SRC:src/%.c=$(BUILD)/obj/%.o) $(BUILD)/obj/embedded.o
LUA_SRC := $(shell find lua/plusmoin -name '*.lua' 2>/dev/null | sort)

UNIT_SRC := $(wildcard tests/unit/*.c)
UNITS := $(UNIT_SRC:tests/unit/%.c=$(BUILD)/tests/unit/%)

.PHONY: FORCE all deb deps deps-test deps-long help clean install lint demo test test-long test-suite matrix bench unit programs

all: deps ## build build/plusmoin (installs what is missing)
	@$(MAKE) --no-print-directory $(BUILD)/plusmoin

help: ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

deps: ## install what a build needs (Debian)
	@sh tests/tools/deps.sh build

deps-test: ## install what the tests need as well
	@sh tests/tools/deps.sh test

deps-long: ## install what test-long needs as well
	@sh tests/tools/deps.sh long

$(BUILD)/plusmoin: $(ALL_OBJ)
	$(call quiet,LD,$@)$(CC) $(ALL_LDFLAGS) -o $@ $(ALL_OBJ) $(LIBS_LIBS)

$(BUILD)/obj/%.o: src/%.c Makefile
	@mkdir -p $(@D)
	$(call quiet,CC,$@)$(CC) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

$(BUILD)/embedded.c: tests/tools/embed.lua $(LUA_SRC)
	@mkdir -p $(@D)
	$(call quiet,EMBED,$@)lua5.4 tests/tools/embed.lua $(LUA_SRC) > $@.tmp && mv $@.tmp $@

# What was built for another prefix looks in the wrong place.
$(BUILD)/prefix: FORCE
	@mkdir -p $(@D)
	@echo '$(prefix)' | cmp -s - $@ || echo '$(prefix)' > $@
$(BUILD)/obj/script/loader.o: $(BUILD)/prefix
FORCE:

$(BUILD)/obj/embedded.o: $(BUILD)/embedded.c
	@mkdir -p $(@D)
	$(call quiet,CC,$@)$(CC) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

MAN = $(BUILD)/man/plusmoin.8 $(BUILD)/man/plusmoin.conf.5
$(BUILD)/man/%: tests/tools/man.lua $(addprefix lua/plusmoin/,settings.lua settings_doc.lua verbs.lua) Makefile
	@mkdir -p $(@D)
	$(call quiet,MAN,$@)lua5.4 tests/tools/man.lua $* $(VERSION) > $@.tmp && mv $@.tmp $@

$(BUILD)/libcore.a: $(LIB_OBJ)
	$(call quiet,AR,$@)rm -f $@ && ar rcs $@ $(LIB_OBJ)

# Unit tests link base and core alone: a test that needed more would not link.
$(BUILD)/tests/unit/%: tests/unit/%.c $(BUILD)/libcore.a
	@mkdir -p $(@D)
	$(call quiet,LD,$@)$(CC) $(ALL_CFLAGS) -Itests -MMD -MP -MF $@.d -o $@ $< $(BUILD)/libcore.a \
		$(ALL_LDFLAGS) -lcmocka

units: $(UNITS)

# Benches and fuzzers link all but main() and the other verbs.
WHOLE_OBJ = $(filter-out %/main.o,$(ALL_OBJ))
WHOLE_LINK = @mkdir -p $(@D); printf '  %-6s %s\n' LD $@; $(CC) $(ALL_CFLAGS) -MMD -MP -MF $@.d -o $@ $< \
	$(WHOLE_OBJ) $(ALL_LDFLAGS) $(LIBS_LIBS)
$(BUILD)/tests/bench/%: tests/bench/%.c $(WHOLE_OBJ)
	$(WHOLE_LINK)
$(BUILD)/tests/fuzz/%: tests/fuzz/%.c $(WHOLE_OBJ)
	$(WHOLE_LINK)

-include $(shell find $(BUILD) -path $(DEB) -prune -o -type f -name '*.d' -print 2>/dev/null)

# $(1) to $(2), with the paths of this prefix in it.
install_with_paths = mkdir -p $(DESTDIR)$(dir $(2)) && sed 's|/usr/bin/plusmoin|$(prefix)/bin/plusmoin|' $(1) \
	> $(DESTDIR)$(2) && chmod 0644 $(DESTDIR)$(2)

install: all $(MAN) ## install into $(DESTDIR)$(prefix)
	install -D -m 0755 $(BUILD)/plusmoin $(DESTDIR)$(prefix)/bin/plusmoin
	install -D -m 0644 conf/plusmoin.json $(DESTDIR)$(prefix)/share/doc/plusmoin/examples/plusmoin.json
	install -D -m 0644 conf/plusmoin.lua $(DESTDIR)$(prefix)/share/doc/plusmoin/examples/plusmoin.lua
	install -D -m 0644 README.md $(DESTDIR)$(prefix)/share/doc/plusmoin/README.md
	for file in $(LUA_SRC); do install -D -m 0644 $$file $(DESTDIR)$(prefix)/share/lua/5.4/$${file#lua/} || exit 1; done
	for file in triggers/*.lua; do install -D -m 0644 $$file $(DESTDIR)$(prefix)/share/plusmoin/$$file || exit 1; done
	for file in triggers/sh/*; do install -D -m 0755 $$file $(DESTDIR)$(prefix)/share/plusmoin/$$file || exit 1; done
	install -D -m 0644 LICENSE $(DESTDIR)$(prefix)/share/doc/plusmoin/LICENSE
	install -D -m 0644 conf/setuid-triggers.conf $(DESTDIR)$(prefix)/share/doc/plusmoin/examples/setuid-triggers.conf
	install -D -m 0644 conf/plusmoin.sysusers $(DESTDIR)$(prefix)/lib/sysusers.d/plusmoin.conf
	install -D -m 0644 conf/completion.bash $(DESTDIR)$(prefix)/share/bash-completion/completions/plusmoin
	install -D -m 0644 $(BUILD)/man/plusmoin.8 $(DESTDIR)$(prefix)/share/man/man8/plusmoin.8
	install -D -m 0644 $(BUILD)/man/plusmoin.conf.5 $(DESTDIR)$(prefix)/share/man/man5/plusmoin.conf.5
	$(call install_with_paths,conf/plusmoin.service,$(unitdir)/plusmoin.service)
	$(call install_with_paths,conf/plusmoin.logrotate,$(sysconfdir)/logrotate.d/plusmoin)

deb: ## build a Debian package, in build/deb
	@sh tests/tools/deps.sh deb
	@test '$(VERSION)' = "$$(dpkg-parsechangelog -l conf/debian/changelog -S Version)" || \
		{ echo 'conf/debian/changelog has another version than $(VERSION)' >&2; exit 1; }
	rm -rf $(DEB) && mkdir -p $(DEB)/plusmoin/tests
	cp -a Makefile README.md LICENSE conf lua src triggers $(DEB)/plusmoin
	cp -a tests/tools $(DEB)/plusmoin/tests
	mv $(DEB)/plusmoin/conf/debian $(DEB)/plusmoin/debian
	cd $(DEB)/plusmoin && env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL -u BUILD -u DESTDIR -u prefix \
		dpkg-buildpackage -b -us -uc
	rm -rf $(DEB)/plusmoin

clean: ## remove what was built
	rm -rf $(BUILD)

# ---- tests -----------------------------------------------------------------

LUA_ENV = LUA_PATH='./lua/?.lua;./?.lua;;'
BUSTED = $(LUA_ENV) sh tests/tools/in-memory.sh busted --lua=lua5.4 -o utfTerminal
# gcc sees null format strings in the sanitizers' own checks: no errors from that
SAN_NOISE = -Wno-format-truncation -Wno-format-overflow -Wno-maybe-uninitialized -Wno-nonnull -Wno-null-dereference
ASAN = BUILD=build/asan SAN='-fsanitize=address,undefined -fno-omit-frame-pointer $(SAN_NOISE)' OPT='-O1 -g'
TSAN = BUILD=build/tsan SAN='-fsanitize=thread -fno-omit-frame-pointer $(SAN_NOISE)' OPT='-O1 -g'
SANENV = ASAN_OPTIONS=detect_leaks=1 UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1

programs: $(BUILD)/plusmoin

test: deps-test ## build and run all tests (under 10 minutes)
	@$(MAKE) --no-print-directory -j2 build/plusmoin units build/tests/bench/lua
	@$(MAKE) --no-print-directory -j2 $(ASAN) units build/asan/plusmoin build/asan/tests/fuzz/loader
	@sh tests/tools/run-tests.sh $(UNITS) \
		"$(SANENV) ROUNDS=20000 build/asan/tests/unit/property" \
		"$(SANENV) build/asan/tests/unit/scenarios" \
		"$(SANENV) build/asan/tests/fuzz/loader 300" \
		"$(BUSTED) spec/unit" \
		--together \
		"$(SANENV) PLUSMOIN_BIN=build/asan/plusmoin $(BUSTED) --tags=core spec/program" \
		"$(BUSTED) --exclude-tags=hostile,matrix $(wildcard spec/program/[a-g]*_spec.lua)" \
		"$(BUSTED) spec/triggers" \
		"$(BUSTED) --exclude-tags=hostile,matrix $(wildcard spec/program/[s]*_spec.lua)" \
		"sh tests/tools/lint.sh" \
		"$(BUSTED) --exclude-tags=hostile,matrix $(wildcard spec/program/[l-p]*_spec.lua)" \
		"$(BUSTED) --exclude-tags=hostile,matrix $(wildcard spec/program/[i-k]*_spec.lua spec/program/[q-r]*_spec.lua)" \
		"$(BUSTED) --exclude-tags=hostile,matrix $(wildcard spec/program/[h]*_spec.lua)" \
		"$(BUSTED) --exclude-tags=hostile,matrix $(wildcard spec/program/[t-z]*_spec.lua)"

test-long: deps-long ## all under ASan+UBSan, the core under TSan, big random runs (under 45 minutes)
	@$(MAKE) --no-print-directory -j2 build/plusmoin units lint
	@$(MAKE) --no-print-directory -j2 $(ASAN) units build/asan/plusmoin build/asan/tests/fuzz/loader
	@$(MAKE) --no-print-directory -j2 $(TSAN) build/tsan/plusmoin
	@sh tests/tools/run-tests.sh \
		$(UNIT_SRC:tests/unit/%.c="$(SANENV) build/asan/tests/unit/%") \
		"ROUNDS=2000000 build/tests/unit/property" \
		"$(SANENV) build/asan/tests/fuzz/loader 10000" \
		"$(BUSTED) spec/unit" \
		"sh tests/tools/dockerfile.sh" \
		"sh tests/tools/deb.sh" \
		"sh tests/tools/unit.sh" \
		"sh tests/tools/suite.sh $(SUITE)" \
		--together \
		"$(SANENV) RANDOM_STEPS=1000 PLUSMOIN_BIN=build/asan/plusmoin $(BUSTED) $(wildcard spec/program/[l-r]*_spec.lua)" \
		"$(SANENV) PLUSMOIN_BIN=build/asan/plusmoin $(BUSTED) $(wildcard spec/program/[a-k]*_spec.lua)" \
		"$(SANENV) SILENCE_ROUNDS=10000 PLUSMOIN_BIN=build/asan/plusmoin $(BUSTED) $(wildcard spec/program/[s-z]*_spec.lua) spec/triggers" \
		"RANDOM_STEPS=1000 PLUSMOIN_BIN=build/tsan/plusmoin $(BUSTED) --tags=core spec/program"

SUITE ?= trixie
test-suite: deps-long ## build and try it on a bare Debian SUITE (bookworm or trixie; 5 minutes)
	@sh tests/tools/suite.sh $(SUITE)

matrix: deps-test ## what plusmoin concludes from each fault of a real server, and how soon, as a table (10 minutes)
	@$(MAKE) --no-print-directory build/plusmoin
	@mkdir -p build && : > build/matrix.tsv && chmod 666 build/matrix.tsv
	@MATRIX=$(CURDIR)/build/matrix.tsv $(BUSTED) spec/program/matrix_spec.lua > build/matrix.log 2>&1; \
		status=$$?; lua5.4 tests/tools/matrix.lua < build/matrix.tsv; [ $$status -eq 0 ] || cat build/matrix.log; exit $$status

lint: deps-test ## clang's warnings, clang-tidy, cppcheck, luacheck, the layers
	@sh tests/tools/lint.sh

demo: deps-test ## a master, two slaves and plusmoin at work, in under a minute
	@$(MAKE) --no-print-directory build/plusmoin
	@$(LUA_ENV) lua5.4 tests/demo/demo.lua

bench: deps-test ## numbers, beside a yardstick of the same run
	@$(MAKE) --no-print-directory build/plusmoin build/tests/bench/lua
	@$(LUA_ENV) lua5.4 tests/bench/events.lua
	@$(LUA_ENV) lua5.4 tests/bench/deaths.lua
	@$(LUA_ENV) lua5.4 tests/bench/proxies.lua
	@build/tests/bench/lua latency
	@build/tests/bench/lua rate
	@build/tests/bench/lua hostile
	@build/tests/bench/lua waiting
