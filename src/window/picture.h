/*
 * What the window shows: the fleet as it was at one moment. Immutable, counted atomically: the monitor's thread makes
 * one when something that people are shown has changed, the window's thread answers from the newest.
 */
#pragma once

#include "core/board.h"

struct picture {
	atomic_uint references;
	struct board *board; /* a reference */
	bool has_started;    /* the first rounds are over: /ready */
	bool is_isolated;    /* the monitor hears no other host (P7), */
	int64_t isolated_ms; /* since then, wall clock */
};

/* With one reference, the caller's; takes a reference of the board. Monitor thread. */
struct picture *picture_new(struct board *board);
struct picture *picture_ref(struct picture *picture);

/* NULL allowed; clears the pointer. */
void picture_unref(struct picture **picture);
