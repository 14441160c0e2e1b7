/*
 * Pictures (core/view.h) and the board that keeps them up to date: what they show, what they share, and that
 * who holds one keeps it as it was.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/kit.h"

#define NODES 300 /* several pages */
#define CLUSTERS 5

static struct {
	struct config *config;
	struct fleet *fleet;
	struct board *board;
	struct moment now;
	unsigned random;
} at;

/* Of so many nodes from db<first> on. */
static struct config *config_of(size_t first, size_t count)
{
	char *ids[NODES];
	struct config *config;

	for (size_t i = 0; i < count; i++)
		ids[i] = mem_printf("db%zu", first + i);
	config = kit_config((const char *const *)ids, count);
	for (size_t i = 0; i < count; i++)
		free(ids[i]);
	return config;
}

static int set_up(void **state)
{
	(void)state;
	at.config = config_of(0, NODES);
	at.now = kit_moment(0, KIT_BASE_MS);
	at.fleet = fleet_new(at.config, &at.now);
	at.board = board_new();
	at.random = 1;
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	board_unref(&at.board);
	fleet_free(&at.fleet);
	config_unref(&at.config);
	return 0;
}

static size_t any(size_t below)
{
	at.random = at.random * 1103515245 + 12345;
	return (at.random >> 8) % below;
}

static char *rendered(const struct view *view)
{
	struct buf text = { 0 };
	struct json json = { .out = &text };

	view_render(view, true, &json);
	return buf_steal(&text);
}

/* The board's picture is the one that would be made anew. */
static void assert_shows(const struct view *shown, const struct cluster *cluster)
{
	struct view *view = view_new(at.fleet, cluster);
	char *expected = rendered(view);
	char *found = rendered(shown);

	assert_string_equal(found, expected);
	assert_int_equal(shown->masters, view->masters);
	assert_int_equal(shown->slaves, view->slaves);
	assert_int_equal(shown->lost, view->lost);
	assert_int_equal(shown->clusterless, view->clusterless);
	assert_int_equal(view_bytes(shown, NULL), view_bytes(view, NULL));
	free(expected);
	free(found);
	view_unref(&view);
}

static void assert_board(void)
{
	size_t slaves = 0;
	size_t lost = 0;

	board_update(&at.board, at.fleet);
	for (size_t i = 0; i < at.fleet->clusters.count; i++) {
		const struct cluster *cluster = at.fleet->clusters.items[i];
		const struct view *view = board_find(at.board, cluster->id);

		assert_non_null(view);
		assert_shows(view, cluster);
		slaves += view->slaves;
		lost += view->lost;
	}
	assert_shows(at.board->clusterless, NULL);
	assert_int_equal(at.board->cluster_count, at.fleet->clusters.count);
	assert_int_equal(at.board->slaves, slaves);
	assert_int_equal(at.board->lost, lost);
}

static struct cluster *found(int id, size_t from, size_t count)
{
	struct cluster *cluster = fleet_add_cluster(at.fleet, id);

	for (size_t i = from; i < from + count; i++)
		fleet_move(at.fleet->nodes[i], cluster, i == from ? PLACE_MASTER : PLACE_SLAVE, &at.now);
	return cluster;
}

static struct event *event_of(const struct cluster *cluster)
{
	board_update(&at.board, at.fleet);
	return event_new(EVENT_SLAVE_DOWN, "1-1", board_find(at.board, cluster->id), at.board->clusterless, 0);
}

static void lose(struct node *node)
{
	at.now.wall_ms++;
	fleet_move(node, node->cluster, PLACE_LOST, &at.now);
	node_give_reason(node, REASON_LAG, "it is late");
}

/* One thing that happens to a fleet. */
static void stir(void)
{
	struct node *node = at.fleet->nodes[any(NODES)];
	struct cluster *cluster = any(4) > 0 ? at.fleet->clusters.items[any(at.fleet->clusters.count)] : NULL;
	bool may_sit = cluster != NULL && (cluster->seat == NULL || cluster->seat == node);
	enum place place = cluster == NULL ? PLACE_CLUSTERLESS : may_sit ? PLACE_MASTER : any(2) ? PLACE_SLAVE : PLACE_LOST;

	at.now.wall_ms++;
	if (any(3) == 0)
		fleet_move(node, cluster, place, &at.now);
	else
		node_give_reason(node, any(2) ? REASON_LAG : REASON_NONE, any(2) ? "late" : "");
}

