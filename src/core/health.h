/*
 * What load balancers ask of a node (`/nodes/NODE/primary`, HAProxy's agent-check): yes or no, and in one line why.
 * Pure, from what is shown of the node alone, so any thread may ask that holds its node_view.
 *
 * A node counts where plusmoin has put it, as long as no rule moves it: who fails, is held (P1) or vouched for (P6)
 * keeps its place, and is what it was; so does who was not heard of yet since a restart (state_file). While the monitor
 * is isolated (P7) that is the last known place: whether to answer by it is the caller's to say (`http.isolated`).
 * Who is lost or clusterless is nothing.
 */
#pragma once

#include "core/node_view.h"

enum health {
	HEALTH_PRIMARY,   /* it sits in the seat; of two masters of one origin (split_brain) who sat first alone */
	HEALTH_REPLICA,   /* a slave in its place that is not too far behind */
	HEALTH_READ_ONLY, /* either */
	HEALTH_MEMBER     /* in its place, and answers: a failure that does not count yet is one here */
};

#define HEALTH_NO_LIMIT INT64_MAX /* a slave may be as far behind as max_sync_delay lets it */
#define HEALTH_WHY_BYTES 1024

/* "primary", "master", "read-write"; "replica"; "read-only"; "health". False: it is none of these. */
bool health_parse(const char *word, enum health *health);

/* Seconds, as "5" or "0.25", at most 9 digits before the point; false, and nothing set: not that. */
bool health_parse_lag(const char *text, int64_t *lag_limit_ms);

/* Whether it is that; lag_is_over() (lag.h) says who is too far behind. */
bool health_is(const struct node_view *node, enum health health, int64_t lag_limit_ms);

/*
 * Why health_is() says what it says: one line without its end, in the words of `plusmoin explain`, cut to `size`
 * (HEALTH_WHY_BYTES). "db2:5432 is lost (down) since 2026-11-30 12:03:44 UTC by S1 (the slave was down): refused: ..."
 */
void health_say(const struct node_view *node, enum health health, int64_t lag_limit_ms, char *why, size_t size);

/*
 * How many of a hundred connections a node that health_is() should have: 100 while its lag is at most half of the
 * limit, from there in a straight line down to 1 at the limit. Without a limit 100.
 */
int health_weight(const struct node_view *node, int64_t lag_limit_ms);
