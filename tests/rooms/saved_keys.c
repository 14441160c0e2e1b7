/*
 * The saved state in parts against the whole of it: random fleets (support/world.h) are stored by keys, all parts
 * or only those that changes touched, gathered in random order, and compared with what the state file gives.
 * Environment: ROUNDS (1000), SEED (1).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/unsaved.h"
#include "core/verdict.h"
#include "records/saved_file.h"
#include "records/saved_gather.h"
#include "support/world.h"

#define STORED 64

struct store {
	char *keys[STORED];
	char *texts[STORED];
	size_t count;
	size_t deleted;
};

static struct {
	struct world world;
	struct config *config;
	struct fleet *fleet;
	struct store store; /* of what changes have touched */
	struct unsaved *unsaved;
	long changes;
	char path[64];
} at;

static struct moment now(void)
{
	return kit_moment(at.world.steady_ms, at.world.base_ms);
}

static long number(const char *name, long otherwise)
{
	const char *text = getenv(name);

	return text != NULL ? atol(text) : otherwise;
}

/* ---- a store of keys ---- */

static void store_put(void *data, const char *key, const char *text)
{
	struct store *store = data;
	size_t i = 0;

	while (i < store->count && strcmp(store->keys[i], key) != 0)
		i++;
	store->deleted += text == NULL;
	if (i < store->count) {
		free(store->keys[i]);
		free(store->texts[i]);
		store->count--;
		store->keys[i] = store->keys[store->count];
		store->texts[i] = store->texts[store->count];
	}
	if (text == NULL)
		return;
	assert_true(store->count < STORED);
	store->keys[store->count] = mem_strdup(key);
	store->texts[store->count++] = mem_strdup(text);
}

static void store_clear(struct store *store)
{
	for (size_t i = 0; i < store->count; i++) {
		free(store->keys[i]);
		free(store->texts[i]);
	}
	*store = (struct store){ 0 };
}

static void store_counts(struct store *store)
{
	struct buf text = { 0 };

	saved_keys_render_meta(at.fleet, 17, &text);
	store_put(store, SAVED_META, buf_text(&text));
	buf_free(&text);
}

/* All parts, in random order. */
static struct saved *gather(struct store *store)
{
	struct saved_gather *gathering = saved_gather_new();
	struct saved *saved;
	char *why;

	for (size_t left = store->count; left > 0; left--) {
		size_t i = world_random(&at.world, left);
		char *key = store->keys[i];
		char *text = store->texts[i];

		saved_gather_add(gathering, key, text, strlen(text));
		store->keys[i] = store->keys[left - 1];
		store->texts[i] = store->texts[left - 1];
		store->keys[left - 1] = key;
		store->texts[left - 1] = text;
	}
	saved = saved_gather_end(&gathering, &why);
	if (why != NULL)
		fail_msg("%s", why);
	assert_non_null(saved);
	return saved;
}

/* ---- two that are to be the same ---- */

static struct saved *read_file(void)
{
	struct moment moment = now();
	struct buf text = { 0 };
	struct saved *saved;
	FILE *file = fopen(at.path, "we");
	char *why;

	saved_render(at.fleet, 17, NULL, &moment, &text);
	assert_non_null(file);
	(void)fwrite(buf_text(&text), 1, text.len, file);
	(void)fclose(file);
	buf_free(&text);
	saved = saved_file_read(at.path, &why);
	assert_null(why);
	return saved;
}

static const struct saved_node *find_node(const struct saved_cluster *cluster, const char *id)
{
	for (size_t i = 0; i < cluster->node_count; i++) {
		if (strcmp(cluster->nodes[i].id, id) == 0)
			return &cluster->nodes[i];
	}
	fail_msg("cluster %d has no %s", cluster->id, id);
	return NULL;
}

static void assert_same_place(const struct saved_node *a, const struct saved_node *b)
{
	assert_int_equal(a->place, b->place);
	assert_int_equal(a->sat_last, b->sat_last);
	assert_int_equal(a->since_ms, b->since_ms);
}

static void assert_same_node(const struct saved_node *a, const struct saved_node *b)
{
	assert_same_place(a, b);
	assert_string_equal(a->master_name, b->master_name);
	assert_int_equal(a->is_slave, b->is_slave);
	assert_int_equal(a->has_shown, b->has_shown);
	assert_int_equal(a->shown, b->shown);
	assert_int_equal(a->server_version, b->server_version);
	assert_int_equal(a->stood_ms, b->stood_ms);
	assert_int_equal(a->went_ms, b->went_ms);
	assert_int_equal(a->held, b->held);
	for (size_t i = 0; i < NODE_ALIASES; i++)
		assert_true(text_same(a->aliases[i], b->aliases[i]));
}

