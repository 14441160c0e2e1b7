/*
 * What load balancers ask of a node (`/nodes/NODE/primary`, HAProxy's agent-check): yes or no, and in one line why.
 * Pure, from what is shown of the node alone, so any thread may ask that holds its node_view.
 *
 * The answer goes by the node's place. A node that fails, is held (P1) or is vouched for (P6) keeps its place and so
 * its role; so does one that has not answered yet since a restart (state_file). While the monitor is isolated (P7) the
 * place is the last known one, and the caller decides whether to answer by it (`http.isolated`). A lost or clusterless
 * node has no role.
 */
#pragma once

#include "core/node_view.h"

enum health {
	HEALTH_PRIMARY,   /* it sits in the seat; of two masters of one origin (split_brain) only the first is one */
	HEALTH_REPLICA,   /* it is a slave in its place and not too far behind */
	HEALTH_READ_ONLY, /* it is a primary or a replica */
	HEALTH_MEMBER     /* it is in its place and answers: here a failure counts that does not count elsewhere yet */
};

#define HEALTH_NO_LIMIT INT64_MAX /* a slave may be as far behind as max_sync_delay lets it */
#define HEALTH_WHY_BYTES 1024

/* "primary", "master", "read-write"; "replica"; "read-only"; "health". False: it is none of these. */
bool health_parse(const char *word, enum health *health);

/* Reads seconds ("5", "0.25"; at most 9 digits before the point). Returns false and sets nothing for other texts. */
bool health_parse_lag(const char *text, int64_t *lag_limit_ms);

/* Whether the node is that; lag_is_over() (lag.h) says whether it is too far behind. */
bool health_is(const struct node_view *node, enum health health, int64_t lag_limit_ms);

/*
 * Writes why health_is() says what it says: one line without newline, in the words of `plusmoin explain`, cut to `size`
 * (HEALTH_WHY_BYTES). "db2:5432 is lost (down) since 2026-11-30 12:03:44 UTC by S1 (the slave was down): refused: ..."
 */
void health_say(const struct node_view *node, enum health health, int64_t lag_limit_ms, char *why, size_t size);

/*
 * Returns HAProxy's weight in percent for a node for which health_is() says yes: 100 while its lag is at most half of
 * the limit, then falling in a straight line to 1 at the limit. It is 100 where there is no limit.
 */
int health_weight(const struct node_view *node, int64_t lag_limit_ms);
