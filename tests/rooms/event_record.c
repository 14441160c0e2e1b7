/* Events as they are stored: each kind is written, read again, and shows triggers the same. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jansson.h>
#include <lauxlib.h>
#include <lualib.h>

#include "process/environment.h"
#include "records/event_reading.h"
#include "script/tables.h"
#include "support/kit.h"

#define NODES 5

static struct {
	struct fleet *fleet;
	struct cluster *cluster;
	struct board *board;
} at;

static const char *const ids[NODES] = { "a", "b", "c", "d", "e" };

static int open_stage(void **state)
{
	const struct moment now = kit_moment(5000, KIT_BASE_MS);
	struct config *config = kit_config(ids, NODES);

	(void)state;
	at.fleet = fleet_new(config, &now);
	config_unref(&config);
	at.cluster = fleet_add_cluster(at.fleet, 3);
	fleet_move(at.fleet->nodes[0], at.cluster, PLACE_MASTER, &now);
	for (size_t i = 1; i < NODES - 1; i++)
		fleet_move(at.fleet->nodes[i], at.cluster, i < 3 ? PLACE_SLAVE : PLACE_LOST, &now);
	for (size_t i = 0; i < NODES - 1; i++) {
		struct node *node = at.fleet->nodes[i];

		node->known = true;
		node->is_slave = i > 0;
		node->server_version = i > 1 ? 160002 : 0;
		text_copy(node->master_name, sizeof(node->master_name), "a");
		node_touch(node);
	}
	at.board = board_new();
	board_update(&at.board, at.fleet);
	return 0;
}

static int close_stage(void **state)
{
	(void)state;
	board_unref(&at.board);
	fleet_free(&at.fleet);
	return 0;
}

/* The caller's reference; `cluster` -1: of none. */
static struct event *make_event(enum event_kind kind, int cluster)
{
	struct view *none = view_new_empty();
	struct view *view = cluster >= 0 ? board_find(at.board, cluster) : none;
	bool is_own = kind == EVENT_MONITOR_ISOLATED || kind == EVENT_MONITOR_RECONNECTED;
	struct event *event = event_new(kind, "1700000000-42", view, is_own ? none : at.board->clusterless,
					KIT_BASE_MS + 1234);

	view_unref(&none);
	return event;
}

/* As each kind is told of: a node, why it is down, who vouches for it, another one. */
static struct event *make_kind(enum event_kind kind)
{
	bool is_own = kind == EVENT_MONITOR_ISOLATED || kind == EVENT_MONITOR_RECONNECTED;
	bool is_of_node = !is_own && kind != EVENT_PLUSMOIN_UP && kind != EVENT_HEARTBEAT;
	bool is_down = kind == EVENT_MASTER_DOWN || kind == EVENT_SLAVE_DOWN || kind == EVENT_NODE_HELD ||
		       kind == EVENT_MASTER_UNREACHABLE;
	struct event *event = make_event(kind, is_own ? -1 : 3);
	struct list witnesses = { 0 };
	struct votes *votes = votes_new();

	if (is_own)
		event->rule = RULE_P7;
	if (is_of_node)
		event_set_node(event, at.fleet->nodes[kind == EVENT_SLAVE_DOWN ? 3 : 0], RULE_M2,
			       is_down ? REASON_HUNG : REASON_NONE, is_down ? "no \"answer\"\n in 3 s \xe2\x82\xac" : "");
	if (kind == EVENT_MASTER_UNREACHABLE) {
		list_add(&witnesses, at.fleet->nodes[1]);
		list_add(&witnesses, at.fleet->nodes[2]);
		event_set_witnesses(event, &witnesses);
		list_free(&witnesses);
		votes_add(votes, "a", VOTE_FAILS, REASON_HUNG);
		votes_add(votes, "b", VOTE_ANSWERS, REASON_NONE);
		votes_add(votes, "c", VOTE_CANNOT, REASON_NONE);
		event_set_votes(event, votes);
	}
	votes_free(&votes);
	if (kind == EVENT_SPLIT_BRAIN)
		event_set_rival(event, at.fleet->nodes[3]);
	event->restored = kind == EVENT_PLUSMOIN_UP;
	event->came_from = kind == EVENT_SLAVE_UP ? 2 : -1;
	return event;
}

static void assert_same_environment(const struct event *a, const struct event *b)
{
	char **left = environment_new(a);
	char **right = environment_new(b);
	size_t i;

	for (i = 0; left[i] != NULL && right[i] != NULL; i++)
		assert_string_equal(left[i], right[i]);
	assert_null(left[i]);
	assert_null(right[i]);
	environment_free(&left);
	environment_free(&right);
}

