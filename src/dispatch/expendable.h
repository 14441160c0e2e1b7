/*
 * Expendable runs are those that are dropped where too much waits: a heartbeat that waits, then the oldest slave_down,
 * slave_up or node_held of which no action has begun; never a master's event. expendable_fullest() sometimes looks at
 * all queues, the other functions at none. Monitor's loop.
 */
#pragma once

#include "dispatch/queue.h"

/* Makes a run that has just been queued expendable, if its event is of such a kind. */
void expendable_add(struct run *run);

/* The run has begun, or leaves its queue, so it is not expendable any more. Does nothing if it was not. */
void expendable_remove(struct run *run);

/* The first run of the queue (NULL allowed) to be dropped; NULL: none may be. */
struct run *expendable_first(const struct queue *queue);

/* The queue with most expendable bytes, or one that had most and still has half of them; NULL: none is expendable. */
struct queue *expendable_fullest(struct queues *queues);
