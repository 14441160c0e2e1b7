/*
 * Makes an event anew of what another monitor has stored of it (core/event_record.h): its node, rival and witnesses
 * are as they were then, the clusters' pictures those of this monitor's board.
 */
#pragma once

#include "core/board.h"
#include "core/event_record.h"

/*
 * Reads one record, the caller's to end with event_record_clear(). Where the board has no such cluster the event
 * shows an empty one of its id. False, and nothing is to be freed but `*why`: it cannot be read.
 */
bool event_reading_make(const char *text, size_t len, const struct board *board, struct event_record *record,
			char **why);
