# plusmoin: `make help` lists what there is to make.

prefix ?= /usr/local
DESTDIR ?=
CC = gcc
BUILD ?= build
PKGS = libpq libuv lua5.4 jansson
CSTD = -std=gnu11 -D_GNU_SOURCE
WARN = -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith \
       -Wwrite-strings -Wundef -Wformat=2 -Wvla
OPT ?= -O2 -g
SAN ?=
CFLAGS ?= $(OPT)
VERSION := 0.1.0

LIBS_CFLAGS := $(shell pkg-config --cflags $(PKGS) 2>/dev/null)
LIBS_LIBS := $(shell pkg-config --libs $(PKGS) 2>/dev/null)
ALL_CFLAGS = $(CSTD) $(WARN) $(CFLAGS) $(SAN) -Isrc -I$(BUILD) $(LIBS_CFLAGS) -pthread \
             -DPLUSMOIN_VERSION='"$(VERSION)"' -DPLUSMOIN_PREFIX='"$(prefix)"'
ALL_LDFLAGS = $(LDFLAGS) $(SAN) -pthread

# V=1 shows whole commands.
V ?= 0
quiet_0 = @printf '  %-6s %s\n' $(1) $(2);
quiet = $(quiet_$(V))

LIB_SRC := $(wildcard src/base/*.c src/core/*.c)
ALL_SRC := $(LIB_SRC) $(wildcard src/io/*.c src/monitor/*.c src/dispatch/*.c src/script/*.c src/*.c)
LIB_OBJ := $(LIB_SRC:src/%.c=$(BUILD)/obj/%.o)
ALL_OBJ := $(ALL_SRC:src/%.c=$(BUILD)/obj/%.o) $(BUILD)/obj/embedded.o
LUA_SRC := $(shell find lua/plusmoin -name '*.lua' 2>/dev/null | sort)

UNIT_SRC := $(wildcard tests/unit/*.c)
UNITS := $(UNIT_SRC:tests/unit/%.c=$(BUILD)/tests/unit/%)

.PHONY: all deps deps-test help clean install lint demo test test-long bench unit programs

all: deps ## build build/plusmoin (installs what is missing)
	@$(MAKE) --no-print-directory $(BUILD)/plusmoin

help: ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

deps: ## install what a build needs (Debian)
	@sh tests/tools/deps.sh build

deps-test: ## install what the tests need as well
	@sh tests/tools/deps.sh test

$(BUILD)/plusmoin: $(ALL_OBJ)
	$(call quiet,LD,$@)$(CC) $(ALL_LDFLAGS) -o $@ $(ALL_OBJ) $(LIBS_LIBS)

$(BUILD)/obj/%.o: src/%.c Makefile
	@mkdir -p $(@D)
	$(call quiet,CC,$@)$(CC) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

$(BUILD)/embedded.c: tests/tools/embed.lua $(LUA_SRC)
	@mkdir -p $(@D)
	$(call quiet,EMBED,$@)lua5.4 tests/tools/embed.lua $(LUA_SRC) > $@.tmp && mv $@.tmp $@

$(BUILD)/obj/embedded.o: $(BUILD)/embedded.c
	@mkdir -p $(@D)
	$(call quiet,CC,$@)$(CC) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

$(BUILD)/libcore.a: $(LIB_OBJ)
	$(call quiet,AR,$@)rm -f $@ && ar rcs $@ $(LIB_OBJ)

# Unit tests link base and core alone: a test that needed more would not link.
$(BUILD)/tests/unit/%: tests/unit/%.c $(BUILD)/libcore.a
	@mkdir -p $(@D)
	$(call quiet,LD,$@)$(CC) $(ALL_CFLAGS) -Itests -MMD -MP -MF $@.d -o $@ $< $(BUILD)/libcore.a \
		$(ALL_LDFLAGS) -lcmocka

units: $(UNITS)

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)

install: all ## install into $(DESTDIR)$(prefix)
	install -D -m 0755 $(BUILD)/plusmoin $(DESTDIR)$(prefix)/bin/plusmoin
	install -D -m 0644 conf/plusmoin.json $(DESTDIR)$(prefix)/share/doc/plusmoin/examples/plusmoin.json
	install -D -m 0644 conf/plusmoin.lua $(DESTDIR)$(prefix)/share/doc/plusmoin/examples/plusmoin.lua
	install -D -m 0644 README.md $(DESTDIR)$(prefix)/share/doc/plusmoin/README.md
	install -D -m 0644 LICENSE $(DESTDIR)$(prefix)/share/doc/plusmoin/LICENSE

clean: ## remove what was built
	rm -rf $(BUILD)
