/*
 * What people and triggers are shown of one node: immutable, one block of memory, shared by all pictures
 * (view.h) in which the node has not changed. Counted atomically: any thread may hold one and drop it.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/condition.h"

struct node_view {
	atomic_uint references;
	int port; /* the first field that a copy takes over */
	int cluster_id; /* -1: clusterless */
	bool is_slave;
	bool has_lag;
	enum place state;
	enum condition condition;
	enum reason reason; /* why it is down */
	int server_version; /* 0: never seen */
	enum rule placed_by; /* the rule that put it into its place; RULE_NONE: it began there */
	enum rule ruled;     /* the rule that spoke last for it */
	int64_t lag_ms;
	int64_t judged_lag_ms; /* its lag when the last round of its cluster ended; 0 if that was unknown, too */
	int64_t lag_bar_ms;    /* the bar for lag_is_over() (lag.h), which says whether it is too far behind */
	int64_t since_ms;   /* wall clock, when it last changed its place */
	struct node_meter *meter; /* a reference; NULL: nobody measures it */
	const char *host;   /* this and the texts below lie in the block */
	const char *name;
	const char *master_name;
	const char *message; /* NULL: none */
	const char *failing; /* reason and words of a failure that does not count yet (P1-P5); NULL: none */
	const char *first;   /* who sat first in a dispute (dispute.h) in which this node is the second; NULL: none */
	const char *text;    /* the node as JSON with the seed's keys, as the status file and commands have it */
	size_t text_bytes;
	size_t bytes; /* of the block */
};

/*
 * Makes a copy of `what`, with one reference, the caller's. `text` is rendered if it is NULL; else it is copied, and
 * has to be the JSON of the same host, port, cluster, role and master. Other texts that are NULL stay NULL; host, name
 * and master_name must not be NULL.
 */
struct node_view *node_view_new(const struct node_view *what);

/* Makes a copy of the node with another reason and message (NULL: none), with one reference, the caller's. */
struct node_view *node_view_with_reason(const struct node_view *node, enum reason reason, const char *message);
struct node_view *node_view_ref(struct node_view *view);

/* NULL allowed; clears the pointer. */
void node_view_unref(struct node_view **view);
