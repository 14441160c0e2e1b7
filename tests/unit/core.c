/* The core's values: history, names, ids, holders, the JSON shapes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/json.h"
#include "core/aliases.h"
#include "core/view.h"
#include "support/kit.h"

static const char *const ids[] = { "m", "b", "a", "z" };

struct bench {
	struct fleet *fleet;
	struct config *config;
	struct moment now;
};

static struct bench bench_make(void)
{
	struct bench bench = { .config = kit_config(ids, 4), .now = kit_moment(0, KIT_BASE_MS) };

	bench.fleet = fleet_new(bench.config, &bench.now);
	return bench;
}

static void bench_free(struct bench *bench)
{
	fleet_free(&bench->fleet);
	config_unref(&bench->config);
}

static void lags(const struct history *history, int64_t tstamp, int64_t expected)
{
	int64_t lag = -1;

	if (expected < 0) {
		assert_false(history_lag(history, tstamp, &lag));
		assert_int_equal(lag, -1);
		return;
	}
	assert_true(history_lag(history, tstamp, &lag));
	assert_int_equal(lag, expected);
}

static void test_history_lag(void **state)
{
	struct history history = { 0 };

	(void)state;
	lags(&history, 0, -1);
	assert_true(history_newest(&history) == INT64_MIN);
	history_add(&history, 1000, 0, true, 120000);
	lags(&history, 999, -1); /* no beat of this run */
	lags(&history, 1000, 0);
	history_add(&history, 61000, 60000, false, 120000);
	history_add(&history, 121000, 120000, false, 120000);
	lags(&history, 1000, 60000);
	lags(&history, 60999, 60000);
	lags(&history, 61000, 0);
	lags(&history, 121000, 0);
	lags(&history, 999999, 0);
	assert_int_equal(history_newest(&history), 121000);
	history_free(&history);
	assert_int_equal(history.count, 0);
}

/* A row older than the oldest kept beat has at least that one's age: more than the window. By how
 * much more its tstamp says, for a window that grows by a reload. */
static void test_history_window(void **state)
{
	struct history history = { 0 };

	(void)state;
	for (int i = 0; i <= 100; i++)
		history_add(&history, i, i * 1000, false, 10000);
	assert_int_equal(history.count, 12); /* 90-100 and the youngest beyond the window */
	lags(&history, 89, 10000);
	lags(&history, 88, 11000);
	lags(&history, 0, 11000 + 89);
	lags(&history, -1, -1);
	history_add(&history, 1000, 1000000, false, 10000); /* a long sleep */
	assert_int_equal(history.count, 2);
	lags(&history, 99, 900000);
	lags(&history, 100, 0);
	history_free(&history);
}

static void test_history_thins(void **state)
{
	struct history history = { 0 };
	int64_t previous = INT64_MAX;

	(void)state;
	for (int i = 0; i < 5000; i++)
		history_add(&history, i, i * 20, false, 120000);
	assert_int_equal(history.count, HISTORY_BEATS);
	assert_int_equal(history.beats[0].tstamp, 0);
	assert_int_equal(history_newest(&history), 4999);
	for (size_t i = 1; i < history.count; i++)
		assert_true(history.beats[i].tstamp > history.beats[i - 1].tstamp);
	for (int i = 0; i < 5000; i++) { /* never greater than the truth, and monotonous */
		int64_t truth = i == 4999 ? 0 : (4999 - (i + 1)) * 20;
		int64_t lag;

		assert_true(history_lag(&history, i, &lag));
		assert_true(lag <= truth && lag <= previous);
		assert_true(truth - lag <= 2000);
		previous = lag;
	}
	history_free(&history);
}

/*
 * A day of beats, one each second, for a standby that may be a day behind: its lag is known to 2 %, and as
 * well that of a sibling that may be 2 s behind.
 */
static void test_history_of_a_day(void **state)
{
	struct history history = { 0 };
	const int day = 86400;

	(void)state;
	for (int i = 0; i <= day; i++)
		history_add(&history, i, i * INT64_C(1000), false, day * INT64_C(1000));
	assert_int_equal(history.count, HISTORY_BEATS);
	for (int i = 0; i < day; i++) {
		int64_t truth = (day - (i + 1)) * INT64_C(1000);
		int64_t lag;

		assert_true(history_lag(&history, i, &lag));
		assert_true(lag <= truth && (double)lag >= (double)truth * 0.98);
	}
	lags(&history, day - 3, 2000);
	lags(&history, day - 20, 19000);
	history_free(&history);
}

