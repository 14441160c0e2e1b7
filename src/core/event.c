/* Events: the functions that view.h declares for them. */
#include <stdlib.h>

#include "base/mem.h"
#include "base/text.h"
#include "core/view.h"

struct event *event_new(enum event_kind kind, const char *id, struct view *view,
			struct view *others, int64_t time_ms)
{
	struct event *event = mem_zalloc(1, sizeof(*event));

	atomic_init(&event->references, 1);
	event->kind = kind;
	text_copy(event->id, sizeof(event->id), id);
	event->time_ms = time_ms;
	event->view = view_ref(view);
	event->others = view_ref(others);
	event->cluster_id = view->cluster_id;
	event->came_from = -1;
	event->failed_ms = INT64_MIN;
	return event;
}

void event_set_node(struct event *event, const struct node *node, enum rule rule,
		    enum reason reason, const char *message)
{
	struct node_view *view = node_view_of(node);
	bool is_as_shown = reason == REASON_NONE || (view->reason == reason && text_same(view->message, message));

	node_view_unref(&event->node);
	event->node = is_as_shown ? node_view_ref(view) : node_view_with_reason(view, reason, message);
	event->rule = rule;
	event->failed_ms = node->failure.attempts > 0 ? node->failure.since_ms : INT64_MIN;
}

void event_set_witnesses(struct event *event, const struct list *nodes)
{
	event->witnesses = mem_zalloc(nodes->count, sizeof(struct node_view *));
	for (size_t i = 0; i < nodes->count; i++)
		event->witnesses[event->witness_count++] = node_view_ref(node_view_of(nodes->items[i]));
}

void event_set_votes(struct event *event, const struct votes *votes)
{
	votes_free(&event->votes);
	event->votes = votes_copy(votes);
}

void event_set_rival(struct event *event, const struct node *rival)
{
	node_view_unref(&event->rival);
	event->rival = node_view_ref(node_view_of(rival));
}

void event_set_term(struct event *event, int64_t term)
{
	event->term = term;
}

void event_set_silenced(struct event *event, const char *words)
{
	free(event->silenced);
	event->silenced = mem_strdup(words);
}

static struct node_view *node_of(struct node_view *node)
{
	return node != NULL ? node_view_ref(node) : NULL;
}

struct event *event_again(const struct event *event)
{
	struct event *again = event_new(event->kind, event->id, event->view, event->others, event->time_ms);

	again->cluster_id = event->cluster_id;
	again->came_from = event->came_from;
	again->node = node_of(event->node);
	again->rival = node_of(event->rival);
	again->rule = event->rule;
	again->witnesses = mem_zalloc(event->witness_count, sizeof(struct node_view *));
	for (size_t i = 0; i < event->witness_count; i++)
		again->witnesses[again->witness_count++] = node_view_ref(event->witnesses[i]);
	again->votes = votes_copy(event->votes);
	again->restored = event->restored;
	again->term = event->term;
	again->again = true;
	again->silenced = mem_strdup(event->silenced);
	return again;
}

size_t event_bytes(const struct event *event, const struct view *view, const struct view *others)
{
	return sizeof(*event) + (event->node != NULL ? event->node->bytes : 0) +
	       (event->rival != NULL ? event->rival->bytes : 0) + event->witness_count * sizeof(struct node_view *) +
	       view_bytes(event->view, view) + view_bytes(event->others, others);
}

struct event *event_ref(struct event *event)
{
	atomic_fetch_add(&event->references, 1);
	return event;
}

void event_unref(struct event **event_p)
{
	struct event *event = *event_p;

	*event_p = NULL;
	if (event == NULL || atomic_fetch_sub(&event->references, 1) > 1)
		return;
	node_view_unref(&event->node);
	node_view_unref(&event->rival);
	for (size_t i = 0; i < event->witness_count; i++)
		node_view_unref(&event->witnesses[i]);
	free(event->witnesses);
	votes_free(&event->votes);
	free(event->silenced);
	view_unref(&event->view);
	view_unref(&event->others);
	free(event);
}
