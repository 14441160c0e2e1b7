#include "core/saved.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "core/aliases.h"
#include "core/verdict.h"

#define WALL_STEP_MS 100

static void add_int(struct json *json, const char *key, int64_t value)
{
	jsonw_key(json, key);
	jsonw_int(json, value);
}

static void add_string(struct json *json, const char *key, const char *text)
{
	jsonw_key(json, key);
	jsonw_string(json, text);
}

static void add_bool(struct json *json, const char *key, bool value)
{
	jsonw_key(json, key);
	jsonw_bool(json, value);
}

/*
 * Turn a steady time into one of the wall clock, and back; INT64_MIN and 0 mean that there is none. Times are rounded
 * to WALL_STEP_MS, because the two clocks drift and the same moment should give the same text each time. A time in the
 * future (a clock was set back) is taken for now.
 */
static int64_t wall_of(int64_t steady_ms, const struct moment *now)
{
	return steady_ms == INT64_MIN
		       ? 0
		       : (now->wall_ms - (now->steady_ms - steady_ms)) / WALL_STEP_MS * WALL_STEP_MS;
}

static int64_t steady_of(int64_t wall_ms, const struct moment *now)
{
	int64_t ago_ms = now->wall_ms - wall_ms;

	if (wall_ms == 0)
		return INT64_MIN;
	return now->steady_ms - (ago_ms > 0 ? ago_ms : 0);
}

/* Returns since when (steady) the node is silent after it said that it stops or starts; INT64_MIN: it is not. */
static int64_t went_ms(const struct node *node)
{
	if (node->failure.attempts == 0)
		return node->went_ms;
	return node->failure.going ? node->failure.silent_ms : INT64_MIN;
}

void saved_add_node(struct json *json, const struct node *node, bool in_file, const struct moment *now)
{
	add_string(json, "id", node->config->id);
	if (!in_file)
		add_int(json, "cluster_id", node->cluster->id);
	add_string(json, "place", place_name(node->place));
	add_bool(json, "is_slave", node->is_slave);
	add_string(json, "master_name", node->master_name);
	if (in_file)
		add_bool(json, "sat_last", node->cluster->sat_last == node);
	if (node->has_shown)
		add_int(json, "shown", node->shown_tstamp);
	jsonw_key(json, "aliases"); /* the oldest first, so that they are restored in this order */
	jsonw_begin_array(json);
	for (size_t i = 0; i < NODE_ALIASES; i++) {
		const char *alias = node->aliases[(node->alias_next + i) % NODE_ALIASES];

		if (alias != NULL)
			jsonw_string(json, alias);
	}
	jsonw_end_array(json);
	add_int(json, "since_ms", node->since_ms);
	add_int(json, "server_version", node->server_version);
	add_int(json, "stood_ms", wall_of(node->stood_ms, now));
	add_int(json, "went_ms", wall_of(went_ms(node), now));
	add_bool(json, "held", node->hold_told);
}

void saved_add_cluster(struct json *json, const struct cluster *cluster, bool in_file)
{
	add_int(json, "id", cluster->id);
	if (cluster->beats.count > 0) {
		add_int(json, "first_tstamp", cluster->beats.first_tstamp);
		add_int(json, "last_tstamp", history_newest(&cluster->beats));
	}
	if (!in_file && cluster->sat_last != NULL)
		add_string(json, "sat_last", cluster->sat_last->config->id);
	jsonw_key(json, "holders");
	jsonw_begin_array(json);
	for (size_t i = 0; i < cluster->holder_count; i++) {
		jsonw_begin_object(json);
		add_string(json, "name", cluster->holders[i].name);
		add_int(json, "last_tstamp", cluster->holders[i].last_tstamp);
		jsonw_end_object(json);
	}
	jsonw_end_array(json);
}

void saved_add_counts(struct json *json, const struct fleet *fleet, unsigned long event_count)
{
	add_int(json, "version", SAVED_VERSION);
	add_int(json, "next_id", fleet->next_id);
	add_int(json, "event_count", (int64_t)event_count);
}

static void render_cluster(struct json *json, const struct cluster *cluster,
			   const struct moment *now)
{
	jsonw_begin_object(json);
	saved_add_cluster(json, cluster, true);
	jsonw_key(json, "nodes");
	jsonw_begin_array(json);
	for (size_t i = 0; i < cluster->members.count; i++) {
		jsonw_begin_object(json);
		saved_add_node(json, cluster->members.items[i], true, now);
		jsonw_end_object(json);
	}
	jsonw_end_array(json);
	jsonw_end_object(json);
}