static void test_history_clock_stops(void **state)
{
	struct history history = { 0 };

	(void)state;
	history_add(&history, 0, 0, true, 120000);
	history_add(&history, 10, 10000, false, 120000);
	history_add(&history, 20, 500000, true, 120000); /* the seat was empty */
	lags(&history, 0, 0);
	lags(&history, 10, 0);
	history_add(&history, 30, 501000, false, 120000);
	lags(&history, 0, 1000);
	lags(&history, 10, 1000);
	history_add(&history, 40, 900000, true, 120000);
	lags(&history, 0, 1000);
	lags(&history, 20, 0);
	assert_int_equal(history.stopped_ms, 490000 + 399000);
	history_free(&history);
}

static void bear(struct node *node, const char *name)
{
	fleet_give_alias(node->fleet, node, name);
}

static void test_nodes_by_id(void **state)
{
	struct config *config = kit_config(ids, 4);
	struct config *empty = kit_config(NULL, 0);

	(void)state;
	for (size_t i = 0; i < 4; i++)
		assert_ptr_equal(config_find_node(config, ids[i]), &config->nodes[i]);
	assert_null(config_find_node(config, "c"));
	assert_null(config_find_node(config, ""));
	assert_null(config_find_node(empty, "m"));
	config_unref(&config);
	config_unref(&empty);
}

/* In its order or in another one, with ones that it does not have in between. */
static void test_nodes_one_after_another(void **state)
{
	static const char *const asked[] = { "m", "new", "c", "a", "b", "b", "m", "c", "a" };
	static const char *const there[] = { "m", "a", "b", "c" };
	struct config *config = kit_config(there, 4);
	struct config *empty = kit_config(NULL, 0);
	size_t at = 0;
	size_t nowhere = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(asked) / sizeof(asked[0]); i++) {
		assert_ptr_equal(config_find_next(config, asked[i], &at), config_find_node(config, asked[i]));
		assert_null(config_find_next(empty, asked[i], &nowhere));
	}
	at = 0;
	for (size_t i = 0; i < 4; i++)
		assert_ptr_equal(config_find_next(config, there[i], &at), &config->nodes[i]);
	assert_null(config_find_next(config, "d", &at)); /* behind the last one */
	config_unref(&config);
	config_unref(&empty);
}

static void test_fleet_named(void **state)
{
	struct bench bench = bench_make();
	struct fleet *fleet = bench.fleet;
	struct cluster *first = fleet_add_cluster(fleet, 0);
	struct cluster *second = fleet_add_cluster(fleet, 1);

	(void)state;
	fleet_move(fleet->nodes[0], first, PLACE_LOST, &bench.now);
	fleet_move(fleet->nodes[1], first, PLACE_MASTER, &bench.now);
	fleet_move(fleet->nodes[2], second, PLACE_MASTER, &bench.now);
	for (size_t i = 0; i < 4; i++)
		assert_ptr_equal(fleet_named(fleet, NULL, ids[i]), fleet->nodes[i]);
	assert_null(fleet_named(fleet, NULL, "vip"));
	assert_null(fleet_named(fleet, first, ""));
	bear(fleet->nodes[0], "vip");
	assert_ptr_equal(fleet_named(fleet, second, "vip"), fleet->nodes[0]);
	bear(fleet->nodes[2], "vip");
	assert_ptr_equal(fleet_named(fleet, first, "vip"), fleet->nodes[0]);
	assert_ptr_equal(fleet_named(fleet, second, "vip"), fleet->nodes[2]);
	assert_ptr_equal(fleet_named(fleet, NULL, "vip"), fleet->nodes[2]); /* who sits */
	bear(fleet->nodes[1], "vip");
	assert_ptr_equal(fleet_named(fleet, first, "vip"), fleet->nodes[1]);
	bear(fleet->nodes[0], "z"); /* a configured node's name stays its own */
	assert_ptr_equal(fleet_named(fleet, first, "z"), fleet->nodes[3]);
	bench_free(&bench);
}

static void observe_over(struct bench *bench, struct node *node, const char *name, int64_t tstamp)
{
	struct observation seen = kit_master();

	seen.beat = kit_beat(BEAT_WRITTEN, tstamp + 1);
	seen.beat.replaced = true;
	seen.beat.before.tstamp = tstamp;
	text_copy(seen.beat.before.master, NAME_BYTES, name);
	node_observe(bench->fleet, node, &seen, &bench->now);
}

