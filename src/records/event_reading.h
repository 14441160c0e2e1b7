/*
 * Makes an event again from the record that another monitor has stored of it (core/event_record.h). Its node, rival and
 * witnesses are as they were then; the views of the clusters are those of this monitor's board.
 */
#pragma once

#include "core/board.h"
#include "core/event_record.h"

/*
 * Reads one record, which the caller ends with event_record_clear(). If the board does not have the event's cluster,
 * the event shows an empty one of its id. False: it cannot be read, and only `*why` is to be freed.
 */
bool event_reading_make(const char *text, size_t len, const struct board *board, struct event_record *record,
			char **why);
