#include "core/likeness.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/hash.h"

#define DIGITS 8

static void add_text(uint32_t *hash, const char *text)
{
	*hash = hash32_bytes(hash32_text(*hash, text != NULL ? text : ""), "", 1); /* the end of a text counts, too */
}

static void add_int(uint32_t *hash, int64_t value)
{
	for (size_t i = 0; i < sizeof(value); i++) { /* byte by byte: the same on machines of either byte order */
		unsigned char byte = (unsigned char)((uint64_t)value >> (8 * i));

		*hash = hash32_bytes(*hash, &byte, 1);
	}
}

static void add_nodes(uint32_t *hash, const struct config *config)
{
	for (size_t i = 0; i < config->node_count; i++) {
		const struct config_node *node = &config->nodes[i];

		add_text(hash, node->id);
		add_text(hash, node->name);
		add_int(hash, node->max_sync_delay_ms);
		add_int(hash, node->recover_sync_delay_ms);
		add_int(hash, node->ignore_system_id);
	}
}

static void add_rules(uint32_t *hash, const struct config *config)
{
	const int64_t values[] = {
		config->heartbeat_ms, config->max_sync_delay_ms, config->recover_sync_delay_ms, config->connect_timeout_ms,
		config->query_timeout_ms, config->retry_interval_ms, config->restart_grace_ms, config->fresh_connect_ms,
		config->isolation_grace_ms, config->down_after, config->second_opinion, config->monitors.votes,
	};

	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++)
		add_int(hash, values[i]);
	for (size_t i = 0; i < REASONS; i++)
		add_int(hash, config->hold_on[i]);
	add_text(hash, config->is_slave_statement);
}

static void add_action(uint32_t *hash, const struct config_action *action)
{
	add_text(hash, action->path);
	for (char *const *word = action->argv; word != NULL && *word != NULL; word++)
		add_text(hash, *word);
	add_int(hash, (int64_t)action->code);
	add_int(hash, action->timeout_ms);
}

static void add_triggers(uint32_t *hash, const struct config *config)
{
	for (int kind = EVENT_NONE + 1; kind < EVENT_KINDS; kind++) {
		for (size_t i = 0; i < config->triggers[kind].count; i++)
			add_action(hash, &config->triggers[kind].actions[i]);
	}
}

void likeness_write(const struct config *config, char out[LIKENESS_BYTES])
{
	static void (*const adders[LIKENESSES])(uint32_t *hash, const struct config *config) = {
		[LIKENESS_NODES] = add_nodes,
		[LIKENESS_RULES] = add_rules,
		[LIKENESS_TRIGGERS] = add_triggers,
	};

	for (size_t i = 0; i < LIKENESSES; i++) {
		uint32_t hash = HASH32_BEGIN;

		adders[i](&hash, config);
		(void)snprintf(out + i * (DIGITS + 1), DIGITS + 2, "%08" PRIx32 "-", hash);
	}
	out[LIKENESS_BYTES - 1] = '\0';
}

bool likeness_same(const char *a, const char *b, enum likeness part)
{
	size_t at = (size_t)part * (DIGITS + 1);

	return strlen(a) == LIKENESS_BYTES - 1 && strlen(b) == LIKENESS_BYTES - 1 && strncmp(a + at, b + at, DIGITS) == 0;
}

const char *likeness_name(enum likeness part)
{
	static const char *const names[LIKENESSES] = {
		[LIKENESS_NODES] = "nodes",
		[LIKENESS_RULES] = "rules",
		[LIKENESS_TRIGGERS] = "triggers",
	};

	return names[part];
}
