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
	int port; /* first of what is copied */
	int cluster_id; /* -1: clusterless */
	bool is_slave;
	bool has_lag;
	enum place state;
	enum condition condition;
	enum reason reason; /* why it is down */
	int server_version; /* 0: never seen */
	enum rule placed_by; /* the rule that put it into its place; RULE_NONE: it begins there */
	enum rule ruled;     /* the rule that spoke last for it */
	int64_t lag_ms;
	int64_t judged_lag_ms; /* when its last round ended, which is no later than lag_ms; 0: also unknown */
	int64_t lag_bar_ms;    /* lag_is_over() of lag.h says of it whether the node is too far behind */
	int64_t since_ms;   /* wall clock */
	struct node_meter *meter; /* a reference; NULL: nobody measures it */
	const char *host;   /* these lie in the block */
	const char *name;
	const char *master_name;
	const char *message; /* NULL: none */
	const char *failing; /* reason and words of a failure that does not count yet (P1-P5); NULL: none */
	const char *first;   /* of two masters of one origin it is the second, who sat first is this one; NULL: it is not */
	const char *text;    /* the node as JSON with the seed's keys, as the status file and commands have it */
	size_t text_bytes;
	size_t bytes; /* of the block */
};

/*
 * A copy of `what`, with one reference, the caller's. Where `text` is NULL it is rendered; else it is copied, and
 * has to be the JSON of the same host, port, cluster, role and master. What is NULL in `what` stays NULL, but host,
 * name and master_name must not be.
 */
struct node_view *node_view_new(const struct node_view *what);

/* A copy of the node, but for its reason and words (NULL: none); the caller's reference. */
struct node_view *node_view_with_reason(const struct node_view *node, enum reason reason, const char *message);
struct node_view *node_view_ref(struct node_view *view);

/* NULL allowed; clears the pointer. */
void node_view_unref(struct node_view **view);