static void test_aliases(void **state)
{
	struct bench bench = bench_make();
	struct cluster *cluster = fleet_add_cluster(bench.fleet, 0);
	struct node *node = bench.fleet->nodes[1];

	(void)state;
	fleet_move(node, cluster, PLACE_MASTER, &bench.now);
	observe_over(&bench, node, "early", 10); /* before our first beat: anybody's */
	assert_null(fleet_named(bench.fleet, cluster, "early"));
	observe_over(&bench, node, "old", 11); /* our own beat was 11: not in its place */
	assert_null(fleet_named(bench.fleet, cluster, "old"));
	observe_over(&bench, node, "z", 20); /* a configured node's */
	assert_null(node->aliases[0]);
	observe_over(&bench, node, "n1", 30);
	observe_over(&bench, node, "n2", 40);
	observe_over(&bench, node, "n1", 50);
	assert_string_equal(node->aliases[1], "n2");
	assert_null(node->aliases[2]);
	observe_over(&bench, node, "n3", 60);
	observe_over(&bench, node, "n4", 70);
	observe_over(&bench, node, "n5", 80); /* the oldest gives way */
	assert_null(fleet_named(bench.fleet, cluster, "n1"));
	assert_ptr_equal(fleet_named(bench.fleet, cluster, "n2"), node);
	assert_ptr_equal(fleet_named(bench.fleet, cluster, "n5"), node);
	bench_free(&bench);
}

static void test_ids(void **state)
{
	struct bench bench = bench_make();
	struct fleet *fleet = bench.fleet;
	struct node *a = fleet->nodes[0];
	struct node *b = fleet->nodes[1];

	(void)state;
	assert_int_equal(fleet_reserve_id(fleet, a), 0);
	assert_int_equal(fleet_reserve_id(fleet, a), 0);
	fleet_settle_id(fleet, a, false); /* the last one is given back */
	assert_int_equal(fleet_reserve_id(fleet, b), 0);
	assert_int_equal(fleet_reserve_id(fleet, a), 1);
	fleet_settle_id(fleet, b, false); /* not the last: kept for its next attempt */
	assert_int_equal(fleet_reserve_id(fleet, b), 0);
	fleet_settle_id(fleet, b, true);
	fleet_settle_id(fleet, a, true);
	assert_int_equal(fleet_reserve_id(fleet, b), 2);
	fleet_settle_id(fleet, b, true);
	fleet_settle_id(fleet, b, false); /* nothing is reserved */
	assert_int_equal(fleet_reserve_id(fleet, a), 3);
	bench_free(&bench);
}

static void test_holders_and_members(void **state)
{
	struct bench bench = bench_make();
	struct fleet *fleet = bench.fleet;
	struct cluster *late = fleet_add_cluster(fleet, 7);
	struct cluster *cluster = fleet_add_cluster(fleet, 3);
	struct node *m = fleet->nodes[0];
	struct node *z = fleet->nodes[3];

	(void)state;
	assert_ptr_equal(fleet->clusters.items[0], cluster);
	fleet_move(z, cluster, PLACE_MASTER, &bench.now);
	fleet_move(m, cluster, PLACE_SLAVE, &bench.now);
	assert_ptr_equal(cluster->members.items[0], m);
	history_add(&cluster->beats, 500, 0, true, 120000);
	fleet_move(z, cluster, PLACE_LOST, &bench.now);
	assert_null(cluster->seat);
	assert_ptr_equal(cluster_master(cluster), z);
	assert_int_equal(cluster_holder(cluster, z)->last_tstamp, 500);
	assert_null(cluster_holder(cluster, m));
	fleet_move(z, late, PLACE_MASTER, &bench.now);
	assert_null(cluster_master(cluster)); /* no member any more */
	assert_int_equal(cluster_holder(cluster, z)->last_tstamp, 500);
	bench_free(&bench);
}

