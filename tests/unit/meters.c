/* Meters (core/meter.h, core/meters.h): what they count, and that pictures keep those of what they show. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/kit.h"

static void test_a_duration_goes_into_its_bucket(void **state)
{
	static const struct histogram_bounds bounds = { .count = 3, .us = { 10, 100, 1000 } };
	struct histogram histogram = { .bounds = &bounds };
	static const int64_t lengths[] = { -5, 0, 10, 11, 100, 1000, 1001, 50000 };
	static const uint64_t expected[] = { 3, 2, 1, 2 };

	(void)state;
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++)
		histogram_add(&histogram, lengths[i]);
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(counter_read(&histogram.counts[i]), expected[i]);
	assert_int_equal(counter_read(&histogram.sum_us), 10 + 11 + 100 + 1000 + 1001 + 50000);
}

static void test_bounds_of_all_histograms_rise(void **state)
{
	struct meters meters;
	struct cluster_meter *cluster = cluster_meter_new();
	const struct histogram *all[] = { &meters.observation, &meters.detection, &meters.run, &meters.lateness,
					  &cluster->observation };

	(void)state;
	meters_init(&meters);
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		const struct histogram_bounds *bounds = all[i]->bounds;

		assert_true(bounds->count > 0 && bounds->count <= HISTOGRAM_BOUNDS);
		for (size_t k = 1; k < bounds->count; k++)
			assert_true(bounds->us[k] > bounds->us[k - 1]);
	}
	cluster_meter_unref(&cluster);
}

/* Which reasons a look or a beat can have; the others are a rule's. */
static void test_every_reason_of_a_failure_has_a_class(void **state)
{
	(void)state;
	for (int reason = REASON_NONE; reason < REASONS; reason++) {
		bool is_rules = reason == REASON_NONE || reason == REASON_LAG || reason == REASON_DEMOTED;

		assert_int_equal(failure_class_of((enum reason)reason) == FAILURE_CLASSES, is_rules);
	}
	for (int class = 0; class < FAILURE_CLASSES; class++)
		assert_true(failure_class_name((enum failure_class)class)[0] != '\0');
}

/* A picture's node goes on being measured, and its meter outlives the fleet. */
static void test_pictures_keep_the_meters(void **state)
{
	static const char *const ids[] = { "db1", "db2" };
	struct config *config = kit_config(ids, 2);
	struct moment now = kit_moment(1000, KIT_BASE_MS);
	struct fleet *fleet = fleet_new(config, &now);
	struct board *board = board_new();
	struct cluster *cluster = fleet_add_cluster(fleet, 3);
	struct observation seen = kit_failure(REASON_REFUSED, false);
	const struct node_view *node;
	struct view *view;

	(void)state;
	fleet_move(fleet->nodes[0], cluster, PLACE_MASTER, &now);
	board_update(&board, fleet);
	view = board_find(board, 3);
	node = view->master;
	assert_int_equal(gauge_read(&node->meter->answered_ms), 0);
	now = kit_moment(2000, KIT_BASE_MS);
	node_observe(fleet, fleet->nodes[0], &seen, &now);
	assert_int_equal(gauge_read(&node->meter->answered_ms), 0);
	observation_clear(&seen);
	seen.kind = OBSERVED_MASTER;
	now = kit_moment(3000, KIT_BASE_MS);
	node_observe(fleet, fleet->nodes[0], &seen, &now);
	assert_int_equal(gauge_read(&node->meter->answered_ms), 3000);
	counter_add(&cluster->meter->rounds, 2);
	assert_ptr_equal(view->meter, cluster->meter);
	assert_null(board->clusterless->meter);
	fleet_free(&fleet);
	config_unref(&config);
	assert_int_equal(counter_read(&view->meter->rounds), 2);
	assert_int_equal(gauge_read(&node->meter->answered_ms), 3000);
	board_unref(&board);
}

/* Of a loss the event knows the first failed look; of one that no failure came before it knows none. */
static void test_an_event_knows_the_first_failed_look(void **state)
{
	static const char *const ids[] = { "db1" };
	struct config *config = kit_config(ids, 1);
	struct moment now = kit_moment(1000, KIT_BASE_MS);
	struct fleet *fleet = fleet_new(config, &now);
	struct observation seen = kit_failure(REASON_REFUSED, false);
	struct view *view = view_new_empty();
	struct event *event = event_new(EVENT_MASTER_DOWN, "1-1", view, view, 0);

	(void)state;
	assert_true(event->failed_ms == INT64_MIN);
	event_set_node(event, fleet->nodes[0], RULE_M2, REASON_NONE, NULL);
	assert_true(event->failed_ms == INT64_MIN);
	node_observe(fleet, fleet->nodes[0], &seen, &now);
	now = kit_moment(2000, KIT_BASE_MS);
	node_observe(fleet, fleet->nodes[0], &seen, &now);
	event_set_node(event, fleet->nodes[0], RULE_M2, REASON_NONE, NULL);
	assert_int_equal(event->failed_ms, 1000);
	event_unref(&event);
	view_unref(&view);
	fleet_free(&fleet);
	config_unref(&config);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_duration_goes_into_its_bucket),
		cmocka_unit_test(test_bounds_of_all_histograms_rise),
		cmocka_unit_test(test_every_reason_of_a_failure_has_a_class),
		cmocka_unit_test(test_pictures_keep_the_meters),
		cmocka_unit_test(test_an_event_knows_the_first_failed_look),
	};

	return cmocka_run_group_tests_name("meters", tests, NULL, NULL);
}
