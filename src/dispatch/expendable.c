#include "dispatch/expendable.h"

static bool is_of_that_kind(enum event_kind kind)
{
	return kind == EVENT_SLAVE_DOWN || kind == EVENT_SLAVE_UP || kind == EVENT_NODE_HELD || kind == EVENT_HEARTBEAT;
}

void expendable_add(struct run *run)
{
	struct queue *queue = run->queue;

	if (!is_of_that_kind(run->event->kind))
		return;
	run->may_go = true;
	queue->expendable_bytes += run->bytes;
	if (run->event->kind == EVENT_HEARTBEAT)
		TAILQ_INSERT_HEAD(&queue->expendable, run, in_expendable);
	else
		TAILQ_INSERT_TAIL(&queue->expendable, run, in_expendable);
}

void expendable_remove(struct run *run)
{
	if (!run->may_go)
		return;
	run->may_go = false;
	run->queue->expendable_bytes -= run->bytes;
	TAILQ_REMOVE(&run->queue->expendable, run, in_expendable);
}

struct run *expendable_first(const struct queue *queue)
{
	return queue != NULL ? TAILQ_FIRST(&queue->expendable) : NULL;
}

static void look_for_fullest(struct queues *queues)
{
	queues->fullest_bytes = 0;
	for (size_t i = 0; i < QUEUE_CHAINS; i++) {
		struct queue *queue = LIST_FIRST(&queues->chains[i]);

		for (; queue != NULL; queue = LIST_NEXT(queue, in_chain)) {
			if (queue->expendable_bytes <= queues->fullest_bytes)
				continue;
			queues->fullest_bytes = queue->expendable_bytes;
			queues->fullest = queue;
		}
	}
}

struct queue *expendable_fullest(struct queues *queues)
{
	if (queues->fullest != NULL && queues->fullest->expendable_bytes <= queues->fullest_bytes / 2)
		queues->fullest = NULL;
	if (queues->fullest == NULL)
		look_for_fullest(queues);
	return queues->fullest;
}