static void test_beat_orders_grow(void **state)
{
	struct bench bench = bench_make();
	struct cluster *cluster = fleet_add_cluster(bench.fleet, 0);
	struct node *node = bench.fleet->nodes[0];
	struct moment later = kit_moment(1000, KIT_BASE_MS);

	(void)state;
	history_add(&cluster->beats, KIT_BASE_MS, 0, true, 120000);
	assert_int_equal(fleet_beat_order(cluster, node, &bench.now).tstamp, KIT_BASE_MS + 1);
	assert_int_equal(fleet_beat_order(cluster, node, &later).tstamp, KIT_BASE_MS + 1000);
	history_add(&cluster->beats, KIT_BASE_MS + 5000, 1000, false, 120000);
	assert_int_equal(fleet_beat_order(cluster, node, &later).tstamp, KIT_BASE_MS + 5001);
	bench_free(&bench);
}

/* m sits, b is its slave 1.5 s behind, a is lost, z clusterless and never seen. */
static struct bench bench_with_cluster(struct cluster **cluster)
{
	struct bench bench = bench_make();
	struct node **nodes = bench.fleet->nodes;
	struct observation seen = kit_master();

	*cluster = fleet_add_cluster(bench.fleet, 5);
	fleet_move(nodes[0], *cluster, PLACE_MASTER, &bench.now);
	fleet_move(nodes[1], *cluster, PLACE_SLAVE, &bench.now);
	fleet_move(nodes[2], *cluster, PLACE_LOST, &bench.now);
	node_observe(bench.fleet, nodes[0], &seen, &bench.now);
	seen = kit_slave("m", 1);
	node_observe(bench.fleet, nodes[1], &seen, &bench.now);
	node_observe(bench.fleet, nodes[2], &seen, &bench.now);
	seen = kit_failure(REASON_REFUSED, false);
	node_observe(bench.fleet, nodes[2], &seen, &bench.now);
	history_add(&(*cluster)->beats, 1, 0, true, 120000);
	history_add(&(*cluster)->beats, 2, 500, false, 120000);
	history_add(&(*cluster)->beats, 3, 2000, false, 120000);
	nodes[1]->has_shown = true;
	nodes[1]->shown_tstamp = 1;
	return bench;
}

#define ENTRY(host, cluster, slave, master)                                              \
	"{\"host\":\"" host "\",\"port\":5432,\"cluster_id\":" cluster ",\"is_slave\":" slave \
	",\"master_name\":\"" master "\"}"
#define MEMBERS                                                     \
	"\"master\":" ENTRY("m", "5", "false", "") ","              \
	"\"slaves\":[" ENTRY("b", "5", "true", "m") "],"            \
	"\"lost\":[" ENTRY("a", "5", "true", "m") "]"
#define CLUSTERLESS "\"clusterless\":[" ENTRY("z", "-1", "false", "") "]"

static void test_event_json(void **state)
{
	struct cluster *cluster;
	struct bench bench = bench_with_cluster(&cluster);
	struct view *view = view_new(bench.fleet, cluster);
	struct view *others = view_new(bench.fleet, NULL);
	struct event *event = event_new(EVENT_SLAVE_DOWN, "1-1", view, others, 0);
	struct event *held = event_ref(event);
	struct buf out = { 0 };

	(void)state;
	view_unref(&view);
	view_unref(&others);
	assert_null(view);
	event_render(event, &out);
	assert_string_equal(buf_text(&out),
			    "{\"cluster_id\":5,\"trigger\":null," MEMBERS "," CLUSTERLESS "}");
	buf_clear(&out);
	event_set_node(event, bench.fleet->nodes[2], RULE_S1, REASON_LAG, "late");
	assert_int_equal(event->node->reason, REASON_LAG);
	assert_string_equal(event->node->message, "late");
	event_unref(&event);
	event_render(held, &out);
	assert_string_equal(buf_text(&out), "{\"cluster_id\":5,\"trigger\":" ENTRY(
						    "a", "5", "true", "m") "," MEMBERS "," CLUSTERLESS
									   "}");
	event_unref(&held);
	buf_free(&out);
	bench_free(&bench);
}

static void test_status_json(void **state)
{
	struct cluster *cluster;
	struct bench bench = bench_with_cluster(&cluster);
	struct buf out = { 0 };

	(void)state;
	kit_status(bench.fleet, &out);
	assert_string_equal(buf_text(&out), "{\"clusters\":[{\"cluster_id\":5,\"has_master\":true," MEMBERS
					    "}]," CLUSTERLESS "}\n");
	buf_clear(&out);
	fleet_move(bench.fleet->nodes[0], cluster, PLACE_LOST, &bench.now);
	kit_status(bench.fleet, &out);
	assert_non_null(strstr(buf_text(&out), "\"has_master\":false,\"master\":null,\"slaves\":["));
	assert_non_null(strstr(buf_text(&out), "\"lost\":[" ENTRY("m", "5", "false", "") ","));
	buf_free(&out);
	bench_free(&bench);
}

