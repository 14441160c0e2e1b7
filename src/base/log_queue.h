/*
 * The lines that wait for the log thread, in order, bounded in lines and bytes. When there is no room for
 * a new line, the oldest of those that matter less is dropped; if there is none, the new line is. So
 * errors are the last to be dropped. Not shared between threads: the log's lock guards it.
 */
#pragma once

#include <sys/queue.h>

#include "base/log_text.h"

#define LOG_QUEUE_LINES 4096
#define LOG_QUEUE_BYTES ((size_t)8 << 20)

/* How much a line matters, least first. A user's own lines (errors, too) may fill half of the queue at most. */
enum log_worth { WORTH_USER, WORTH_CHANGE, WORTH_WARNING, WORTH_ERROR, LOG_WORTHS };

struct log_waiting;
TAILQ_HEAD(log_waiting_list, log_waiting);

struct log_queue {
	struct log_waiting_list all;
	struct log_waiting_list of_worth[LOG_WORTHS];
	size_t count, bytes;
	size_t user_count, user_bytes; /* of the users' own lines among these */
	unsigned long lost; /* lines that were dropped and not reported yet */
	unsigned long lost_ever; /* all lines that were dropped */
};

void log_queue_init(struct log_queue *queue);

/* Queues the line or drops it; takes it over in both cases. `spare`: it is a user's own. */
void log_queue_put(struct log_queue *queue, struct log_text line, bool spare);

/* Takes out the next line, whose text the caller frees; false: none waits. */
bool log_queue_take(struct log_queue *queue, struct log_text *line);

/* Returns how many lines were dropped since it last said so; 0 also while the queue is more than a quarter full. */
unsigned long log_queue_lost(struct log_queue *queue);
