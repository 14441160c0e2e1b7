# plusmoin: `make help` lists what there is to make.

prefix ?= /usr/local
DESTDIR ?=
# The program reads /etc/plusmoin; a prefix of its own keeps its hands off the machine's /etc.
sysconfdir ?= $(if $(filter /usr /usr/local,$(prefix)),,$(prefix))/etc
unitdir ?= $(prefix)/lib/systemd/system
CC = gcc
BUILD ?= build
DEB ?= $(BUILD)/deb
PKGS = libpq libuv lua5.4 jansson libsystemd libcurl libmicrohttpd libedit
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
ALL_SRC := $(LIB_SRC) $(foreach room,system loop net etcd process pg monitor dispatch script records council window daemon command, \
           $(wildcard src/$(room)/*.c)) src/main.c
LIB_OBJ := $(LIB_SRC:src/%.c=$(BUILD)/obj/%.o)
ALL_OBJ := $(ALL_SRC:src/%.c=$(BUILD)/obj/%.o) $(BUILD)/obj/embedded.o
LUA_SRC := $(shell find lua/plusmoin -name '*.lua' 2>/dev/null | sort)

UNIT_SRC := $(wildcard tests/unit/*.c)
UNITS := $(UNIT_SRC:tests/unit/%.c=$(BUILD)/tests/unit/%)
ROOM_SRC := $(wildcard tests/rooms/*.c)
ROOMS := $(ROOM_SRC:tests/rooms/%.c=$(BUILD)/tests/rooms/%)

.PHONY: FORCE all deb deps deps-test deps-long help clean install lint demo test test-long test-versions test-all test-suite matrix bench bench-scale units rooms programs

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

PAGES := $(patsubst conf/man/%.md,%,$(wildcard conf/man/*.7.md))
MAN = $(addprefix $(BUILD)/man/,plusmoin.8 plusmoin.conf.5 plusmoin-lua.7 $(PAGES))
$(BUILD)/man/%: tests/tools/man.lua tests/tools/man_lua.lua tests/tools/roff.lua lua/plusmoin/api.lua \
		$(addprefix lua/plusmoin/,settings.lua settings_doc.lua verbs.lua) $(wildcard lua/plusmoin/api/*.lua) Makefile
	@mkdir -p $(@D)
	$(call quiet,MAN,$@)lua5.4 tests/tools/man.lua $* $(VERSION) > $@.tmp && mv $@.tmp $@

# Its headings begin with "## ", as the page has a title on a forge. `code` is bold, and no word is
# divided, as in the other pages.
$(BUILD)/man/%.7: conf/man/%.7.md tests/tools/page.lua Makefile
	@mkdir -p $(@D)
	$(call quiet,MAN,$@)lua5.4 tests/tools/page.lua $< > $@.md && lowdown -s -Tman --out-no-smarty -m title=$* \
		-m section=7 -m shiftheadinglevelby=-1 -m 'source=plusmoin $(VERSION)' $@.md \
		| sed -e 's/\\f\(C\|(C[RW]\)/\\fB/g' -e '/^\.TH /s/$$/\n.nr HY 0\n.nh\n.ad l/' > $@.tmp && mv $@.tmp $@

$(BUILD)/libcore.a: $(LIB_OBJ)
	$(call quiet,AR,$@)rm -f $@ && ar rcs $@ $(LIB_OBJ)

# Unit tests link base and core alone: a test that needed more would not link.
$(BUILD)/tests/unit/%: tests/unit/%.c $(BUILD)/libcore.a
	@mkdir -p $(@D)
	$(call quiet,LD,$@)$(CC) $(ALL_CFLAGS) -Itests -MMD -MP -MF $@.d -o $@ $< $(BUILD)/libcore.a \
		$(ALL_LDFLAGS) -lcmocka

units: $(UNITS)

# Tests of rooms, benches and fuzzers link all but main() and the other verbs.
WHOLE_OBJ = $(filter-out %/main.o,$(ALL_OBJ))
WHOLE_LINK = @mkdir -p $(@D); printf '  %-6s %s\n' LD $@; $(CC) $(ALL_CFLAGS) -Itests -MMD -MP -MF $@.d -o $@ $< \
	$(WHOLE_OBJ) $(ALL_LDFLAGS) $(LIBS_LIBS)
$(BUILD)/tests/rooms/%: tests/rooms/%.c $(WHOLE_OBJ)
	$(WHOLE_LINK) -lcmocka

rooms: $(ROOMS)

$(BUILD)/tests/bench/%: tests/bench/%.c $(WHOLE_OBJ)
	$(WHOLE_LINK)
$(BUILD)/tests/fuzz/%: tests/fuzz/%.c $(WHOLE_OBJ)
	$(WHOLE_LINK)

# Stand-ins for PostgreSQL servers: the statements that they know are the program's own. They are servers with names of
# their own: what serves the program's clients is left out.
STANDIN_SRC = $(wildcard tests/standin/*.c)
STANDIN_OBJ = $(filter-out $(foreach room,window daemon command,$(BUILD)/obj/$(room)/%),$(WHOLE_OBJ))
$(BUILD)/tests/standin: $(STANDIN_SRC) $(wildcard tests/standin/*.h) $(STANDIN_OBJ)
	@mkdir -p $(@D)
	$(call quiet,LD,$@)$(CC) $(ALL_CFLAGS) -Itests -o $@ $(STANDIN_SRC) $(STANDIN_OBJ) $(ALL_LDFLAGS) $(LIBS_LIBS)

# src/etcd on a loop, driven by a spec.
$(BUILD)/tests/etcd-driver: tests/etcd/driver.c $(WHOLE_OBJ)
	$(WHOLE_LINK)

-include $(shell find $(BUILD) -path $(DEB) -prune -o -type f -name '*.d' -print 2>/dev/null)

# $(1) to $(2), with the paths of this prefix in it.
install_with_paths = mkdir -p $(DESTDIR)$(dir $(2)) && sed 's|/usr/bin/plusmoin|$(prefix)/bin/plusmoin|' $(1) \
	> $(DESTDIR)$(2) && chmod 0644 $(DESTDIR)$(2)

# Definitions of the Lua API for editors, as `plusmoin lua-types` writes them.
LUA_TYPES = $(BUILD)/lua-types
$(LUA_TYPES)/.luarc.json: tests/tools/lua-types.lua $(LUA_SRC) $(BUILD)/prefix Makefile
	@rm -rf $(LUA_TYPES) && mkdir -p $(LUA_TYPES)
	$(call quiet,TYPES,$(LUA_TYPES))lua5.4 $< $(LUA_TYPES) $(prefix)/share/plusmoin/lua-types $(VERSION)

install: all $(MAN) $(LUA_TYPES)/.luarc.json ## install into $(DESTDIR)$(prefix)
	install -D -m 0755 $(BUILD)/plusmoin $(DESTDIR)$(prefix)/bin/plusmoin
	install -D -m 0644 conf/plusmoin.json $(DESTDIR)$(prefix)/share/doc/plusmoin/examples/plusmoin.json
	install -D -m 0644 conf/plusmoin.lua $(DESTDIR)$(prefix)/share/doc/plusmoin/examples/plusmoin.lua
	install -D -m 0644 README.md $(DESTDIR)$(prefix)/share/doc/plusmoin/README.md
	for file in $(LUA_SRC); do install -D -m 0644 $$file $(DESTDIR)$(prefix)/share/lua/5.4/$${file#lua/} || exit 1; done
	for file in triggers/*.lua; do install -D -m 0644 $$file $(DESTDIR)$(prefix)/share/plusmoin/$$file || exit 1; done
	for file in triggers/sh/*; do install -D -m 0755 $$file $(DESTDIR)$(prefix)/share/plusmoin/$$file || exit 1; done
	install -D -m 0644 LICENSE $(DESTDIR)$(prefix)/share/doc/plusmoin/LICENSE
	install -D -m 0644 conf/setuid-triggers.conf $(DESTDIR)$(prefix)/share/doc/plusmoin/examples/setuid-triggers.conf
	for file in prometheus-rules.yml grafana.json; do \
		install -D -m 0644 conf/$$file $(DESTDIR)$(prefix)/share/doc/plusmoin/examples/$$file || exit 1; done
	install -D -m 0644 conf/plusmoin.sysusers $(DESTDIR)$(prefix)/lib/sysusers.d/plusmoin.conf
	install -D -m 0644 conf/completion.bash $(DESTDIR)$(prefix)/share/bash-completion/completions/plusmoin
	install -D -m 0644 $(BUILD)/man/plusmoin.8 $(DESTDIR)$(prefix)/share/man/man8/plusmoin.8
	install -D -m 0644 $(BUILD)/man/plusmoin.conf.5 $(DESTDIR)$(prefix)/share/man/man5/plusmoin.conf.5
	for page in plusmoin-lua.7 $(PAGES); do \
		install -D -m 0644 $(BUILD)/man/$$page $(DESTDIR)$(prefix)/share/man/man7/$$page || exit 1; done
	install -d $(DESTDIR)$(prefix)/share/plusmoin/lua-types
	install -m 0644 $(LUA_TYPES)/*.lua $(LUA_TYPES)/.luarc.json $(DESTDIR)$(prefix)/share/plusmoin/lua-types
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
SPEC = sh tests/tools/spec.sh
# gcc sees null format strings in the sanitizers' own checks: no errors from that
SAN_NOISE = -Wno-format-truncation -Wno-format-overflow -Wno-maybe-uninitialized -Wno-nonnull -Wno-null-dereference
ASAN = BUILD=build/asan SAN='-fsanitize=address,undefined -fno-omit-frame-pointer $(SAN_NOISE)' OPT='-O1 -g'
TSAN = BUILD=build/tsan SAN='-fsanitize=thread -fno-omit-frame-pointer $(SAN_NOISE)' OPT='-O1 -g'
SANENV = ASAN_OPTIONS=detect_leaks=1 UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1

# Tags in the names of tests: #core ones run with sanitizers, #hostile, #matrix and #long ones in test-long alone.
SPECS := $(wildcard spec/program/*_spec.lua)
CORE_SPECS := $(shell grep -l '\#core' $(SPECS) /dev/null)
TRIGGER_SPECS := $(wildcard spec/triggers/*_spec.lua)
# Its cells in six jobs.
MATRIX = spec/program/matrix_spec.lua
MATRIX_PARTS = 1/6 2/6 3/6 4/6 5/6 6/6
# Leases do not go with busy lanes: it runs alone where it runs for long.
COUNCIL = spec/program/council_spec.lua
# Specs that have jobs of their own.
NOT_PLAIN = $(MATRIX) $(COUNCIL) spec/program/versions_spec.lua spec/program/night_spec.lua spec/program/soak_spec.lua

# $(1): a spec; in `make test-long` those that play at random play for longer.
long = $(if $(filter %/quiet_spec.lua,$(1)),QUIET_ROUNDS=10000 )$(if \
	$(filter %/random_spec.lua %/reload_spec.lua,$(1)),RANDOM_STEPS=1000 )

programs: $(BUILD)/plusmoin

test: deps-test ## build and run all tests (7 minutes on 2 cores)
	@$(MAKE) --no-print-directory -j2 build/plusmoin units rooms build/tests/standin build/tests/etcd-driver \
		build/tests/bench/lua build/tests/bench/size build/tests/bench/mass
	@$(MAKE) --no-print-directory -j2 $(ASAN) units rooms build/asan/plusmoin build/asan/tests/standin \
		build/asan/tests/etcd-driver build/asan/tests/fuzz/loader
	@sh tests/tools/run-tests.sh $(UNITS) $(ROOMS) \
		"build/tests/bench/size 8" \
		"TIMES=1 build/tests/bench/mass 8 1000 2 0" \
		$(ROOM_SRC:tests/rooms/%.c="$(SANENV) build/asan/tests/rooms/%") \
		"$(SANENV) ROUNDS=20000 build/asan/tests/unit/property" \
		"$(SANENV) build/asan/tests/unit/scenarios" \
		"$(SANENV) build/asan/tests/fuzz/loader 300" \
		"$(SPEC) plain spec/unit" \
		$(CORE_SPECS:%="$(SPEC) asan --tags=core %") \
		$(foreach spec,$(filter-out $(NOT_PLAIN),$(SPECS)) $(TRIGGER_SPECS),\
			"$(SPEC) plain --exclude-tags=core,hostile,long $(spec)") \
		"$(SPEC) plain $(COUNCIL)" \
		"nice sh tests/tools/lint.sh"

test-long: deps-long ## all under ASan+UBSan, the core under TSan, big random runs (40 minutes)
	@$(MAKE) --no-print-directory -j2 build/plusmoin units rooms build/tests/standin build/tests/etcd-driver
	@$(MAKE) --no-print-directory -j2 $(ASAN) units rooms build/asan/plusmoin build/asan/tests/standin \
		build/asan/tests/etcd-driver build/asan/tests/fuzz/loader build/asan/tests/bench/size
	@$(MAKE) --no-print-directory -j2 $(TSAN) build/tsan/plusmoin build/tsan/tests/standin build/tsan/tests/etcd-driver
	@sh tests/tools/run-tests.sh \
		$(UNIT_SRC:tests/unit/%.c="$(SANENV) build/asan/tests/unit/%") \
		$(ROOM_SRC:tests/rooms/%.c="$(SANENV) build/asan/tests/rooms/%") \
		"$(SANENV) build/asan/tests/bench/size 20" \
		"SEED=$$(date +%s) ROUNDS=2000000 build/tests/unit/property" \
		"$(SANENV) build/asan/tests/fuzz/loader 10000" \
		"$(SPEC) plain spec/unit" \
		$(MATRIX_PARTS:%="MATRIX_PART=% $(SPEC) asan $(MATRIX)") \
		"$(SPEC) plain --filter=hour $(MATRIX)" \
		"$(SPEC) plain spec/program/night_spec.lua" \
		"SCALE_CLUSTERS=500 $(SPEC) plain spec/program/scale_spec.lua" \
		$(foreach spec,$(filter-out $(NOT_PLAIN),$(SPECS)) $(TRIGGER_SPECS),"$(call long,$(spec))$(SPEC) asan $(spec)") \
		$(foreach spec,$(CORE_SPECS),"$(call long,$(spec))$(SPEC) tsan --tags=core $(spec)") \
		$(CORE_SPECS:%="$(SPEC) plain --tags=core %") \
		$(foreach version,10 13 17 18,"sh tests/tools/versions.sh $(version)") \
		"nice sh tests/tools/suite.sh $(SUITE)" \
		"nice sh tests/tools/dockerfile.sh" \
		"nice sh tests/tools/deb.sh" \
		"nice sh tests/tools/unit.sh" \
		"nice sh tests/tools/lint.sh all"
	@sh tests/tools/run-tests.sh "SOAK_ROUNDS=200000 $(SPEC) plain spec/program/soak_spec.lua"
	@sh tests/tools/run-tests.sh "COUNCIL_FAULTS=60 $(SPEC) plain $(COUNCIL)"

VERSIONS ?= 10 11 12 13 14 15 16 17 18
test-versions: deps-long ## plusmoin on servers of PostgreSQL 10 to 18; VERSIONS="10 18": of these (12 minutes)
	@$(MAKE) --no-print-directory build/plusmoin
	@sh tests/tools/run-tests.sh $(foreach version,$(VERSIONS),"sh tests/tools/versions.sh $(version)")

test-all: ## test, test-long, all versions, and what nobody waits for: random runs ten times as long (hours)
	@$(MAKE) --no-print-directory test
	@$(MAKE) --no-print-directory test-long
	@$(MAKE) --no-print-directory test-versions
	@sh tests/tools/run-tests.sh \
		"SEED=$$(date +%s) ROUNDS=20000000 build/tests/unit/property" \
		"$(SANENV) build/asan/tests/fuzz/loader 100000" \
		"RANDOM_STEPS=10000 $(SPEC) asan spec/program/random_spec.lua" \
		"RANDOM_STEPS=10000 $(SPEC) tsan spec/program/random_spec.lua" \
		"RANDOM_STEPS=10000 $(SPEC) asan spec/program/reload_spec.lua" \
		"QUIET_ROUNDS=100000 $(SPEC) asan spec/program/quiet_spec.lua" \
		"$(SPEC) plain $(MATRIX)"
	@sh tests/tools/run-tests.sh "COUNCIL_FAULTS=200 $(SPEC) plain $(COUNCIL)"

SUITE ?= trixie
test-suite: deps-long ## build and try it on a bare Debian SUITE (bookworm or trixie; 5 minutes)
	@sh tests/tools/suite.sh $(SUITE)

matrix: deps-test ## what plusmoin concludes from each fault of a real server, and how soon, as a table (10 minutes)
	@$(MAKE) --no-print-directory build/plusmoin
	@mkdir -p build && : > build/matrix.tsv && chmod 666 build/matrix.tsv
	@MATRIX=$(CURDIR)/build/matrix.tsv $(SPEC) plain $(MATRIX) > build/matrix.log 2>&1; \
		status=$$?; lua5.4 tests/tools/matrix.lua < build/matrix.tsv; [ $$status -eq 0 ] || cat build/matrix.log; exit $$status

lint: deps-test ## clang's warnings, clang-tidy, cppcheck, luacheck, the layers, circles and sizes of files, of what has changed
	@$(MAKE) --no-print-directory build/plusmoin
	@sh tests/tools/lint.sh

demo: deps-test ## a master, two slaves and plusmoin at work, in under a minute
	@$(MAKE) --no-print-directory build/plusmoin
	@$(LUA_ENV) lua5.4 tests/demo/demo.lua

bench-scale: ## what a node costs, beside libpq alone, for 100 to 5,000 nodes (10 minutes)
	@sh tests/tools/deps.sh bench
	@$(MAKE) --no-print-directory build/plusmoin build/tests/standin build/tests/bench/floor
	@ulimit -n 65536 2> /dev/null || ulimit -n $$(ulimit -H -n); \
		$(LUA_ENV) taskset -c $$(($$(nproc) - 1)) lua5.4 tests/bench/scale.lua

bench: ## numbers, beside a yardstick of the same run
	@sh tests/tools/deps.sh bench
	@$(MAKE) --no-print-directory build/plusmoin build/tests/bench/lua build/tests/bench/size build/tests/bench/mass \
		build/tests/bench/floor build/tests/bench/load build/tests/standin
	@$(LUA_ENV) lua5.4 tests/bench/events.lua
	@$(LUA_ENV) lua5.4 tests/bench/deaths.lua
	@$(LUA_ENV) lua5.4 tests/bench/console.lua
	@$(LUA_ENV) lua5.4 tests/bench/proxies.lua
	@$(LUA_ENV) lua5.4 tests/bench/servers.lua
	@$(LUA_ENV) lua5.4 tests/bench/council.lua
	@ulimit -n 65536 2> /dev/null || ulimit -n $$(ulimit -H -n); $(LUA_ENV) lua5.4 tests/bench/window.lua
	@build/tests/bench/size
	@build/tests/bench/mass
	@build/tests/bench/lua latency
	@build/tests/bench/lua rate
	@build/tests/bench/lua hostile
	@build/tests/bench/lua waiting