static void assert_same_input(const struct event *a, const struct event *b)
{
	struct buf left = { 0 };
	struct buf right = { 0 };

	event_render(a, &left);
	event_render(b, &right);
	assert_string_equal(buf_text(&left), buf_text(&right));
	buf_free(&left);
	buf_free(&right);
}

/* What Lua says of the two events, `a` and `b`: "true", or what is not. */
static void assert_lua(const struct event *a, const struct event *b, const char *code)
{
	lua_State *L = luaL_newstate();

	luaL_openlibs(L);
	luaL_newmetatable(L, ARRAY_MARK);
	lua_pop(L, 1);
	tables_push_event(L, a);
	lua_setglobal(L, "a");
	tables_push_event(L, b);
	lua_setglobal(L, "b");
	if (luaL_dostring(L, code) || !lua_toboolean(L, -1))
		fail_msg("%s: %s", code, luaL_tolstring(L, -1, NULL));
	lua_close(L);
}

static const char same_tables[] =
	"local function same(x, y)"
	"  if type(x) ~= 'table' or type(y) ~= 'table' then return x == y end"
	"  for k, v in pairs(x) do if not same(v, y[k]) then return false end end"
	"  for k in pairs(y) do if x[k] == nil then return false end end"
	"  return true "
	"end "
	"return same(a, b)";

static void assert_same_event(const struct event *a, const struct event *b)
{
	assert_int_equal(a->kind, b->kind);
	assert_string_equal(a->id, b->id);
	assert_int_equal(a->time_ms, b->time_ms);
	assert_int_equal(a->cluster_id, b->cluster_id);
	assert_int_equal(a->came_from, b->came_from);
	assert_ptr_equal(a->view->cluster_id >= 0 ? a->view : NULL, b->view->cluster_id >= 0 ? b->view : NULL);
	assert_int_equal(a->others->clusterless, b->others->clusterless);
	assert_int_equal(a->node != NULL, b->node != NULL);
	if (a->node != NULL) {
		assert_int_equal(a->node->since_ms, b->node->since_ms);
		assert_int_equal(a->node->state, b->node->state);
		assert_int_equal(a->node->reason, b->node->reason);
		assert_true(text_same(a->node->message, b->node->message));
	}
	assert_same_environment(a, b);
	assert_same_input(a, b);
	assert_lua(a, b, same_tables);
}

static struct event_record record_of(struct event *event)
{
	struct event_record record = { .event = event, .run_count = 4 };

	record.runs = mem_zalloc(4, sizeof(*record.runs));
	for (int state = EVENT_RUN_QUEUED; state <= EVENT_RUN_UNKNOWN; state++)
		record.runs[state] = (struct event_run){
			.trigger = mem_printf("triggers.%s[%d]", event_kind_name(event->kind), state + 1),
			.state = (enum event_run_state)state,
			.outcome = state == EVENT_RUN_DONE ? mem_strdup("failed with exit status 1: \"no\"") : NULL,
		};
	return record;
}

static void test_each_kind_comes_back(void **state)
{
	(void)state;
	for (int kind = EVENT_NONE + 1; kind < EVENT_KINDS; kind++) {
		struct event_record record = record_of(make_kind((enum event_kind)kind));
		struct event_record read;
		struct buf text = { 0 };
		struct buf again = { 0 };
		char *why;

		event_record_render(&record, &text);
		if (!event_reading_make(buf_text(&text), text.len, at.board, &read, &why))
			fail_msg("%s: %s", buf_text(&text), why);
		assert_same_event(record.event, read.event);
		event_record_render(&read, &again);
		assert_string_equal(buf_text(&text), buf_text(&again));
		buf_free(&text);
		buf_free(&again);
		event_record_clear(&record);
		event_record_clear(&read);
	}
}

