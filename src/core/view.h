/*
 * What people and triggers see: immutable pictures of a cluster and of an
 * event, that can cross threads. Counted atomically: any thread may hold and
 * drop them; they are made by the monitor.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "core/fleet.h"

struct node_view {
	char *host;
	int port;
	int cluster_id; /* -1: clusterless */
	bool is_slave;
	char *master_name;
	char *name;
	enum place state;
	bool has_lag;
	int64_t lag_ms;
	enum reason reason; /* why it is down */
	char *message;      /* NULL: none */
	char *failing;      /* reason and words of a failure that does not count yet (P1-P5); NULL: none */
	int64_t since_ms;   /* wall clock */
	int server_version; /* 0: never seen */
};

struct view {
	atomic_uint references;
	int cluster_id; /* -1: none */
	struct node_view *nodes; /* the master if any, slaves, lost, clusterless */
	size_t masters;          /* 0 or 1 */
	size_t slaves;
	size_t lost;
	size_t clusterless;
};

/* One node as it is now; ended by node_view_clear(). */
struct node_view node_view_of(const struct node *node);
void node_view_clear(struct node_view *view);

/* The picture of `cluster` (NULL: the clusterless nodes alone), with all clusterless nodes. */
struct view *view_new(const struct fleet *fleet, const struct cluster *cluster);
struct view *view_ref(struct view *view);

/* NULL allowed; clears the pointer. */
void view_unref(struct view **view);

struct event {
	atomic_uint references;
	enum event_kind kind;
	char id[48];     /* "<start second>-<n>" */
	int64_t time_ms; /* wall clock */
	int cluster_id;
	int came_from; /* the cluster that its node left in this round; -1: none */
	struct view *view;
	bool has_node;
	struct node_view node; /* the one it fired for, as it is after the round */
	enum rule rule;
	bool restored; /* a difference to what the state file held, or its plusmoin_up */
};

/* An event without a node; takes its own reference of `view`. */
struct event *event_new(enum event_kind kind, const char *id, struct view *view, int64_t time_ms);

/* Says for which node, by which rule and why it fired. Before it is shared. */
void event_set_node(struct event *event, const struct node *node, enum rule rule,
		    enum reason reason, const char *message);
struct event *event_ref(struct event *event);
void event_unref(struct event **event);

/* A trigger's stdin: exactly the seed's keys, one line. */
void event_render(const struct event *event, struct buf *out);

/* The status file: exactly the seed's keys. */
void status_render(const struct fleet *fleet, struct buf *out);

/* The control socket's `"clusters":[...],"clusterless":[...]`, with all that is known of a node. */
struct json;
void status_render_full(const struct fleet *fleet, struct json *json);

/* The same object for one node. */
void node_render_full(const struct node *node, struct json *json);
