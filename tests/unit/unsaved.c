/* Which parts of the saved state are named, in which order they are taken, and what many of them cost. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <cmocka.h>

#include "core/unsaved.h"
#include "support/kit.h"

#define FEW 50
#define MANY 5000
#define TIMES_MORE 8 /* that one of MANY may cost of what one of FEW does */

static const struct moment now = { .steady_ms = 1000, .stamp_ms = KIT_BASE_MS, .wall_ms = KIT_BASE_MS };

static struct fleet *make_fleet(size_t count)
{
	char (*names)[16] = mem_zalloc(count, sizeof(*names));
	const char **ids = mem_zalloc(count, sizeof(*ids));
	struct config *config;
	struct fleet *fleet;

	for (size_t i = 0; i < count; i++) {
		(void)snprintf(names[i], sizeof(names[i]), "n%zu", i);
		ids[i] = names[i];
	}
	config = kit_config(ids, count);
	fleet = fleet_new(config, &now);
	config_unref(&config);
	free(ids);
	free(names);
	return fleet;
}

/* A cluster of all nodes, the first in the seat. */
static struct cluster *join_all(struct fleet *fleet, int id)
{
	struct cluster *cluster = fleet_add_cluster(fleet, id);

	for (size_t i = 0; i < fleet->node_count; i++)
		fleet_move(fleet->nodes[i], cluster, i == 0 ? PLACE_MASTER : PLACE_SLAVE, &now);
	return cluster;
}

/* "key " of each part, or "key-" where it goes. */
static void note(void *data, const char *key, const char *text)
{
	buf_addf(data, "%s%s ", key, text != NULL ? "" : "-");
}

static void assert_taken(struct unsaved *set, const struct fleet *fleet, size_t max, const char *expected)
{
	struct buf text = { 0 };

	(void)unsaved_take(set, fleet, &now, max, note, &text);
	assert_string_equal(buf_text(&text), expected);
	buf_free(&text);
}

static void test_each_once_in_the_order_of_naming(void **state)
{
	struct fleet *fleet = make_fleet(3);
	struct unsaved *set = unsaved_new();

	(void)state;
	(void)join_all(fleet, 7);
	unsaved_node(set, "n2");
	unsaved_cluster(set, 7);
	unsaved_node(set, "n0");
	unsaved_node(set, "n2");
	unsaved_cluster(set, 7);
	assert_int_equal(unsaved_count(set), 3);
	assert_taken(set, fleet, 2, "state/node/n2 state/cluster/7 ");
	unsaved_node(set, "n2"); /* meanwhile */
	assert_taken(set, fleet, 9, "state/node/n0 state/node/n2 ");
	assert_taken(set, fleet, 9, "");
	assert_int_equal(unsaved_count(set), 0);
	unsaved_all(set, fleet);
	assert_int_equal(unsaved_count(set), 4);
	unsaved_clear(set);
	assert_taken(set, fleet, 9, "");
	unsaved_free(&set);
	fleet_free(&fleet);
}

static void test_what_is_gone_loses_its_key(void **state)
{
	struct fleet *fleet = make_fleet(2);
	struct cluster *cluster = join_all(fleet, 1);
	struct unsaved *set = unsaved_new();

	(void)state;
	unsaved_node(set, "gone:1");
	unsaved_node(set, "n1");
	unsaved_cluster(set, 1);
	unsaved_cluster(set, 2);
	fleet_move(fleet->nodes[1], NULL, PLACE_CLUSTERLESS, &now);
	assert_taken(set, fleet, 9, "state/node/gone:1- state/node/n1- state/cluster/1 state/cluster/2- ");
	unsaved_cluster(set, 1);
	fleet_move(fleet->nodes[0], NULL, PLACE_CLUSTERLESS, &now);
	assert_taken(set, fleet, 9, "state/cluster/1- "); /* without members, and not dropped yet */
	unsaved_cluster(set, 1);
	fleet_drop_cluster(fleet, cluster);
	assert_taken(set, fleet, 9, "state/cluster/1- ");
	unsaved_free(&set);
	fleet_free(&fleet);
}

