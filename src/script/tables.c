/* Pushes Lua's tables of events, clusters and nodes (contract.md, "Lua triggers"). */
#include <lauxlib.h>

#include "script/tables.h"

static void set_string(lua_State *L, const char *key, const char *value)
{
	lua_pushstring(L, value); /* nil for NULL */
	lua_setfield(L, -2, key);
}

static void set_integer(lua_State *L, const char *key, lua_Integer value)
{
	lua_pushinteger(L, value);
	lua_setfield(L, -2, key);
}

static void set_seconds(lua_State *L, const char *key, int64_t ms)
{
	lua_pushnumber(L, (double)ms / 1000.0);
	lua_setfield(L, -2, key);
}

static void push_node(lua_State *L, const struct node_view *node)
{
	lua_createtable(L, 0, 12);
	set_string(L, "host", node->host);
	set_integer(L, "port", node->port);
	set_integer(L, "cluster_id", node->cluster_id);
	lua_pushboolean(L, node->is_slave);
	lua_setfield(L, -2, "is_slave");
	set_string(L, "master_name", node->master_name);
	set_string(L, "name", node->name);
	set_string(L, "state", place_name(node->state));
	if (node->has_lag)
		set_seconds(L, "lag", node->lag_ms);
	set_string(L, "reason", node->reason != REASON_NONE ? reason_name(node->reason) : NULL);
	set_string(L, "message", node->message);
	set_seconds(L, "since", node->since_ms);
	if (node->server_version > 0)
		set_integer(L, "server_version", node->server_version);
}

static void push_list(lua_State *L, size_t count)
{
	lua_createtable(L, (int)count, 0);
	luaL_setmetatable(L, ARRAY_MARK);
}

/* Sets the list of those nodes of the view that are in this place, which are `count`. */
static void set_nodes(lua_State *L, const char *key, const struct view *view, enum place place, size_t count)
{
	struct view_walk walk = view_walk(view, place);
	const struct node_view *node;

	push_list(L, count);
	for (lua_Integer i = 1; (node = view_walk_next(&walk)) != NULL; i++) {
		push_node(L, node);
		lua_rawseti(L, -2, i);
	}
	lua_setfield(L, -2, key);
}

static void set_witnesses(lua_State *L, const struct event *event)
{
	push_list(L, event->witness_count);
	for (size_t i = 0; i < event->witness_count; i++) {
		push_node(L, event->witnesses[i]);
		lua_rawseti(L, -2, (lua_Integer)i + 1);
	}
	lua_setfield(L, -2, "witnesses");
}

/* Sets the list of the monitors' votes: whether each sees the node that the event is about. */
static void set_votes(lua_State *L, const struct votes *votes)
{
	push_list(L, votes->count);
	for (size_t i = 0; i < votes->count; i++) {
		lua_createtable(L, 0, 3);
		set_string(L, "monitor", votes->items[i].monitor);
		set_string(L, "sees", vote_says_name(votes->items[i].says));
		set_string(L, "reason", votes->items[i].says == VOTE_FAILS ? reason_name(votes->items[i].reason) : NULL);
		lua_rawseti(L, -2, (lua_Integer)i + 1);
	}
	lua_setfield(L, -2, "votes");
}

static void set_members(lua_State *L, const struct view *view, const struct view *others)
{
	if (view->master != NULL) {
		push_node(L, view->master);
		lua_setfield(L, -2, "master");
	}
	set_nodes(L, "slaves", view, PLACE_SLAVE, view->slaves);
	set_nodes(L, "lost", view, PLACE_LOST, view->lost);
	set_nodes(L, "clusterless", others, PLACE_CLUSTERLESS, others->clusterless);
}

void tables_push_event(lua_State *L, const struct event *event)
{
	luaL_checkstack(L, 8, NULL);
	lua_createtable(L, 0, 12);
	set_integer(L, "cluster_id", event->cluster_id);
	if (event->node != NULL) {
		push_node(L, event->node);
		lua_setfield(L, -2, "trigger");
	}
	if (event->rival != NULL) {
		push_node(L, event->rival);
		lua_setfield(L, -2, "rival");
	}
	set_members(L, event->view, event->others);
	set_string(L, "name", event_kind_name(event->kind));
	set_string(L, "id", event->id);
	set_seconds(L, "time", event->time_ms);
	if (event->restored) {
		lua_pushboolean(L, 1);
		lua_setfield(L, -2, "restored");
	}
	if (event->term > 0)
		set_integer(L, "term", event->term);
	if (event->term > 0 && event->again) {
		lua_pushboolean(L, 1);
		lua_setfield(L, -2, "rerun");
	}
	if (event->witness_count > 0)
		set_witnesses(L, event);
	if (event->votes != NULL)
		set_votes(L, event->votes);
	set_string(L, "rule", event->rule != RULE_NONE ? rule_name(event->rule) : NULL);
}

void tables_push_cluster(lua_State *L, const struct view *view, const struct view *others)
{
	luaL_checkstack(L, 8, NULL);
	lua_createtable(L, 0, 6);
	set_integer(L, "cluster_id", view->cluster_id);
	set_members(L, view, others);
}
