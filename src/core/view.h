/*
 * What people and triggers see: immutable pictures of a cluster and of an event, that can cross threads. A picture
 * holds its nodes (node_view.h) in pages (view_page.h) by their configured order; a later picture shares with an
 * earlier one each node, and each page of nodes, in which nothing has changed. So the pictures of many events cost the
 * nodes once and each change once. Counted atomically: any thread may hold and drop them; the monitor makes them.
 */
#pragma once

#include "base/buf.h"
#include "base/json.h"
#include "core/view_page.h"
#include "core/votes.h"

struct view {
	atomic_uint references;
	int cluster_id; /* -1: the clusterless nodes, or of an event without a cluster none */
	const struct node_view *master; /* lies in a page; NULL: there is none */
	size_t masters; /* 0 or 1 */
	size_t slaves;
	size_t lost;
	size_t clusterless;
	struct view_page **pages; /* by their first order, none is empty */
	size_t page_count;
	struct cluster_meter *meter; /* the cluster's, a reference; NULL: it is the picture of none */
};

/* The node as it is now. The node's own reference: who keeps it takes another one. Monitor thread. */
struct node_view *node_view_of(const struct node *node);

/* The picture of `cluster`, or (NULL) of the clusterless nodes. */
struct view *view_new(const struct fleet *fleet, const struct cluster *cluster);

/* The picture of no cluster and no node. */
struct view *view_new_empty(void);

/*
 * Puts a node, of which it takes a reference, into the place of this order, or (NULL) empties that. The picture is
 * the caller's alone.
 */
void view_put(struct view *view, size_t order, struct node_view *node);

/* The picture of the same nodes, which the caller may change: a copy that shares the pages. */
struct view *view_copy(const struct view *view);

/*
 * Makes `*view`, the caller's reference, the picture of the nodes as they are; what is right stays as it is.
 * Returns whether it is another one now.
 */
bool view_renew(struct view **view, const struct fleet *fleet, const struct cluster *cluster);

/* What is there of that order; NULL: nothing. The picture's. */
struct node_view *view_find(const struct view *view, size_t order);

/* How many bytes of the picture `beside` does not hold as well; `beside` NULL: all of them. */
size_t view_bytes(const struct view *view, const struct view *beside);
struct view *view_ref(struct view *view);

/* NULL allowed; clears the pointer. */
void view_unref(struct view **view);

/* A way through the nodes that are in one place, in configured order, or through all, one place after the other. */
struct view_walk {
	const struct view *view;
	enum place place;
	bool all;
	size_t count; /* so many were passed */
	size_t page;
	size_t at; /* in that page */
};

struct view_walk view_walk(const struct view *view, enum place place);

/* The master if any, slaves, lost; or the clusterless. */
struct view_walk view_walk_all(const struct view *view);

/* How many nodes it has. */
size_t view_size(const struct view *view);

/* The next one, NULL: no more. The picture's. */
const struct node_view *view_walk_next(struct view_walk *walk);

struct event {
	atomic_uint references;
	enum event_kind kind;
	char id[48];     /* "<start second>-<n>" */
	int64_t time_ms; /* wall clock */
	int cluster_id;
	int came_from; /* the cluster that its node left in this round; -1: none */
	struct view *view;   /* of its cluster */
	struct view *others; /* of the clusterless nodes */
	struct node_view *node;  /* the one it fired for, as it is after the round; NULL: none */
	struct node_view *rival; /* of split_brain; else NULL */
	enum rule rule;
	struct node_view **witnesses; /* of master_unreachable: the slaves that still hear it (P6) */
	size_t witness_count;
	int64_t failed_ms; /* steady: the first failed look of the run of them that its node is in; INT64_MIN: in none */
	struct votes *votes; /* what the monitors have said of its node; NULL: they were not asked */
	bool restored; /* a difference to what the state file held, or its plusmoin_up */
	int64_t term; /* under which this monitor acts; 0: there is no other one */
	bool again; /* for an action that another monitor had started, and did not end */
	char *silenced; /* in which silence it fell when it fired, in words (core/silences.h); NULL: in none */
};

/* An event without a node; takes its own references of both pictures. */
struct event *event_new(enum event_kind kind, const char *id, struct view *view,
			struct view *others, int64_t time_ms);

/* Says for which node, by which rule and why it fired. Before it is shared. */
void event_set_node(struct event *event, const struct node *node, enum rule rule,
		    enum reason reason, const char *message);

/* The nodes that vouch for the master. Before it is shared. */
void event_set_witnesses(struct event *event, const struct list *nodes);

/* What the monitors have said of its node; copied. Before it is shared. */
void event_set_votes(struct event *event, const struct votes *votes);

/* The other one of a split_brain. Before it is shared. */
void event_set_rival(struct event *event, const struct node *rival);

/* Under which term it is told. Before it is shared. */
void event_set_term(struct event *event, int64_t term);

/* Says that its triggers do not run, as it falls in a silence; copied. Before it is shared. */
void event_set_silenced(struct event *event, const char *words);

/* The same event for an action that runs once more; the caller's reference. */
struct event *event_again(const struct event *event);

/* How many bytes the event and its pictures take where `view` and `others` are held already. */
size_t event_bytes(const struct event *event, const struct view *view, const struct view *others);
struct event *event_ref(struct event *event);
void event_unref(struct event **event);

/* A trigger's stdin: exactly the seed's keys, one line. */
void event_render(const struct event *event, struct buf *out);

/*
 * The status file's object for a cluster, or (of the clusterless nodes) its array; with `full`
 * each node has all that is known of it, as the control socket shows it.
 */
void view_render(const struct view *view, bool full, struct json *json);

/*
 * The same in parts: the next `nodes` of a way through all (view_walk_all()), with what stands before them, and with the
 * last one what stands behind.
 */
void view_render_part(struct view_walk *walk, size_t nodes, bool full, struct json *json);

/* The object for one node. */
void node_view_render(const struct node_view *node, bool full, struct json *json);
