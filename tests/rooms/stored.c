/*
 * A whole monitor whose parts of the saved state are stored as they are named (core/unsaved.h), with servers that are
 * played (support/fed.h): what is stored is there before its event fires, is the same as the state file's, and another
 * monitor goes on from it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/log.h"
#include "records/event_reading.h"
#include "records/saved_gather.h"
#include "support/fed.h"

#define CLUSTERS 3
#define SIZE 4
#define NODES (CLUSTERS * SIZE)
#define STORED 64
#define PATIENCE_MS 60000

static struct {
	uv_loop_t loop;
	uv_timer_t tick;
	struct clock clock;
	struct monitor *monitor;
	struct unsaved *unsaved;
	char *keys[STORED];
	char *texts[STORED];
	size_t count;
	size_t events[EVENT_KINDS];
	size_t restored;
	char *record; /* of the last event about a node, as it is stored */
} at;

static char **find(const char *key)
{
	for (size_t i = 0; i < at.count; i++) {
		if (strcmp(at.keys[i], key) == 0)
			return &at.texts[i];
	}
	return NULL;
}

static void put(void *data, const char *key, const char *text)
{
	char **found = find(key);
	size_t i = found != NULL ? (size_t)(found - at.texts) : at.count;

	(void)data;
	if (found == NULL && text == NULL)
		return;
	assert_true(i < STORED);
	if (found != NULL) {
		free(at.keys[i]);
		free(at.texts[i]);
		at.count--;
		at.keys[i] = at.keys[at.count];
		at.texts[i] = at.texts[at.count];
	}
	if (text == NULL)
		return;
	at.keys[at.count] = mem_strdup(key);
	at.texts[at.count++] = mem_strdup(text);
}

/* All that is named. */
static void store(void)
{
	struct moment now = clock_now(&at.clock);

	(void)unsaved_take(at.unsaved, monitor_fleet(at.monitor), &now, SIZE_MAX, put, NULL);
}

static const char *part_of(const char *id)
{
	char *key = saved_keys_node(id);
	char **found = find(key);

	free(key);
	return found != NULL ? *found : "";
}

static void assert_part(const char *id, const char *expected)
{
	if (strstr(part_of(id), expected) == NULL)
		fail_msg("%s: \"%s\" is not in %s", id, expected, part_of(id));
}

static void on_fired(void *data, struct event *event)
{
	struct event_record record = { .event = event };
	struct buf text = { 0 };
	char *place;

	(void)data;
	at.events[event->kind]++;
	at.restored += event->restored;
	if (event->node == NULL)
		return;
	store();
	place = mem_printf("\"cluster_id\":%d,\"place\":\"%s\"", event->node->cluster_id, place_name(event->node->state));
	assert_part(event->node->name, place);
	free(place);
	event_record_render(&record, &text);
	free(at.record);
	at.record = buf_steal(&text);
}

static void on_changed(void *data)
{
	(void)data;
}

static void begin_monitor(const struct saved *saved)
{
	static const struct monitor_events events = { .fired = on_fired, .changed = on_changed };
	struct monitor_start start = {
		.loop = &at.loop, .config = fed.config, .clock = &at.clock, .saved = saved, .prober = &fed_prober,
		.unsaved = at.unsaved, .events = &events,
	};

	at.monitor = monitor_new(&start);
}

/* All that it had is closed afterwards. */
static void end_monitor(void)
{
	monitor_free(&at.monitor);
	(void)uv_run(&at.loop, UV_RUN_NOWAIT);
}

static void turn(void)
{
	(void)uv_run(&at.loop, UV_RUN_ONCE);
}

static void on_tick(uv_timer_t *timer)
{
	(void)timer;
}

