/*
 * Who looks at the nodes: a table of functions that the monitor asks through. live.h is the table
 * that asks real servers; a bench or a test fills one of its own and plays the servers, without
 * descriptors and without time passing. What pg/probe.h says of a function holds for its entry here.
 * Monitor thread.
 */
#pragma once

#include "net/knock.h"
#include "pg/probe.h"

struct prober {
	/* What all probes of a monitor share; `deadlines` know the monitor's own stalls (P4). */
	void *(*open)(uv_loop_t *loop, struct deadlines *deadlines);
	void (*close)(void *all);
	/* One node's probe; `before`: the one that it replaces, or NULL. */
	void *(*make)(void *all, const struct config *config, const struct config_node *node,
		      const void *before, const struct probe_events *events, void *data);
	void (*end)(void *probe);
	void (*look)(void *probe, const struct beat_order *order, bool at_stake);
	void (*beat)(void *probe, const struct beat_order *order);
	bool (*hear)(void *probe);
	void (*refresh)(void *probe);
	bool (*is_busy)(const void *probe);
	void (*dial_anew)(void *probe);
	const char *(*address)(const void *probe);
	/* Whether a login, after TCP has answered, or a look over the kept connection is under way. */
	bool (*is_logging_in)(const void *probe);
	/* Whether a look begins a connect: it has no connection, and none is being made. */
	bool (*needs_connect)(const void *probe);
	/* What a login costs, as login_cost_us() says. */
	int64_t (*login_cost_us)(void);
	/* A knock at a host (net/knock.h), and its end; NULL allowed. */
	void *(*knock)(void *all, const char *host, int port, void (*done)(void *data, enum knock_answer answer),
		       void *data);
	void (*knock_end)(void *knock);
	void (*set_config)(void *probe, const struct config *config, const struct config_node *node);
};