static void test_a_change_names_its_node_and_both_clusters(void **state)
{
	struct fleet *fleet = make_fleet(3);
	struct cluster *to = fleet_add_cluster(fleet, 4);
	struct unsaved *set = unsaved_new();
	struct changes changes = { 0 };

	(void)state;
	(void)join_all(fleet, 3);
	unsaved_change(set, changes_move(&changes, RULE_S1, fleet->nodes[1], fleet->nodes[1]->cluster, PLACE_LOST, &now));
	assert_taken(set, fleet, 9, "state/cluster/3 state/node/n1 ");
	unsaved_change(set, changes_move(&changes, RULE_U3, fleet->nodes[2], to, PLACE_SLAVE, &now));
	assert_taken(set, fleet, 9, "state/cluster/3 state/cluster/4 state/node/n2 ");
	changes_free(&changes);
	unsaved_free(&set);
	fleet_free(&fleet);
}

static void test_nobody_stores(void **state)
{
	struct fleet *fleet = make_fleet(1);
	struct unsaved *set = NULL;
	const struct change change = { .node = fleet->nodes[0] };

	(void)state;
	unsaved_node(NULL, "a:1");
	unsaved_cluster(NULL, 1);
	unsaved_change(NULL, &change);
	unsaved_all(NULL, fleet);
	unsaved_free(&set);
	fleet_free(&fleet);
}

static double cpu_seconds(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static void count(void *data, const char *key, const char *text)
{
	(void)key;
	*(size_t *)data += text != NULL ? strlen(text) : 0;
}

/* Each slave dies by a change of its own, and is stored before the next one does, or all of them at the end. */
static double cost_of_one(struct fleet *fleet, struct unsaved *set, bool at_once)
{
	double began = cpu_seconds();
	size_t bytes = 0;

	for (size_t i = 1; i < fleet->node_count; i++) {
		const struct change change = { .node = fleet->nodes[i], .from = fleet->nodes[i]->cluster,
					       .to = fleet->nodes[i]->cluster };

		unsaved_change(set, &change);
		if (at_once)
			(void)unsaved_take(set, fleet, &now, SIZE_MAX, count, &bytes);
	}
	assert_true(at_once || unsaved_count(set) == fleet->node_count); /* with the cluster */
	while (unsaved_take(set, fleet, &now, 126, count, &bytes) > 0)
		;
	assert_true(bytes > fleet->node_count * 100);
	return (cpu_seconds() - began) / (double)fleet->node_count;
}

static double least_cost(size_t nodes, bool at_once)
{
	struct fleet *fleet = make_fleet(nodes);
	struct unsaved *set = unsaved_new();
	double least = 1;

	(void)join_all(fleet, 1);
	for (int i = 0; i < 5; i++) {
		double cost = cost_of_one(fleet, set, at_once);

		least = cost < least ? cost : least;
	}
	unsaved_free(&set);
	fleet_free(&fleet);
	return least;
}

static void test_many_slaves_cost_as_many_times_one(void **state)
{
	(void)state;
	for (int at_once = 0; at_once < 2; at_once++) {
		double few = least_cost(FEW, at_once);
		double many = least_cost(MANY, at_once);

		printf("a slave's death%s: %.2f us of %d, %.2f us of %d\n", at_once ? ", stored at once" : "",
		       few * 1e6, FEW, many * 1e6, MANY);
		assert_true(many < few * TIMES_MORE);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_once_in_the_order_of_naming),
		cmocka_unit_test(test_what_is_gone_loses_its_key),
		cmocka_unit_test(test_a_change_names_its_node_and_both_clusters),
		cmocka_unit_test(test_nobody_stores),
		cmocka_unit_test(test_many_slaves_cost_as_many_times_one),
	};

	return cmocka_run_group_tests_name("unsaved", tests, NULL, NULL);
}