#define turn_until(condition)                                                                                        \
	do {                                                                                                         \
		int64_t end_ms = clock_steady_ms() + PATIENCE_MS;                                                    \
		while (!(condition)) {                                                                               \
			turn();                                                                                      \
			if (clock_steady_ms() > end_ms)                                                              \
				fail_msg("it takes too long: %s", #condition);                                       \
		}                                                                                                    \
	} while (0)

static const struct node *node_at(size_t index)
{
	return monitor_fleet(at.monitor)->nodes[index];
}

static bool are_all_placed(void)
{
	return monitor_has_started(at.monitor) && monitor_fleet(at.monitor)->clusterless.count == 0 &&
	       monitor_fleet(at.monitor)->clusters.count == CLUSTERS;
}

static struct saved *gather(void)
{
	struct saved_gather *gathering = saved_gather_new();
	struct buf meta = { 0 };
	struct saved *saved;
	char *why;

	saved_keys_render_meta(monitor_fleet(at.monitor), 5, &meta);
	saved_gather_add(gathering, SAVED_META, buf_text(&meta), meta.len);
	for (size_t i = 0; i < at.count; i++)
		saved_gather_add(gathering, at.keys[i], at.texts[i], strlen(at.texts[i]));
	buf_free(&meta);
	saved = saved_gather_end(&gathering, &why);
	if (why != NULL)
		fail_msg("%s", why);
	return saved;
}

/* Each node is where its part says, and there are no others. */
static void assert_stored(void)
{
	const struct fleet *fleet = monitor_fleet(at.monitor);
	struct saved *saved = gather();
	size_t nodes = 0;

	assert_int_equal(saved->cluster_count, fleet->clusters.count);
	for (size_t i = 0; i < saved->cluster_count; i++)
		nodes += saved->clusters[i].node_count;
	assert_int_equal(nodes, fleet->node_count - fleet->clusterless.count);
	for (size_t i = 0; i < fleet->node_count; i++) {
		const struct node *node = fleet->nodes[i];
		char *place = mem_printf("\"cluster_id\":%d,\"place\":\"%s\"", node->cluster->id, place_name(node->place));

		assert_part(node->config->id, place);
		free(place);
	}
	saved_free(&saved);
}

static void strike(size_t index, enum fed_role role)
{
	fed.servers[index].role = role;
	if (role == FED_DOWN || role == FED_FULL)
		fed.probes[index]->events->broke(fed.probes[index]->data);
	else
		fed.probes[index]->events->connected(fed.probes[index]->data);
}

static int open_stage(void **state)
{
	(void)state;
	fed_fleet(NODES, SIZE);
	fed.config->heartbeat_ms = 200;
	fed.config->retry_interval_ms = 100;
	fed.config->restart_grace_ms = 0;
	uv_loop_init(&at.loop);
	uv_timer_init(&at.loop, &at.tick);
	uv_timer_start(&at.tick, on_tick, 10, 10); /* turns end */
	uv_unref((uv_handle_t *)&at.tick);
	clock_start(&at.clock);
	at.unsaved = unsaved_new();
	begin_monitor(NULL);
	turn_until(are_all_placed());
	return 0;
}

static int close_stage(void **state)
{
	(void)state;
	end_monitor();
	uv_close((uv_handle_t *)&at.tick, NULL);
	(void)uv_run(&at.loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&at.loop), 0);
	for (size_t i = 0; i < at.count; i++) {
		free(at.keys[i]);
		free(at.texts[i]);
	}
	unsaved_free(&at.unsaved);
	free(at.record);
	fed_end();
	memset(&at, 0, sizeof(at));
	return 0;
}

static void test_a_founded_fleet_is_stored(void **state)
{
	(void)state;
	store();
	assert_stored();
	assert_int_equal(at.count, NODES + CLUSTERS);
}

