#include "core/config.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"

#define FRESH_SHARE 4    /* fresh connections may take a quarter of one processor's time */
#define FRESH_OWN_US 250 /* processor time that the loop itself needs for one of them, about */

struct config *config_new(void)
{
	struct config *config = mem_zalloc(1, sizeof(*config));

	config->references = 1;
	config->isolation_grace_ms = ISOLATION_WITHOUT_END;
	config->second_opinion = true;
	return config;
}

static int compare_nodes(const void *a, const void *b)
{
	const struct config_node *const *left = a;
	const struct config_node *const *right = b;

	return strcmp((*left)->id, (*right)->id);
}

void config_seal(struct config *config)
{
	config->by_id = mem_zalloc(config->node_count, sizeof(struct config_node *));
	for (size_t i = 0; i < config->node_count; i++)
		config->by_id[i] = &config->nodes[i];
	if (config->node_count > 0)
		qsort(config->by_id, config->node_count, sizeof(struct config_node *), compare_nodes);
}

static int compare_id(const void *id, const void *item)
{
	const struct config_node *const *node = item;

	return strcmp(id, (*node)->id);
}

const struct config_node *config_find_node(const struct config *config, const char *id)
{
	const struct config_node **found;

	assert(config->by_id != NULL);
	found = bsearch(id, config->by_id, config->node_count, sizeof(struct config_node *), compare_id);
	return found != NULL ? *found : NULL;
}

const struct config_node *config_find_next(const struct config *config, const char *id, size_t *at)
{
	const struct config_node *found = *at < config->node_count ? &config->nodes[*at] : NULL;

	if (found == NULL || strcmp(found->id, id) != 0)
		found = config_find_node(config, id);
	if (found != NULL)
		*at = (size_t)(found - config->nodes) + 1;
	return found;
}

struct config *config_ref(struct config *config)
{
	config->references++;
	return config;
}

int64_t config_fresh_connect_ms(const struct config *config, int64_t cost_us)
{
	int64_t least_ms = (int64_t)config->node_count * (cost_us + FRESH_OWN_US) * FRESH_SHARE / 1000;

	if (config->fresh_connect_ms == 0 || config->fresh_connect_ms > least_ms)
		return config->fresh_connect_ms;
	return least_ms;
}

int64_t config_max_sync_delay_ms(const struct config *config, const struct config_node *node)
{
	return node->max_sync_delay_ms > 0 ? node->max_sync_delay_ms : config->max_sync_delay_ms;
}

int64_t config_recover_sync_delay_ms(const struct config *config, const struct config_node *node)
{
	return node->recover_sync_delay_ms > 0 ? node->recover_sync_delay_ms
					       : config->recover_sync_delay_ms;
}

bool config_has_lua(const struct config *config, enum event_kind kind)
{
	const struct config_trigger *trigger = &config->triggers[kind];

	for (size_t i = 0; i < trigger->count; i++) {
		if (trigger->actions[i].argv == NULL)
			return true;
	}
	return false;
}

bool config_has_any_lua(const struct config *config)
{
	for (int kind = EVENT_NONE + 1; kind < EVENT_KINDS; kind++) {
		if (config_has_lua(config, (enum event_kind)kind))
			return true;
	}
	return false;
}

void config_node_copy(struct config_node *copy, const struct config_node *node)
{
	*copy = (struct config_node){
		.id = mem_strdup(node->id),
		.name = mem_strdup(node->name),
		.host = mem_strdup(node->host),
		.port = node->port,
		.user = mem_strdup(node->user),
		.password = mem_strdup(node->password),
		.dbname = mem_strdup(node->dbname),
		.max_sync_delay_ms = node->max_sync_delay_ms,
		.recover_sync_delay_ms = node->recover_sync_delay_ms,
		.ignore_system_id = node->ignore_system_id,
	};
	for (size_t i = 0; i < node->connection_count; i++)
		config_node_set(copy, node->connection[i].key, node->connection[i].value);
}

void config_node_set(struct config_node *node, const char *key, const char *value)
{
	struct config_pair *pair;

	for (size_t i = 0; i < node->connection_count; i++) {
		pair = &node->connection[i];
		if (strcmp(pair->key, key) == 0) {
			free(pair->value);
			pair->value = mem_strdup(value);
			return;
		}
	}
	node->connection = mem_grow(node->connection, node->connection_count + 1,
				    sizeof(*node->connection));
	pair = &node->connection[node->connection_count++];
	pair->key = mem_strdup(key);
	pair->value = mem_strdup(value);
}

bool config_node_same_login(const struct config_node *a, const struct config_node *b)
{
	bool same = text_same(a->user, b->user) && text_same(a->password, b->password) &&
		    text_same(a->dbname, b->dbname) && a->connection_count == b->connection_count;

	for (size_t i = 0; same && i < a->connection_count; i++)
		same = text_same(a->connection[i].key, b->connection[i].key) &&
		       text_same(a->connection[i].value, b->connection[i].value);
	return same;
}

void config_node_clear(struct config_node *node)
{
	for (size_t i = 0; i < node->connection_count; i++) {
		free(node->connection[i].key);
		free(node->connection[i].value);
	}
	free(node->connection);
	free(node->id);
	free(node->name);
	free(node->host);
	free(node->user);
	free(node->password);
	free(node->dbname);
	*node = (struct config_node){ 0 };
}

static void free_trigger(struct config_trigger *trigger)
{
	for (size_t i = 0; i < trigger->count; i++) {
		struct config_action *action = &trigger->actions[i];

		mem_free_strings(action->argv);
		free(action->path);
		free(action->source);
	}
	free(trigger->actions);
}

static void free_http(struct config_http *http)
{
	for (size_t i = 0; i < http->listen_count; i++)
		free(http->listen[i]);
	for (size_t i = 0; i < http->host_count; i++)
		free(http->hosts[i]);
	free(http->listen);
	free(http->hosts);
	free(http->agent);
	free(http->token_file);
	free(http->token);
}

static void free_monitors(struct config_monitors *monitors)
{
	for (size_t i = 0; i < monitors->etcd_count; i++)
		free(monitors->etcd[i]);
	free(monitors->etcd);
	free(monitors->prefix);
	free(monitors->name);
	free(monitors->user);
	free(monitors->password);
	free(monitors->cafile);
	free(monitors->certfile);
	free(monitors->keyfile);
}

void config_unref(struct config **config_p)
{
	struct config *config = *config_p;

	*config_p = NULL;
	if (config == NULL || --config->references > 0)
		return;
	for (size_t i = 0; i < config->node_count; i++)
		config_node_clear(&config->nodes[i]);
	free(config->nodes);
	free(config->by_id);
	for (size_t i = 0; i < config->anchor_count; i++) {
		free(config->anchors[i].text);
		free(config->anchors[i].host);
	}
	free(config->anchors);
	for (int kind = 0; kind < EVENT_KINDS; kind++)
		free_trigger(&config->triggers[kind]);
	free_http(&config->http);
	free_monitors(&config->monitors);
	secrets_unref(&config->secrets);
	free(config->path);
	free(config->is_slave_statement);
	free(config->daemon_user);
	free(config->log_file);
	free(config->log_level);
	free(config->log_format);
	free(config->pid_file);
	free(config->status_file);
	free(config->state_file);
	free(config->control_socket);
	free(config);
}