static void assert_same_holders(const struct saved_cluster *a, const struct saved_cluster *b)
{
	assert_int_equal(a->holder_count, b->holder_count);
	for (size_t i = 0; i < a->holder_count; i++) {
		assert_string_equal(a->holders[i].name, b->holders[i].name);
		assert_int_equal(a->holders[i].last_tstamp, b->holders[i].last_tstamp);
	}
}

/* `all`: also what rounds change without a change of place. */
static void assert_same(const struct saved *a, const struct saved *b, bool all)
{
	assert_int_equal(a->next_id, b->next_id);
	assert_int_equal(a->event_count, b->event_count);
	assert_int_equal(a->cluster_count, b->cluster_count);
	for (size_t i = 0; i < a->cluster_count; i++) {
		const struct saved_cluster *left = &a->clusters[i];
		const struct saved_cluster *right = &b->clusters[i];

		assert_int_equal(left->id, right->id);
		assert_int_equal(left->node_count, right->node_count);
		assert_same_holders(left, right);
		if (all) {
			assert_int_equal(left->has_beats, right->has_beats);
			assert_int_equal(left->first_tstamp, right->first_tstamp);
			assert_int_equal(left->last_tstamp, right->last_tstamp);
		}
		for (size_t n = 0; n < left->node_count; n++)
			(all ? assert_same_node : assert_same_place)(&left->nodes[n],
								     find_node(right, left->nodes[n].id));
	}
}

/* The state file of a fleet that begins with it, the caller's. */
static char *begun_with(const struct saved *saved)
{
	struct moment moment = now();
	struct fleet *fleet = fleet_new(at.config, &moment);
	struct buf text = { 0 };

	saved_restore(fleet, saved, &moment);
	saved_render(fleet, 17, NULL, &moment, &text);
	fleet_free(&fleet);
	return buf_steal(&text);
}

static void check(void)
{
	struct moment moment = now();
	struct unsaved *all = unsaved_new();
	struct store store = { 0 };
	struct saved *whole = read_file();
	struct saved *parts;
	char *by_file;
	char *by_keys;

	unsaved_all(all, at.fleet);
	while (unsaved_take(all, at.fleet, &moment, 3, store_put, &store) > 0)
		;
	store_counts(&store);
	assert_int_equal(store.deleted, 0);
	parts = gather(&store);
	assert_same(whole, parts, true);
	by_file = begun_with(whole);
	by_keys = begun_with(parts);
	assert_string_equal(by_file, by_keys);
	free(by_file);
	free(by_keys);
	saved_free(&parts);
	store_counts(&at.store);
	parts = gather(&at.store);
	assert_same(whole, parts, false);
	assert_int_equal(store.count, at.store.count);
	saved_free(&parts);
	saved_free(&whole);
	store_clear(&store);
	unsaved_free(&all);
}

/* ---- the world ---- */

static void observe(struct node *node)
{
	struct moment moment = now();
	struct observation seen = world_look(&at.world, (int)node->order);

	if (seen.kind == OBSERVED_MASTER && node->place == PLACE_MASTER) {
		struct beat_order order = fleet_beat_order(node->cluster, node, &moment);

		seen.beat = world_beat(&at.world, (int)node->order, &order);
	}
	node_observe(at.fleet, node, &seen, &moment);
}

static void play(struct cluster *cluster)
{
	struct moment moment = now();
	struct beat_order order;
	struct round round;
	struct node *node;

	round_begin(&round, at.fleet, cluster);
	while (round_step(&round, &moment, &node, &order)) {
		struct beat_result beat = world_beat(&at.world, (int)node->order, &order);

		round_take_beat(&round, &moment, &beat);
	}
	for (size_t i = 0; i < round.changes.count; i++)
		unsaved_change(at.unsaved, &round.changes.items[i]);
	at.changes += (long)round.changes.count;
	round_end(&round);
	if (cluster != NULL && cluster->members.count == 0)
		fleet_drop_cluster(at.fleet, cluster);
}

static void play_all(void)
{
	struct cluster *clusters[WORLD_SERVERS];
	size_t count = at.fleet->clusters.count;
	struct moment moment = now();

	for (size_t i = 0; i < at.fleet->node_count; i++)
		observe(at.fleet->nodes[i]);
	for (size_t i = 0; i < count; i++)
		clusters[i] = at.fleet->clusters.items[i];
	for (size_t i = 0; i < count; i++)
		play(clusters[i]);
	play(NULL);
	while (unsaved_take(at.unsaved, at.fleet, &moment, 2, store_put, &at.store) > 0)
		;
}

static void let_time_pass(void)
{
	at.world.steady_ms += world_chance(&at.world, 70) ? 60000 : (int64_t)world_random(&at.world, 90000);
	for (int i = 0; at.world.other_monitor && i < WORLD_SERVERS; i++)
		world_other_beat(&at.world, i);
	world_replicate(&at.world);
}