/* The board of who takes over: its pictures count, the event's node does not follow them. */
static void test_the_cluster_is_the_readers(void **state)
{
	const struct moment now = kit_moment(9000, KIT_BASE_MS);
	struct event_record record = { .event = make_kind(EVENT_SLAVE_DOWN) };
	struct event_record read;
	struct buf text = { 0 };
	char *why;

	(void)state;
	event_record_render(&record, &text);
	fleet_move(at.fleet->nodes[3], at.cluster, PLACE_SLAVE, &now);
	board_update(&at.board, at.fleet);
	assert_true(event_reading_make(buf_text(&text), text.len, at.board, &read, &why));
	assert_ptr_equal(read.event->view, board_find(at.board, 3));
	assert_int_equal(read.event->view->slaves, 3);
	assert_int_equal(read.event->node->state, PLACE_LOST);
	assert_int_equal(read.event->node->reason, REASON_HUNG);
	assert_int_equal(read.run_count, 0);
	event_record_clear(&read);
	board_unref(&at.board);
	at.board = board_new(); /* the cluster is there no more */
	assert_true(event_reading_make(buf_text(&text), text.len, at.board, &read, &why));
	assert_int_equal(read.event->cluster_id, 3);
	assert_int_equal(read.event->view->cluster_id, 3);
	assert_int_equal(view_size(read.event->view), 0);
	event_record_clear(&read);
	event_record_clear(&record);
	buf_free(&text);
}

/* Without one of its keys, or with a wrong value, it is refused. */
static void assert_needs(json_t *root, json_t *object, const char *key, json_t *value)
{
	json_t *was = json_incref(json_object_get(object, key));
	struct event_record read;
	char *text;
	char *why;

	if (value != NULL)
		(void)json_object_set_new(object, key, value);
	else
		(void)json_object_del(object, key);
	text = json_dumps(root, 0);
	if (event_reading_make(text, strlen(text), at.board, &read, &why))
		fail_msg("\"%s\" is not needed", key);
	assert_non_null(strstr(why, key));
	free(why);
	free(text);
	(void)json_object_set_new(object, key, was);
}

static void test_what_is_damaged_is_refused(void **state)
{
	static const char *const keys[] = { "id", "name", "time", "cluster_id", "came_from", "rule", "witnesses", "restored",
					    "runs" };
	static const char *const node_keys[] = { "host", "port", "cluster_id", "is_slave", "master_name", "name", "state",
						 "condition", "reason", "message", "since", "server_version" };
	struct event_record record = record_of(make_kind(EVENT_SPLIT_BRAIN));
	struct event_record read;
	struct buf text = { 0 };
	json_t *root;
	char *why;

	(void)state;
	event_record_render(&record, &text);
	root = json_loads(buf_text(&text), 0, NULL);
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		assert_needs(root, root, keys[i], NULL);
	for (size_t i = 0; i < sizeof(node_keys) / sizeof(node_keys[0]); i++)
		assert_needs(root, json_object_get(root, "node"), node_keys[i], NULL);
	assert_needs(root, root, "name", json_string("master_sideways"));
	assert_needs(root, root, "time", json_real(1e300));
	assert_needs(root, root, "came_from", json_integer(INT64_MAX));
	assert_needs(root, json_array_get(json_object_get(root, "runs"), 1), "state", json_string("begun"));
	assert_needs(root, json_array_get(json_object_get(root, "runs"), 1), "trigger", json_null());
	assert_false(event_reading_make("{", 1, at.board, &read, &why));
	free(why);
	assert_false(event_reading_make("[]", 2, at.board, &read, &why));
	assert_string_equal(why, "no object");
	free(why);
	json_decref(root);
	buf_free(&text);
	event_record_clear(&record);
}

/* All of an event but its time of failure, which is another process's; and that it runs once more. */
static void test_an_event_again(void **state)
{
	(void)state;
	for (int kind = EVENT_NONE + 1; kind < EVENT_KINDS; kind++) {
		struct event *event = make_kind((enum event_kind)kind);
		struct event *again = event_again(event);

		assert_same_event(event, again);
		event_unref(&again);
		event_set_term(event, INT64_C(9007199254740993));
		again = event_again(event);
		assert_lua(event, again, "return a.term == 9007199254740993 and b.term == a.term and a.rerun == nil and b.rerun");
		event_unref(&event);
		event_unref(&again);
	}
}

static void test_keys_are_in_order(void **state)
{
	char *key = event_record_key(42);

	(void)state;
	assert_string_equal(key, "events/000000000042");
	assert_int_equal(event_record_number("1700000000-42"), 42);
	assert_int_equal(event_record_number("odd"), 0);
	free(key);
}

#define staged(test) cmocka_unit_test_setup_teardown(test, open_stage, close_stage)

int main(void)
{
	const struct CMUnitTest tests[] = {
		staged(test_each_kind_comes_back),
		staged(test_the_cluster_is_the_readers),
		staged(test_what_is_damaged_is_refused),
		staged(test_an_event_again),
		staged(test_keys_are_in_order),
	};

	return cmocka_run_group_tests_name("event_record", tests, NULL, NULL);
}
