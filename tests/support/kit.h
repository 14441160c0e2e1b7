/*
 * What the unit programs share: a configuration of named nodes with the
 * defaults of the contract, moments, observations. The caller owns what is
 * returned.
 */
#pragma once

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "core/board.h"
#include "core/round.h"

#define KIT_BASE_MS 1700000000000 /* the wall clock at steady time 0 */

/* Nodes "a", "b", ... are host a, port 5432; their id is the name alone. */
static inline struct config *kit_config(const char *const *ids, size_t count)
{
	struct config *config = config_new();

	config->heartbeat_ms = 60000;
	config->max_sync_delay_ms = 120000;
	config->recover_sync_delay_ms = 60000;
	config->restart_grace_ms = 10000;
	config->query_timeout_ms = 10000;
	config->retry_interval_ms = 1000;
	config->down_after = 1;
	config->hold_on[REASON_FULL] = true;
	config->hold_on[REASON_AUTH] = true;
	config->hold_on[REASON_NO_DATABASE] = true;
	config->hold_on[REASON_TABLE] = true;
	config->hold_on[REASON_TLS] = true;
	config->nodes = mem_zalloc(count, sizeof(*config->nodes));
	config->node_count = count;
	for (size_t i = 0; i < count; i++) {
		config->nodes[i].id = mem_strdup(ids[i]);
		config->nodes[i].name = mem_strdup(ids[i]);
		config->nodes[i].host = mem_strdup(ids[i]);
		config->nodes[i].port = 5432;
	}
	config_seal(config);
	return config;
}

static inline struct moment kit_moment(int64_t steady_ms, int64_t base_ms)
{
	return (struct moment){
		.steady_ms = steady_ms,
		.stamp_ms = base_ms + steady_ms,
		.wall_ms = base_ms + steady_ms,
	};
}

static inline struct node *kit_node(const struct fleet *fleet, const char *id)
{
	for (size_t i = 0; i < fleet->node_count; i++) {
		if (strcmp(fleet->nodes[i]->config->id, id) == 0)
			return fleet->nodes[i];
	}
	return NULL;
}

static inline struct cluster *kit_cluster(const struct fleet *fleet, int id)
{
	for (size_t i = 0; i < fleet->clusters.count; i++) {
		struct cluster *cluster = fleet->clusters.items[i];

		if (cluster->id == id)
			return cluster;
	}
	return NULL;
}

static inline struct observation kit_failure(enum reason reason, bool going)
{
	struct observation seen = {
		.kind = OBSERVED_FAILURE,
		.reason = reason,
		.going = going,
		.kept_ended_ms = INT64_MIN,
	};

	text_copy(seen.message, sizeof(seen.message), reason_name(reason));
	return seen;
}

static inline struct observation kit_slave(const char *master, int64_t tstamp)
{
	struct observation seen = {
		.kind = OBSERVED_SLAVE,
		.server_version = 150020,
		.row_state = master != NULL ? ROW_SHOWN : ROW_NONE,
		.row.tstamp = tstamp,
	};

	text_copy(seen.row.master, sizeof(seen.row.master), master);
	return seen;
}

static inline struct observation kit_master(void)
{
	return (struct observation){ .kind = OBSERVED_MASTER, .server_version = 150020 };
}

static inline struct beat_result kit_beat(enum beat_state state, int64_t tstamp)
{
	struct beat_result beat = { .state = state, .tstamp = tstamp };

	if (state == BEAT_LOCKED || state == BEAT_FAILED) {
		beat.reason = state == BEAT_LOCKED ? REASON_TIMEOUT : REASON_READ_ONLY;
		text_copy(beat.message, sizeof(beat.message), "beat not written");
	}
	return beat;
}

/* A board that is brought up to date next looks at all. */
static inline void kit_touch_all(struct fleet *fleet)
{
	fleet_touch(fleet, NULL);
	for (size_t i = 0; i < fleet->clusters.count; i++)
		fleet_touch(fleet, fleet->clusters.items[i]);
}

/* What the status file would be now. */
static inline void kit_status(struct fleet *fleet, struct buf *out)
{
	struct board *board = board_new();

	kit_touch_all(fleet);
	board_update(&board, fleet);
	board_render(board, out);
	board_unref(&board);
}
