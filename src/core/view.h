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
#include "core/condition.h"

struct node_view {
	char *host;
	int port;
	int cluster_id; /* -1: clusterless */
	bool is_slave;
	char *master_name;
	char *name;
	enum place state;
	enum condition condition;
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
	int cluster_id; /* -1: the clusterless nodes, or of an event without a cluster none */
	struct node_view *nodes; /* the master if any, slaves, lost; or the clusterless */
	size_t masters;          /* 0 or 1 */
	size_t slaves;
	size_t lost;
	size_t clusterless;
	char *text; /* as the status file has it; NULL: made by hand */
	size_t text_bytes;
};

/* One node as it is now; ended by node_view_clear(). */
struct node_view node_view_of(const struct node *node);
void node_view_clear(struct node_view *view);

/* The picture of `cluster`, or (NULL) of the clusterless nodes. */
struct view *view_new(const struct fleet *fleet, const struct cluster *cluster);

/* The picture of no cluster and no node. */
struct view *view_new_empty(void);

/* Whether the picture still shows all of these nodes as they are. */
bool view_is_current(const struct view *view, const struct fleet *fleet,
		     const struct cluster *cluster);

/* The same of the node that the picture has at this place. */
bool view_shows(const struct view *view, size_t place, const struct node *node);

/* How many nodes it has. */
size_t view_size(const struct view *view);

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
	struct view *view;   /* of its cluster */
	struct view *others; /* of the clusterless nodes */
	bool has_node;
	struct node_view node; /* the one it fired for, as it is after the round */
	bool has_rival; /* of split_brain: */
	struct node_view rival;
	enum rule rule;
	struct node_view *witnesses; /* of master_unreachable: the slaves that still hear it (P6) */
	size_t witness_count;
	bool restored; /* a difference to what the state file held, or its plusmoin_up */
};

/* An event without a node; takes its own references of both pictures. */
struct event *event_new(enum event_kind kind, const char *id, struct view *view,
			struct view *others, int64_t time_ms);

/* Says for which node, by which rule and why it fired. Before it is shared. */
void event_set_node(struct event *event, const struct node *node, enum rule rule,
		    enum reason reason, const char *message);

/* The nodes that vouch for the master. Before it is shared. */
void event_set_witnesses(struct event *event, const struct list *nodes);

/* The other one of a split_brain. Before it is shared. */
void event_set_rival(struct event *event, const struct node *rival);
struct event *event_ref(struct event *event);
void event_unref(struct event **event);

/* A trigger's stdin: exactly the seed's keys, one line. */
void event_render(const struct event *event, struct buf *out);

/*
 * The status file's object for a cluster, or (of the clusterless nodes) its array; with `full`
 * each node has all that is known of it, as the control socket shows it.
 */
struct json;
void view_render(const struct view *view, bool full, struct json *json);

/*
 * The same in parts: the nodes from `from` up to `to`, with what stands before them, and when `to` is the last one with
 * what stands behind. The parts follow one another, from 0 to view_size().
 */
void view_render_part(const struct view *view, size_t from, size_t to, bool full, struct json *json);

/* The object for one node. */
void node_view_render(const struct node_view *node, bool full, struct json *json);
