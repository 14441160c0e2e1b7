/*
 * The likeness of a configuration: hashes by which monitors of one fleet see whether their settings are the same. They
 * cover what should be alike everywhere, and nothing that may differ between machines (files, logins, window). Pure.
 */
#pragma once

#include "core/config.h"

enum likeness {
	LIKENESS_NODES,    /* which nodes, with their names and own delays */
	LIKENESS_RULES,    /* settings that decide when a node is down or out of sync */
	LIKENESS_TRIGGERS, /* what runs on which event */
	LIKENESSES
};

#define LIKENESS_BYTES (LIKENESSES * 9) /* eight digits each, with "-" between, terminated */

/* Writes all of them as one text: "0f1e2d3c-...". */
void likeness_write(const struct config *config, char out[LIKENESS_BYTES]);

/* Whether that part of both texts is the same. */
bool likeness_same(const char *a, const char *b, enum likeness part);

/* "nodes", "rules", "triggers". */
const char *likeness_name(enum likeness part);