void saved_render(const struct fleet *fleet, unsigned long event_count, const struct silences *silences,
		  const struct moment *now, struct buf *out)
{
	static const struct silences none;
	struct json json = { .out = out };

	jsonw_begin_object(&json);
	saved_add_counts(&json, fleet, event_count);
	jsonw_key(&json, "clusters");
	jsonw_begin_array(&json);
	for (size_t i = 0; i < fleet->clusters.count; i++)
		render_cluster(&json, fleet->clusters.items[i], now);
	jsonw_end_array(&json);
	jsonw_key(&json, "silences");
	silences_render_stored(silences != NULL ? silences : &none, &json);
	jsonw_end_object(&json);
	buf_add_char(out, '\n');
}

static struct node *find_node(const struct fleet *fleet, const char *id)
{
	const struct config_node *config = config_find_node(fleet->config, id);

	return config != NULL ? fleet->nodes[config - fleet->config->nodes] : NULL;
}

static void restore_aliases(struct node *node, const struct saved_node *saved)
{
	for (size_t i = 0; i < NODE_ALIASES && saved->aliases[i] != NULL; i++)
		fleet_give_alias(node->fleet, node, saved->aliases[i]);
}

static void restore_node(struct fleet *fleet, struct cluster *cluster,
			 const struct saved_node *saved, const struct moment *now)
{
	struct node *node = find_node(fleet, saved->id);
	enum place place = saved->place;

	if (node == NULL || node->cluster != NULL || place == PLACE_CLUSTERLESS)
		return;
	if (place == PLACE_MASTER && cluster->seat != NULL)
		place = PLACE_LOST;
	fleet_move(node, cluster, place, now);
	node->known = true;
	node->is_slave = saved->is_slave;
	text_copy(node->master_name, sizeof(node->master_name), saved->master_name);
	node->server_version = saved->server_version;
	node->has_shown = saved->has_shown;
	node->shown_tstamp = saved->shown;
	node->since_ms = saved->since_ms;
	node->stood_ms = steady_of(saved->stood_ms, now);
	node->went_ms = steady_of(saved->went_ms, now);
	node->hold_told = saved->held;
	node->held_in = place;
	restore_aliases(node, saved);
	if (saved->sat_last && cluster->seat == NULL)
		cluster->sat_last = node;
}

/* Restores the last beat. Its tstamp, which is of a wall clock, says how long ago it was written. */
static void restore_beats(struct fleet *fleet, struct cluster *cluster,
			  const struct saved_cluster *saved, const struct moment *now)
{
	if (!saved->has_beats)
		return;
	cluster_take_beat(fleet, cluster, saved->last_tstamp, steady_of(saved->last_tstamp, now), false);
	cluster->beats.first_tstamp = saved->first_tstamp;
}

static void restore_holders(struct cluster *cluster, const struct saved_cluster *saved)
{
	cluster->holders = mem_zalloc(saved->holder_count, sizeof(*cluster->holders));
	cluster->holder_count = saved->holder_count;
	for (size_t i = 0; i < saved->holder_count; i++) {
		cluster->holders[i].name = mem_strdup(saved->holders[i].name);
		cluster->holders[i].last_tstamp = saved->holders[i].last_tstamp;
	}
}

void saved_restore(struct fleet *fleet, const struct saved *saved, const struct moment *now)
{
	if (saved->next_id > fleet->next_id)
		fleet->next_id = saved->next_id;
	for (size_t i = 0; i < saved->cluster_count; i++) {
		const struct saved_cluster *from = &saved->clusters[i];
		struct cluster *cluster;

		if (fleet_find_cluster(fleet, from->id) != NULL)
			continue;
		cluster = fleet_add_cluster(fleet, from->id);
		for (size_t n = 0; n < from->node_count; n++)
			restore_node(fleet, cluster, &from->nodes[n], now);
		if (cluster->members.count == 0) {
			fleet_drop_cluster(fleet, cluster);
			continue;
		}
		restore_beats(fleet, cluster, from, now);
		restore_holders(cluster, from);
		if (from->id >= fleet->next_id)
			fleet->next_id = from->id + 1;
	}
}

void saved_node_clear(struct saved_node *node)
{
	free(node->id);
	free(node->master_name);
	for (size_t i = 0; i < NODE_ALIASES; i++)
		free(node->aliases[i]);
	*node = (struct saved_node){ 0 };
}

void saved_cluster_clear(struct saved_cluster *cluster)
{
	for (size_t i = 0; i < cluster->node_count; i++)
		saved_node_clear(&cluster->nodes[i]);
	for (size_t i = 0; i < cluster->holder_count; i++)
		free(cluster->holders[i].name);
	free(cluster->nodes);
	free(cluster->holders);
	*cluster = (struct saved_cluster){ 0 };
}

void saved_free(struct saved **saved_p)
{
	struct saved *saved = *saved_p;

	*saved_p = NULL;
	for (size_t i = 0; saved != NULL && i < saved->cluster_count; i++)
		saved_cluster_clear(&saved->clusters[i]);
	if (saved != NULL) {
		free(saved->clusters);
		silences_free(&saved->silences);
	}
	free(saved);
}
