/* What a state file puts back, and what it does with contradictions. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "core/aliases.h"
#include "core/saved.h"
#include "core/verdict.h"

#define NODES 4

static const struct moment now = { .steady_ms = 1000000, .stamp_ms = 50000000, .wall_ms = 50000000 };

static struct config *make_config(void)
{
	static const char *const ids[NODES] = { "a:1", "b:1", "c:1", "d:1" };
	struct config *config = config_new();

	config->max_sync_delay_ms = 5000;
	config->recover_sync_delay_ms = 3000;
	config->down_after = 1;
	config->node_count = NODES;
	config->nodes = mem_zalloc(NODES, sizeof(*config->nodes));
	for (size_t i = 0; i < NODES; i++) {
		config->nodes[i].id = mem_strdup(ids[i]);
		config->nodes[i].name = mem_strdup(ids[i]);
		config->nodes[i].host = mem_strdup("x");
	}
	config_seal(config);
	return config;
}

static struct fleet *make_fleet(void)
{
	struct config *config = make_config();
	struct fleet *fleet = fleet_new(config, &now);

	config_unref(&config);
	return fleet;
}

static struct saved_node node_of(char *id, enum place place)
{
	return (struct saved_node){
		.id = id,
		.master_name = (char *)"a:1",
		.place = place,
		.is_slave = place != PLACE_MASTER,
		.has_shown = true,
		.shown = 49999000,
		.server_version = 150020,
	};
}

static void test_puts_back_places_seats_and_beats(void **state)
{
	struct saved_node nodes[] = {
		node_of((char *)"a:1", PLACE_MASTER),
		node_of((char *)"b:1", PLACE_SLAVE),
		node_of((char *)"c:1", PLACE_LOST),
		node_of((char *)"gone:1", PLACE_SLAVE),
	};
	struct holder holder = { .name = (char *)"c:1", .last_tstamp = 49000000 };
	struct saved_cluster cluster = {
		.id = 3, .has_beats = true, .first_tstamp = 40000000, .last_tstamp = 49999000,
		.holders = &holder, .holder_count = 1, .nodes = nodes, .node_count = 4,
	};
	const struct saved saved = { .next_id = 2, .clusters = &cluster, .cluster_count = 1 };
	struct fleet *fleet = make_fleet();
	const struct cluster *restored;
	int64_t lag_ms;

	(void)state;
	saved_restore(fleet, &saved, &now);
	assert_int_equal(1, fleet->clusters.count);
	restored = fleet->clusters.items[0];
	assert_int_equal(3, restored->id);
	assert_int_equal(4, fleet->next_id); /* never reused, whatever next_id says */
	assert_ptr_equal(fleet->nodes[0], restored->seat);
	assert_int_equal(PLACE_SLAVE, fleet->nodes[1]->place);
	assert_int_equal(PLACE_LOST, fleet->nodes[2]->place);
	assert_int_equal(PLACE_CLUSTERLESS, fleet->nodes[3]->place);
	assert_int_equal(3, restored->members.count);
	assert_non_null(cluster_holder(restored, fleet->nodes[2]));
	assert_true(node_lag(fleet->nodes[1], &lag_ms)); /* it shows the last beat */
	assert_int_equal(0, lag_ms);
	fleet_free(&fleet);
}

static void test_an_old_last_beat_makes_late_only_who_has_not_replayed_it(void **state)
{
	struct saved_node nodes[] = {
		node_of((char *)"a:1", PLACE_MASTER),
		node_of((char *)"b:1", PLACE_SLAVE),
	};
	struct saved_cluster cluster = {
		.id = 0, .has_beats = true, .first_tstamp = 49800000, .last_tstamp = 49900000,
		.nodes = nodes, .node_count = 2,
	};
	const struct saved saved = { .clusters = &cluster, .cluster_count = 1 };
	struct fleet *fleet = make_fleet();
	struct cluster *restored;
	int64_t lag_ms;

	(void)state;
	saved_restore(fleet, &saved, &now); /* 100 s after the last beat */
	restored = fleet->clusters.items[0];
	history_add(&restored->beats, 50000000, now.steady_ms, false, 5000);
	assert_true(cluster_lag(restored, 49900000, &lag_ms)); /* lacks only the newest */
	assert_int_equal(0, lag_ms);
	assert_true(cluster_lag(restored, 49850000, &lag_ms)); /* lacks the one before the restart */
	assert_true(lag_ms >= 100000);
	assert_false(cluster_lag(restored, 49700000, &lag_ms)); /* of an earlier run */
	fleet_free(&fleet);
}

static void test_contradictions_count_by_what_comes_first(void **state)
{
	struct saved_node first[] = {
		node_of((char *)"a:1", PLACE_MASTER),
		node_of((char *)"b:1", PLACE_MASTER),
		node_of((char *)"c:1", PLACE_CLUSTERLESS),
	};
	struct saved_node second[] = { node_of((char *)"a:1", PLACE_SLAVE) };
	struct saved_node third[] = { node_of((char *)"d:1", PLACE_MASTER) };
	struct saved_cluster clusters[] = {
		{ .id = 1, .nodes = first, .node_count = 3 },
		{ .id = 2, .nodes = second, .node_count = 1 }, /* all its nodes are elsewhere */
		{ .id = 1, .nodes = third, .node_count = 1 },  /* the id is taken */
	};
	const struct saved saved = { .clusters = clusters, .cluster_count = 3 };
	struct fleet *fleet = make_fleet();

	(void)state;
	saved_restore(fleet, &saved, &now);
	assert_int_equal(1, fleet->clusters.count);
	assert_int_equal(PLACE_MASTER, fleet->nodes[0]->place);
	assert_int_equal(PLACE_LOST, fleet->nodes[1]->place);
	assert_int_equal(PLACE_CLUSTERLESS, fleet->nodes[2]->place);
	assert_int_equal(PLACE_CLUSTERLESS, fleet->nodes[3]->place);
	fleet_free(&fleet);
}

static void test_who_sat_last_is_known_while_the_seat_is_empty(void **state)
{
	struct saved_node nodes[] = {
		node_of((char *)"a:1", PLACE_LOST),
		node_of((char *)"b:1", PLACE_SLAVE),
	};
	struct saved_cluster cluster = { .nodes = nodes, .node_count = 2 };
	const struct saved saved = { .clusters = &cluster, .cluster_count = 1 };
	struct fleet *fleet = make_fleet();
	struct buf text = { 0 };

	(void)state;
	nodes[0].sat_last = true;
	nodes[0].aliases[0] = (char *)"other:1";
	saved_restore(fleet, &saved, &now);
	assert_ptr_equal(fleet->nodes[0], cluster_master(fleet->clusters.items[0]));
	assert_ptr_equal(fleet->nodes[0], fleet_named(fleet, NULL, "other:1"));
	saved_render(fleet, 7, NULL, &now, &text);
	assert_non_null(strstr(buf_text(&text), "\"aliases\":[\"other:1\"]"));
	assert_non_null(strstr(buf_text(&text), "\"event_count\":7"));
	assert_non_null(strstr(buf_text(&text), "\"id\":\"a:1\",\"place\":\"lost\",\"is_slave\":true,"
						"\"master_name\":\"a:1\",\"sat_last\":true"));
	buf_free(&text);
	fleet_free(&fleet);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_puts_back_places_seats_and_beats),
		cmocka_unit_test(test_an_old_last_beat_makes_late_only_who_has_not_replayed_it),
		cmocka_unit_test(test_contradictions_count_by_what_comes_first),
		cmocka_unit_test(test_who_sat_last_is_known_while_the_seat_is_empty),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