static void test_up_to_date(void **state)
{
	struct board *held = NULL;
	char *shown = NULL;

	(void)state;
	for (int id = 0; id < CLUSTERS; id++)
		(void)found(id, (size_t)id * 50, 50);
	assert_board();
	for (int i = 0; i < 2000; i++) {
		if (i % 100 == 0) {
			held = board_ref(at.board);
			shown = rendered(board_find(held, 1));
		}
		for (size_t n = any(4); n > 0; n--)
			stir();
		if (i % 7 == 0)
			fleet_touch(at.fleet, at.fleet->clusters.items[0]);
		if (i % 11 == 0)
			fleet_touch(at.fleet, NULL);
		assert_board();
		if (i % 100 == 99) { /* who holds a board has it as it was */
			char *kept = rendered(board_find(held, 1));

			assert_string_equal(kept, shown);
			free(kept);
			free(shown);
			board_unref(&held);
		}
	}
}

/* A cluster goes, and its nodes are shown where they are then. */
static void test_dropped(void **state)
{
	struct cluster *one = found(1, 0, 70);
	struct cluster *two = found(2, 70, 1);

	(void)state;
	assert_board();
	for (size_t i = 0; i < 70; i++)
		fleet_move(at.fleet->nodes[i], i < 35 ? two : NULL, i < 35 ? PLACE_LOST : PLACE_CLUSTERLESS, &at.now);
	fleet_drop_cluster(at.fleet, one);
	assert_board();
	assert_null(board_find(at.board, 1));
	assert_int_equal(board_find(at.board, 2)->lost, 35);
}

/* Nodes leave by a reload, and those behind them have other orders: the same views stand in other places. */
static void test_reload(void **state)
{
	struct config *next = config_of(3, NODES - 3);
	struct list removed = { 0 };
	struct node *node;

	(void)state;
	(void)found(1, 0, 70);
	(void)found(2, 70, 70);
	assert_board();
	lose(at.fleet->nodes[1]); /* and it leaves before that is shown */
	fleet_reload(at.fleet, next, &at.now, &removed);
	assert_board();
	assert_int_equal(removed.count, 3);
	while ((node = list_shift(&removed)) != NULL)
		node_free(&node);
	list_free(&removed);
	lose(at.fleet->nodes[100]);
	assert_board();
	assert_ptr_equal(view_find(board_find(at.board, 2), 100), node_view_of(at.fleet->nodes[100]));
	config_unref(&next);
}

/* Each event shows the state at its time, and costs what changed in it. */
static void test_shared(void **state)
{
	struct cluster *cluster = found(1, 0, NODES);
	struct event *events[NODES];
	size_t whole;

	(void)state;
	for (size_t i = 0; i < NODES; i++)
		at.fleet->nodes[i]->known = true;
	events[0] = event_of(cluster);
	whole = view_bytes(events[0]->view, NULL);
	assert_true(whole > (size_t)NODES * 150);
	for (size_t i = 1; i < NODES; i++) {
		lose(at.fleet->nodes[i]);
		events[i] = event_of(cluster);
		event_set_node(events[i], at.fleet->nodes[i], RULE_S1, REASON_LAG, "it is late");
		assert_int_equal(events[i]->view->lost, i);
		assert_ptr_equal(events[i]->node, view_find(events[i]->view, i)); /* shared as well */
		assert_true(event_bytes(events[i], events[i - 1]->view, events[i - 1]->others) < 2500);
		assert_int_equal(view_bytes(events[i]->view, events[i]->view), 0);
	}
	for (size_t i = 0; i < NODES; i++) {
		assert_int_equal(events[i]->view->lost, i);
		assert_int_equal(events[i]->view->slaves, NODES - 1 - i);
		assert_int_equal(view_find(events[i]->view, NODES - 1)->state, i < NODES - 1 ? PLACE_SLAVE : PLACE_LOST);
		event_unref(&events[i]);
	}
}

/* What the trigger is told of its node need not be what the picture shows of it. */
static void test_own_reason(void **state)
{
	struct cluster *cluster = found(1, 0, 3);
	struct event *event = event_of(cluster);
	const struct node_view *shown = view_find(event->view, 1);

	(void)state;
	event_set_node(event, at.fleet->nodes[1], RULE_S1, REASON_REFUSED, "nobody listens");
	assert_int_equal(event->node->reason, REASON_REFUSED);
	assert_string_equal(event->node->message, "nobody listens");
	assert_string_equal(event->node->text, shown->text);
	assert_int_equal(shown->reason, REASON_NONE);
	event_set_rival(event, at.fleet->nodes[2]);
	assert_ptr_equal(event->rival, view_find(event->view, 2));
	event_unref(&event);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_up_to_date),
		TEST(test_dropped),
		TEST(test_reload),
		TEST(test_shared),
		TEST(test_own_reason),
	};

	return cmocka_run_group_tests_name("pictures", tests, NULL, NULL);
}