static void test_losses_and_a_failover_are_stored(void **state)
{
	(void)state;
	strike(1, FED_DOWN);
	turn_until(at.events[EVENT_SLAVE_DOWN] == 1);
	strike(SIZE, FED_DOWN);
	turn_until(at.events[EVENT_MASTER_DOWN] == 1);
	assert_non_null(strstr(*find("state/cluster/1"), "\"sat_last\":\"db4.example.com:5432\""));
	fed.servers[SIZE + 1].row = fed.servers[SIZE].row;
	fed.servers[SIZE + 2].upstream = fed.servers[SIZE + 3].upstream = SIZE + 1;
	strike(SIZE + 1, FED_MASTER);
	turn_until(at.events[EVENT_MASTER_UP] == 1);
	assert_null(strstr(*find("state/cluster/1"), "sat_last"));
	assert_non_null(strstr(*find("state/cluster/1"), "\"holders\":[{\"name\":\"db4.example.com:5432\""));
	store();
	assert_stored();
}

static void test_a_hold_is_stored_when_it_begins_and_when_it_ends(void **state)
{
	(void)state;
	strike(2, FED_FULL);
	turn_until(at.events[EVENT_NODE_HELD] == 1);
	assert_part("db2.example.com:5432", "\"held\":true");
	strike(2, FED_SLAVE);
	turn_until(!node_at(2)->hold_told);
	store();
	assert_part("db2.example.com:5432", "\"held\":false");
	assert_stored();
}

static void test_who_leaves_by_a_reload_loses_its_key(void **state)
{
	static char names[NODES - 1][32];
	const char *ids[NODES - 1];
	struct config *next;

	(void)state;
	store();
	for (size_t i = 0; i < NODES - 1; i++) {
		(void)snprintf(names[i], sizeof(names[i]), "db%zu.example.com:5432", i);
		ids[i] = names[i];
	}
	next = kit_config(ids, NODES - 1);
	next->heartbeat_ms = fed.config->heartbeat_ms;
	monitor_reload(at.monitor, next);
	turn_until(monitor_fleet(at.monitor)->node_count == NODES - 1);
	store();
	assert_stored();
	assert_int_equal(at.count, NODES - 1 + CLUSTERS);
	config_unref(&next);
}

/* Another one takes over while a slave is down: that is the difference, and the event before it can be made anew. */
static void test_another_monitor_goes_on(void **state)
{
	struct event_record record;
	struct saved *saved;
	char *why;

	(void)state;
	strike(SIZE, FED_DOWN);
	turn_until(at.events[EVENT_MASTER_DOWN] == 1);
	store();
	saved = gather();
	end_monitor();
	memset(at.events, 0, sizeof(at.events));
	at.restored = 0;
	unsaved_clear(at.unsaved);
	fed.servers[1].role = FED_DOWN;
	begin_monitor(saved);
	saved_free(&saved);
	turn_until(at.events[EVENT_SLAVE_DOWN] == 1);
	assert_int_equal(at.events[EVENT_PLUSMOIN_UP], CLUSTERS);
	assert_int_equal(at.restored, CLUSTERS + 1);
	assert_int_equal(at.events[EVENT_MASTER_DOWN], 0); /* it is known */
	assert_true(event_reading_make(at.record, strlen(at.record), monitor_board(at.monitor), &record, &why));
	assert_int_equal(record.event->kind, EVENT_SLAVE_DOWN);
	assert_string_equal(record.event->node->name, "db1.example.com:5432");
	assert_true(record.event->restored);
	assert_int_equal(record.event->view->lost, 1);
	event_record_clear(&record);
	store();
	assert_stored();
}

#define staged(test) cmocka_unit_test_setup_teardown(test, open_stage, close_stage)

int main(void)
{
	const struct CMUnitTest tests[] = {
		staged(test_a_founded_fleet_is_stored),
		staged(test_losses_and_a_failover_are_stored),
		staged(test_a_hold_is_stored_when_it_begins_and_when_it_ends),
		staged(test_who_leaves_by_a_reload_loses_its_key),
		staged(test_another_monitor_goes_on),
	};
	int failed;

	if (log_start("/dev/null", LOG_LEVEL_ERROR, LOG_FORMAT_TEXT) != 0)
		return 1;
	failed = cmocka_run_group_tests_name("stored", tests, NULL, NULL);
	return log_stop(1000) ? failed : 1;
}
