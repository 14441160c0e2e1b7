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
	int cluster_id; /* -1: it shows the clusterless nodes, or (of an event without a cluster) no nodes */
	const struct node_view *master; /* lies in a page; NULL: there is none */
	size_t masters; /* 0 or 1 */
	size_t slaves;
	size_t lost;
	size_t clusterless;
	struct view_page **pages; /* sorted by their first order; none is empty */
	size_t page_count;
	struct cluster_meter *meter; /* a reference of the cluster's; NULL: it shows no cluster */
};

/* Returns the node as it is now. The reference is the node's; a caller that keeps it takes its own. Monitor thread. */
struct node_view *node_view_of(const struct node *node);

/* Makes the picture of `cluster`, or (NULL) of the clusterless nodes, with one reference, the caller's. */
struct view *view_new(const struct fleet *fleet, const struct cluster *cluster);

/* Makes a picture of no cluster and no node, with one reference, the caller's. */
struct view *view_new_empty(void);

/*
 * Replaces the node of this order by `node`, of which it takes a reference, or (NULL) removes it. Nobody but the caller
 * may hold the picture.
 */
void view_put(struct view *view, size_t order, struct node_view *node);

/* Makes a copy that shares the pages and that the caller may change; one reference, the caller's. */
struct view *view_copy(const struct view *view);

/*
 * Replaces `*view`, the caller's reference, by a picture of the nodes as they are, which shares with it what has not
 * changed. Returns false and leaves it if nothing has changed.
 */
bool view_renew(struct view **view, const struct fleet *fleet, const struct cluster *cluster);

/* Returns the node of that order, which the picture owns; NULL: there is none. */
struct node_view *view_find(const struct view *view, size_t order);

/* Returns how many bytes of the picture are not shared with `beside` (NULL: all of them). */
size_t view_bytes(const struct view *view, const struct view *beside);
struct view *view_ref(struct view *view);

/* NULL allowed; clears the pointer. */
void view_unref(struct view **view);

/* A walk through the nodes that are in one place, in configured order, or through all, one place after the other. */
struct view_walk {
	const struct view *view;
	enum place place;
	bool all;
	size_t count; /* nodes that were passed */
	size_t page;  /* index of the page of the next node */
	size_t at;    /* index of the next node in that page */
};

struct view_walk view_walk(const struct view *view, enum place place);

/* Walks through the master if there is one, the slaves and the lost nodes; or through the clusterless nodes. */
struct view_walk view_walk_all(const struct view *view);

/* Returns how many nodes the picture has. */
size_t view_size(const struct view *view);

/* Returns the next node, which the picture owns; NULL: there is no more. */
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
	struct node_view *node;  /* the node for which it fired, as it is after the round; NULL: none */
	struct node_view *rival; /* of split_brain: the other master; else NULL */
	enum rule rule;
	struct node_view **witnesses; /* of master_unreachable: the slaves that still hear the master (P6, vouch.h) */
	size_t witness_count;
	int64_t failed_ms; /* steady, since when its node fails; INT64_MIN: it does not */
	struct votes *votes; /* how the monitors voted on its node (votes.h); NULL: they were not asked */
	bool restored; /* it tells a difference to what the state file held, or is the plusmoin_up of such a start */
	int64_t term; /* the term in which this monitor acts; 0: it is the only monitor */
	bool again; /* it is for an action that another monitor started and did not finish */
	char *silenced; /* the silence in which it fired, in words (silences.h); NULL: it fired in none */
};

/* Makes an event without a node, with one reference, the caller's; takes its own references of both pictures. */
struct event *event_new(enum event_kind kind, const char *id, struct view *view,
			struct view *others, int64_t time_ms);

/* Sets the node for which it fired, the rule and the reason. Called before it is shared. */
void event_set_node(struct event *event, const struct node *node, enum rule rule,
		    enum reason reason, const char *message);

/* Sets the nodes that vouch for the master. Called before it is shared. */
void event_set_witnesses(struct event *event, const struct list *nodes);

/* Sets the votes on its node, which are copied. Called before it is shared. */
void event_set_votes(struct event *event, const struct votes *votes);

/* Sets the other master of a split_brain. Called before it is shared. */
void event_set_rival(struct event *event, const struct node *rival);

/* Sets the term in which it fired. Called before it is shared. */
void event_set_term(struct event *event, int64_t term);

/* Says in which silence the event fired, so that its triggers do not run; copies the words. Before it is shared. */
void event_set_silenced(struct event *event, const char *words);

/* Makes the same event for an action that runs once more; one reference, the caller's. */
struct event *event_again(const struct event *event);

/* Returns how many bytes the event and its pictures take in addition to `view` and `others`, which are held already. */
size_t event_bytes(const struct event *event, const struct view *view, const struct view *others);
struct event *event_ref(struct event *event);
void event_unref(struct event **event);

/* Appends a trigger's stdin: exactly the seed's keys, one line. */
void event_render(const struct event *event, struct buf *out);

/*
 * Writes the status file's object for a cluster, or its array for the clusterless nodes. With `full`
 * each node has all that is known of it, as the control socket shows it.
 */
void view_render(const struct view *view, bool full, struct json *json);

/*
 * The same in parts: writes the next `nodes` nodes of a walk through all (view_walk_all()) with what stands before each
 * of them, and after the last node what stands behind it.
 */
void view_render_part(struct view_walk *walk, size_t nodes, bool full, struct json *json);

/* Writes the object for one node. */
void node_view_render(const struct node_view *node, bool full, struct json *json);