static void test_parts_make_the_whole(void **state)
{
	long rounds = number("ROUNDS", 1000);
	struct moment moment;
	int fd;

	(void)state;
	(void)snprintf(at.path, sizeof(at.path), "/tmp/plusmoin-rooms-XXXXXX");
	fd = mkstemp(at.path);
	assert_true(fd >= 0);
	(void)close(fd);
	world_init(&at.world, (uint64_t)number("SEED", 1));
	at.config = kit_config(world_ids, WORLD_SERVERS);
	moment = now();
	at.fleet = fleet_new(at.config, &moment);
	at.unsaved = unsaved_new();
	for (long i = 0; i < rounds; i++) {
		while (world_chance(&at.world, 40))
			world_mishap(&at.world);
		if (world_chance(&at.world, 2))
			world_regroup(&at.world);
		let_time_pass();
		play_all();
		check();
	}
	printf("saved_keys: %ld changes, %zu keys went\n", at.changes, at.store.deleted);
	assert_true(at.changes > rounds / 10);
	assert_true(rounds < 1000 || at.store.deleted > 0);
	unsaved_free(&at.unsaved);
	store_clear(&at.store);
	fleet_free(&at.fleet);
	config_unref(&at.config);
	(void)unlink(at.path);
}

/* ---- damage ---- */

static struct saved *gather_of(const char *const *parts, char **why)
{
	struct saved_gather *gathering = saved_gather_new();

	for (; parts[0] != NULL; parts += 2)
		saved_gather_add(gathering, parts[0], parts[1], strlen(parts[1]));
	return saved_gather_end(&gathering, why);
}

#define META "state/meta", "{\"version\":1,\"next_id\":4,\"event_count\":9}"
#define CLUSTER_2 "state/cluster/2", "{\"id\":2,\"sat_last\":\"a:1\",\"holders\":[]}"
#define NODE(key, id, cluster, place) "state/node/" key, "{\"id\":\"" id "\",\"cluster_id\":" cluster ",\"place\":\"" \
	place "\",\"is_slave\":true,\"master_name\":\"\",\"aliases\":[\"n\"],\"since_ms\":5,\"server_version\":0," \
	"\"stood_ms\":0,\"went_ms\":0,\"held\":false}"

static void assert_why(const char *why, const char *expected)
{
	if (why == NULL || strstr(why, expected) == NULL)
		fail_msg("\"%s\" does not say \"%s\"", why != NULL ? why : "", expected);
}

static void test_nothing_is_no_state(void **state)
{
	static const char *const none[] = { NULL };
	char *why;

	(void)state;
	assert_null(gather_of(none, &why));
	assert_null(why);
}

static void test_what_cannot_be_taken_is_said(void **state)
{
	static const char *const headless[] = { CLUSTER_2, NODE("a:1", "a:1", "2", "slave"), NULL };
	static const char *const later[] = { "state/meta", "{\"version\":2,\"next_id\":4,\"event_count\":9}", NULL };
	char *why;

	(void)state;
	assert_null(gather_of(headless, &why));
	assert_why(why, "state/meta is missing");
	free(why);
	assert_null(gather_of(later, &why));
	assert_why(why, "another format");
	free(why);
}

static void test_what_is_damaged_is_left_out(void **state)
{
	static const char *const parts[] = {
		NODE("a:1", "a:1", "2", "lost"), NODE("b:1", "b:1", "2", "elsewhere"), NODE("c:1", "d:1", "2", "slave"),
		NODE("e:1", "e:1", "3", "slave"), NODE("f:1", "f:1", "1", "slave"), NODE("g:1", "g:1", "-1", "slave"),
		CLUSTER_2, META, "state/cluster/5", "{\"id\":6,\"holders\":[]}", "state/node/h:1", "{", "state/other", "{}",
		NULL,
	};
	struct saved *saved;
	char *why;

	(void)state;
	saved = gather_of(parts, &why);
	assert_why(why, "8 parts");
	assert_why(why, "first state/node/b:1: place");
	free(why);
	assert_int_equal(saved->next_id, 4);
	assert_int_equal(saved->event_count, 9);
	assert_int_equal(saved->cluster_count, 1);
	assert_int_equal(saved->clusters[0].node_count, 1);
	assert_string_equal(saved->clusters[0].nodes[0].id, "a:1");
	assert_string_equal(saved->clusters[0].nodes[0].aliases[0], "n");
	assert_true(saved->clusters[0].nodes[0].sat_last);
	saved_free(&saved);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parts_make_the_whole),
		cmocka_unit_test(test_nothing_is_no_state),
		cmocka_unit_test(test_what_cannot_be_taken_is_said),
		cmocka_unit_test(test_what_is_damaged_is_left_out),
	};

	return cmocka_run_group_tests_name("saved_keys", tests, NULL, NULL);
}
