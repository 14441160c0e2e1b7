/*
 * The part of the fleet's state that outlives a restart (`state_file`): clusters with
 * their ids, members, places and seats, their last beats, and the silences. Pure: it is rendered as
 * JSON here, and read again by records/saved_file.h.
 */
#pragma once

#include "base/json.h"
#include "core/fleet.h"
#include "core/silences.h"

#define SAVED_VERSION 1

struct saved_node {
	char *id; /* host:port as configured then */
	char *master_name;
	enum place place;
	bool is_slave;
	bool sat_last; /* it sat in the seat last, and the seat is empty */
	bool has_shown;
	int64_t shown;    /* tstamp of its last good row */
	char *aliases[NODE_ALIASES]; /* NULL: no more */
	int64_t since_ms; /* wall clock */
	int server_version;
	int64_t stood_ms; /* wall clock, when its kept connection was last known to stand; 0: not known */
	int64_t went_ms;  /* wall clock, since when it is silent, having said that it stops or starts (P2); 0: it is not */
	bool held;        /* node_held has fired, and the hold has not ended yet */
};

struct saved_cluster {
	int id;
	bool has_beats;
	int64_t first_tstamp; /* of its first beat, ms */
	int64_t last_tstamp;  /* of its last beat, ms */
	struct holder *holders;
	size_t holder_count;
	struct saved_node *nodes;
	size_t node_count;
};

struct saved {
	int next_id;
	unsigned long event_count; /* events fired so far */
	struct saved_cluster *clusters;
	size_t cluster_count;
	struct silences silences; /* of the file alone */
};

/* One JSON object and a newline. `silences` NULL: there are none. */
void saved_render(const struct fleet *fleet, unsigned long event_count, const struct silences *silences,
		  const struct moment *now, struct buf *out);

/*
 * Write into an open object: the keys of one node that is in a cluster, those of one cluster without its members, and
 * the counts. `in_file` says that it is for the file; else it is for a key of its own (saved_keys.h), where a node
 * names its cluster, and the cluster names who sat last.
 */
void saved_add_node(struct json *json, const struct node *node, bool in_file, const struct moment *now);
void saved_add_cluster(struct json *json, const struct cluster *cluster, bool in_file);
void saved_add_counts(struct json *json, const struct fleet *fleet, unsigned long event_count);

/*
 * Puts the nodes of a fleet of which nothing is known where they were. Nodes that
 * are not configured any more are skipped, and so are clusters of such nodes alone.
 * Where the state contradicts itself (two masters of a cluster, a node twice) the first
 * one counts. A slave that shows the cluster's last saved beat is in sync.
 */
void saved_restore(struct fleet *fleet, const struct saved *saved, const struct moment *now);

/* Free what a node holds, and what a cluster and its nodes hold. */
void saved_node_clear(struct saved_node *node);
void saved_cluster_clear(struct saved_cluster *cluster);

/* NULL allowed; clears the pointer. */
void saved_free(struct saved **saved);
