/*
 * The runs that are dropped where too much waits: a heartbeat that waits, then the oldest event of a slave, or of a node
 * that is held, of which nothing has begun. expendable_fullest() looks at all queues now and then, the others at none.
 * Monitor's loop.
 */
#pragma once

#include "dispatch/queue.h"

/* The run, which has just been queued, may have to go, if its event is of such a kind. */
void expendable_add(struct run *run);

/* It stays, or leaves its queue; nothing if it was not among them. */
void expendable_remove(struct run *run);

/* The first that goes where the queue (NULL: there is none) holds too much; NULL: nothing may go. */
struct run *expendable_first(const struct queue *queue);

/* The queue of which most may go, or one that was that and has half of it still; NULL: nothing may go. */
struct queue *expendable_fullest(struct queues *queues);
