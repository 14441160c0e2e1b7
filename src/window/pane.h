/*
 * What the window shows: the fleet as it was at one moment, a pane. Immutable, counted atomically: the monitor's thread makes
 * one when something that people are shown has changed, the window's thread answers from the newest.
 */
#pragma once

#include "core/board.h"

struct pane {
	atomic_uint references;
	struct board *board; /* a reference */
	bool has_started;    /* the first rounds are over: /ready */
	bool is_isolated;    /* the monitor hears no other host (P7), */
	int64_t isolated_ms; /* since then, wall clock */
	char *stand;         /* whether this monitor acts, in words; NULL: there is no other one */
};

/* With one reference, the caller's; takes a reference of the board. Monitor thread. */
struct pane *pane_new(struct board *board);
struct pane *pane_ref(struct pane *pane);

/* NULL allowed; clears the pointer. */
void pane_unref(struct pane **pane);
