/*
 * The lines that wait for the log thread, in order: so many lines and bytes at the most. Where there is
 * no room for one, the oldest of those that matter less goes; if there is none, the new one. So errors
 * are the last to be dropped. Not shared between threads: the log's lock guards it.
 */
#pragma once

#include <sys/queue.h>

#include "base/log_text.h"

#define LOG_QUEUE_LINES 4096
#define LOG_QUEUE_BYTES ((size_t)8 << 20)

/* What matters more comes later. A user's own lines, errors too, have half of the room at the most. */
enum log_worth { WORTH_USER, WORTH_CHANGE, WORTH_WARNING, WORTH_ERROR, LOG_WORTHS };

struct log_waiting;
TAILQ_HEAD(log_waiting_list, log_waiting);

struct log_queue {
	struct log_waiting_list all;
	struct log_waiting_list of_worth[LOG_WORTHS];
	size_t count, bytes;
	size_t user_count, user_bytes; /* of these */
	unsigned long lost; /* lines that were dropped and are not told yet, */
	unsigned long lost_ever; /* and all */
};

void log_queue_init(struct log_queue *queue);

/* Takes the line over, whether it waits or is dropped. `spare`: a user's own. */
void log_queue_put(struct log_queue *queue, struct log_text line, bool spare);

/* The next line, which is the caller's then; false: none waits. */
bool log_queue_take(struct log_queue *queue, struct log_text *line);

/* How many lines were dropped, once there is room again; 0: none, or not yet. Told once. */
unsigned long log_queue_lost(struct log_queue *queue);