static void test_status_json_of_nothing(void **state)
{
	struct config *config = kit_config(ids, 0);
	struct moment now = kit_moment(0, 0);
	struct fleet *fleet = fleet_new(config, &now);
	struct buf out = { 0 };

	(void)state;
	assert_null(fleet_named(fleet, NULL, "a"));
	kit_status(fleet, &out);
	assert_string_equal(buf_text(&out), "{\"clusters\":[],\"clusterless\":[]}\n");
	buf_free(&out);
	fleet_free(&fleet);
	config_unref(&config);
}

/* The full status, read `nodes` at a time, while the board goes on to another one. */
static void render_full(struct fleet *fleet, size_t nodes, struct buf *out)
{
	struct json json = { .out = out };
	struct board *board = board_new();
	struct view *none = view_new_empty();
	struct board_reader reader;

	board_update(&board, fleet);
	jsonw_begin_object(&json);
	board_read_begin(&reader, board, &json);
	board_put(&board, none); /* shows no clusterless node any more */
	while (board_read(&reader, nodes, &json))
		continue;
	assert_false(board_read(&reader, nodes, &json));
	board_read_end(&reader);
	jsonw_end_object(&json);
	view_unref(&none);
	board_unref(&board);
}

static void test_full_status_json(void **state)
{
	struct cluster *cluster;
	struct bench bench = bench_with_cluster(&cluster);
	struct buf out = { 0 };

	(void)state;
	render_full(bench.fleet, 1000, &out);
	for (size_t nodes = 1; nodes < 6; nodes++) {
		struct buf parts = { 0 };

		kit_touch_all(bench.fleet);
		render_full(bench.fleet, nodes, &parts);
		assert_string_equal(buf_text(&parts), buf_text(&out));
		buf_free(&parts);
	}
	assert_non_null(strstr(buf_text(&out),
			       "\"is_slave\":true,\"master_name\":\"m\",\"name\":\"b\","
			       "\"state\":\"slave\",\"condition\":\"well\",\"lag\":1.500,\"reason\":null,\"message\":null,"
			       "\"since\":1700000000.000,\"server_version\":150020}"));
	assert_non_null(strstr(buf_text(&out), "\"state\":\"lost\",\"condition\":\"down\",\"lag\":null,\"reason\":"
					       "\"refused\",\"message\":\"refused\""));
	assert_non_null(strstr(buf_text(&out), "\"state\":\"clusterless\",\"condition\":\"unknown\",\"lag\":null,\"reason\":null,"
					       "\"message\":null,\"since\":1700000000.000,"
					       "\"server_version\":null}]}"));
	buf_free(&out);
	bench_free(&bench);
}

static void test_names(void **state)
{
	(void)state;
	for (int kind = EVENT_PLUSMOIN_UP; kind < EVENT_KINDS; kind++)
		assert_int_equal(event_kind_parse(event_kind_name((enum event_kind)kind)), kind);
	assert_int_equal(event_kind_parse("master_sideways"), EVENT_NONE);
	assert_string_equal(event_kind_name(EVENT_NONE), "");
	assert_string_equal(reason_name(REASON_DEMOTED), "demoted");
	assert_string_equal(rule_name(RULE_T7), "T7");
	for (int kind = EVENT_NONE + 1; kind < EVENT_KINDS; kind++)
		assert_non_null(strstr(event_names_text, event_kind_name((enum event_kind)kind)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_history_lag),
		cmocka_unit_test(test_history_window),
		cmocka_unit_test(test_history_thins),
		cmocka_unit_test(test_history_of_a_day),
		cmocka_unit_test(test_history_clock_stops),
		cmocka_unit_test(test_nodes_by_id),
		cmocka_unit_test(test_nodes_one_after_another),
		cmocka_unit_test(test_fleet_named),
		cmocka_unit_test(test_aliases),
		cmocka_unit_test(test_ids),
		cmocka_unit_test(test_holders_and_members),
		cmocka_unit_test(test_beat_orders_grow),
		cmocka_unit_test(test_event_json),
		cmocka_unit_test(test_status_json),
		cmocka_unit_test(test_status_json_of_nothing),
		cmocka_unit_test(test_full_status_json),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests_name("core", tests, NULL, NULL);
}
