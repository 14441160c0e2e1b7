/*
 * The verbs of the command line, a row each: what may stand beside the verb, and which function carries it out. Their
 * words for people are in lua/plusmoin/verbs.lua and main.c's usage.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#define VERB_WORDS 102 /* words behind a verb at most: a target, a duration, and a reason (SILENCE_REASON_BYTES) */

struct verb_call {
	const char *config; /* the configuration's absolute path */
	const char *words[VERB_WORDS]; /* NULL: not given */
	bool foreground; /* -x */
	bool json;       /* --json */
	bool list;       /* --list */
	const char *end; /* --end TARGET; NULL: not given */
	const char *code; /* -e; NULL: not given */
	const char *file; /* -f; NULL: not given */
};

struct verb {
	const char *name;
	size_t words_least;
	size_t words_most;
	bool takes_foreground;
	bool takes_json;
	bool takes_end; /* takes --end and --list */
	bool takes_code; /* takes -e or -f */
	const char *lacks; /* the message when there are fewer words than it needs */
	int (*run)(const struct verb_call *call); /* returns an exit status */
};

/* NULL: there is no such verb. */
const struct verb *verb_find(const char *name);
