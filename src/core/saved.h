/*
 * What of the fleet outlives a restart (`state_file`): clusters with their ids,
 * members, places and seats, where their beats stood, and what people have silenced. Pure: rendered as JSON
 * here, read again by records/saved_file.h.
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
	bool sat_last; /* in the seat, while that is empty */
	bool has_shown;
	int64_t shown;    /* tstamp of its last good row */
	char *aliases[NODE_ALIASES]; /* NULL: no more */
	int64_t since_ms; /* wall clock */
	int server_version;
	int64_t stood_ms; /* wall: until when its kept connection stood; 0: not known */
	int64_t went_ms;  /* wall: since when nothing answers, after a word of going (P2); 0: none */
	bool held;        /* node_held was told, and its end was not */
};

struct saved_cluster {
	int id;
	bool has_beats;
	int64_t first_tstamp; /* of its first and its last beat, ms */
	int64_t last_tstamp;
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
 * The keys of one node that is in a cluster, of one cluster but for its members, and of the counts, into an open
 * object; for the file, or (saved_keys.h) for a key of its own: there a node names its cluster, and the cluster names
 * who sat last.
 */
void saved_add_node(struct json *json, const struct node *node, bool in_file, const struct moment *now);
void saved_add_cluster(struct json *json, const struct cluster *cluster, bool in_file);
void saved_add_counts(struct json *json, const struct fleet *fleet, unsigned long event_count);

/*
 * Puts the nodes of a fleet of which nothing is known where they were. Nodes that
 * are not configured any more are skipped, and with them clusters that have no
 * other; what contradicts itself (two masters of a cluster, a node twice) counts by
 * what comes first. The beats go on where they stood: a slave that shows the last
 * one is in sync.
 */
void saved_restore(struct fleet *fleet, const struct saved *saved, const struct moment *now);

/* Frees what the node holds, or the cluster with its nodes. */
void saved_node_clear(struct saved_node *node);
void saved_cluster_clear(struct saved_cluster *cluster);

/* NULL allowed; clears the pointer. */
void saved_free(struct saved **saved);
