/*
 * Whether two monitors of one fleet have the same settings: hashes of what should be alike everywhere, and of nothing that
 * may differ from machine to machine (files, logins, the window). Pure.
 */
#pragma once

#include "core/config.h"

enum likeness {
	LIKENESS_NODES,    /* which nodes, with their names and own delays */
	LIKENESS_RULES,    /* what decides when somebody is down */
	LIKENESS_TRIGGERS, /* what runs on which event */
	LIKENESSES
};

#define LIKENESS_BYTES (LIKENESSES * 9) /* eight digits each, with "-" between, terminated */

/* All of them as one text: "0f1e2d3c-...". */
void likeness_write(const struct config *config, char out[LIKENESS_BYTES]);

/* Whether that part of both texts is the same. */
bool likeness_same(const char *a, const char *b, enum likeness part);

/* "nodes", "rules", "triggers". */
const char *likeness_name(enum likeness part);
