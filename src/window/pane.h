/*
 * A pane is what the window shows: the fleet as it was at one moment. The monitor's thread makes one when something
 * that is shown has changed, and the window's thread answers from the newest. It is immutable, its references are
 * atomic.
 */
#pragma once

#include "core/board.h"

struct pane {
	atomic_uint references;
	struct board *board; /* a reference */
	bool has_started;    /* the first rounds are over: /ready */
	bool is_isolated;    /* the monitor hears no other host (P7) */
	int64_t isolated_ms; /* wall clock time at which it became isolated */
	char *stand;         /* whether this monitor acts, in words; NULL: there is no other monitor */
};

/* Makes a pane with one reference, the caller's, and takes a reference of the board. Monitor thread. */
struct pane *pane_new(struct board *board);
struct pane *pane_ref(struct pane *pane);

/* Accepts NULL, and clears the pointer. */
void pane_unref(struct pane **pane);
