/*
 * What runs and what waits, as people see it, and what they take out of it: on a loop without a monitor and without
 * Lua. Functions are started and ended by the test.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "dispatch/dispatch.h"
#include "loop/clock.h"
#include "process/process.h"

#define MOST_RUNS 64
#define BY "`plusmoin runs kill` (uid 7)"

struct function_run {
	void (*ended)(void *owner, const struct runner_outcome *outcome);
	void *owner;
	int stopped;          /* how often, */
	enum runner_stop how; /* and how last */
	struct runner_wait wait;
};

static struct {
	uv_loop_t loop;
	struct config *config;
	bool unready; /* functions have no host */
	struct runner runner;
	enum gate_answer answer;
	struct gate gate;
	struct dispatch *dispatch;
	struct function_run runs[MOST_RUNS]; /* started, in order */
	size_t started;
	size_t ended; /* all before this one have ended */
	struct buf told;
	struct buf ends; /* the same as data */
	struct meters meters;
	bool done;
} at;

static bool is_ready(void *data, const struct config *config)
{
	(void)data;
	(void)config;
	return !at.unready;
}

static void *start(void *data, const struct config *config, const struct config_action *action, struct event *event,
		   void (*ended)(void *owner, const struct runner_outcome *outcome), void *owner)
{
	struct function_run *run = &at.runs[at.started++];

	(void)data;
	(void)config;
	(void)action;
	(void)event;
	assert_true(at.started <= MOST_RUNS);
	*run = (struct function_run){ .ended = ended, .owner = owner, .wait = { .begun = true } };
	return run;
}

static void stop(void *data, void *run, enum runner_stop how)
{
	struct function_run *stopped = run;

	(void)data;
	stopped->stopped++;
	stopped->how = how;
}

static struct runner_wait waits_for(void *data, const void *run)
{
	(void)data;
	return ((const struct function_run *)run)->wait;
}

static void end_run(const char *error)
{
	const struct runner_outcome outcome = { .error = error };
	struct function_run *run = &at.runs[at.ended++];

	run->ended(run->owner, &outcome);
}

static enum gate_answer may_start(void *data, const struct event *event, const struct config_action *action, bool again)
{
	(void)data;
	(void)event;
	(void)action;
	(void)again;
	return at.answer;
}

static void on_told(void *data, const struct event *event, const char *path, const char *how)
{
	(void)data;
	buf_addf(&at.told, "%s %s %s;", event->id, path != NULL ? path : "-", how);
}

static void on_ended(void *data, const struct event *event, const char *path, enum action_end end, const char *how)
{
	static const char *const names[] = {
		[ACTION_DONE] = "done", [ACTION_FAILED] = "failed", [ACTION_TIMED_OUT] = "late", [ACTION_DROPPED] = "dropped",
	};

	(void)data;
	(void)how;
	buf_addf(&at.ends, "%s %s %s;", event->id, path, names[end]);
}

/* A further action for these events; `command` NULL: a function. */
static void add_action(enum event_kind kind, const char *command)
{
	struct config_trigger *trigger = &at.config->triggers[kind];
	struct config_action *action;

	trigger->actions = mem_grow(trigger->actions, trigger->count + 1, sizeof(*trigger->actions));
	action = &trigger->actions[trigger->count++];
	*action = (struct config_action){ .path = mem_printf("t%zu", trigger->count), .timeout_ms = 60000 };
	if (command == NULL)
		return;
	action->argv = mem_zalloc(4, sizeof(char *));
	action->argv[0] = mem_strdup("/bin/sh");
	action->argv[1] = mem_strdup("-c");
	action->argv[2] = mem_strdup(command);
}

static int open_stage(void **state)
{
	static const struct dispatch_events events = { .told = on_told, .ended = on_ended };

	(void)state;
	memset(&at, 0, sizeof(at));
	uv_loop_init(&at.loop);
	at.config = config_new();
	at.config->trigger_parallel = 1;
	at.runner = (struct runner){ .is_ready = is_ready, .start = start, .stop = stop, .waits_for = waits_for };
	at.gate = (struct gate){ .may_start = may_start };
	at.dispatch = dispatch_new(&at.loop, at.config, &at.runner);
	dispatch_set_gate(at.dispatch, &at.gate);
	dispatch_tell(at.dispatch, &events, NULL);
	meters_init(&at.meters);
	dispatch_measure(at.dispatch, &at.meters);
	assert_int_equal(reaper_start(&at.loop), 0);
	return 0;
}

static void on_done(void *data)
{
	(void)data;
	at.done = true;
	dispatch_free(&at.dispatch);
	reaper_stop();
}

static int close_stage(void **state)
{
	(void)state;
	dispatch_stop(at.dispatch, on_done, NULL);
	while (!at.done) {
		while (at.ended < at.started)
			end_run(NULL);
		uv_run(&at.loop, UV_RUN_ONCE);
	}
	uv_run(&at.loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&at.loop), 0);
	config_unref(&at.config);
	buf_free(&at.told);
	buf_free(&at.ends);
	return 0;
}

/* Of the node db:1, which was in `came_from` before, -1: where it is. */
static void queue_moved(const char *id, enum event_kind kind, int cluster, int came_from)
{
	struct view *view = view_new_empty();
	struct event *event;

	view->cluster_id = cluster;
	event = event_new(kind, id, view, view, 0);
	event->came_from = came_from;
	event->node = node_view_new(&(struct node_view){ .host = "db", .port = 1, .name = "db", .master_name = "" });
	dispatch_event(at.dispatch, event);
	event_unref(&event);
	view_unref(&view);
}

static void queue_event(const char *id, enum event_kind kind, int cluster)
{
	queue_moved(id, kind, cluster, -1);
}

/* Each row: event, id, state, what it waits for, behind whom. */
static void assert_listed(size_t most, const char *expected)
{
	struct backlog backlog = { 0 };
	struct buf text = { 0 };

	dispatch_list(at.dispatch, most, &backlog);
	backlog_sort(&backlog, most);
	for (size_t i = 0; i < backlog.count; i++) {
		struct backlog_look look = backlog_look_at(&backlog.rows[i]);

		buf_addf(&text, "%s %s %s", backlog.rows[i].run->event->id, look.id, look.state);
		if (look.waits_for != NULL)
			buf_addf(&text, " %s", look.waits_for);
		buf_addf(&text, "%s%s%s;", look.behind[0] != '\0' ? " " : "", look.behind, look.pid > 0 ? " pid" : "");
	}
	assert_string_equal(buf_text(&text), expected);
	backlog_free(&backlog);
	buf_free(&text);
}

static void assert_counts(size_t under_way, size_t waiting)
{
	struct backlog backlog = { 0 };

	dispatch_list(at.dispatch, 1, &backlog);
	assert_int_equal(backlog.under_way, under_way);
	assert_int_equal(backlog.waiting, waiting);
	backlog_free(&backlog);
}

static void kill_one(const char *id)
{
	struct backlog_row row;

	assert_true(dispatch_find(at.dispatch, id, &row));
	dispatch_kill(at.dispatch, &row, BY);
}

static void assert_no_run(const char *id)
{
	struct backlog_row row;

	assert_false(dispatch_find(at.dispatch, id, &row));
}

static void run_until_told(const char *what)
{
	while (strstr(buf_text(&at.told), what) == NULL)
		uv_run(&at.loop, UV_RUN_ONCE);
}

/* A command has its number once a thread has spawned it. */
static void run_until_spawned(const char *id)
{
	struct backlog_row row;

	assert_true(dispatch_find(at.dispatch, id, &row));
	while (backlog_look_at(&row).pid <= 0) {
		uv_run(&at.loop, UV_RUN_NOWAIT);
		assert_true(dispatch_find(at.dispatch, id, &row));
	}
}

static void test_each_says_what_it_waits_for(void **state)
{
	(void)state;
	add_action(EVENT_SLAVE_DOWN, NULL);
	add_action(EVENT_SLAVE_DOWN, "exec sleep 1000");
	add_action(EVENT_SLAVE_UP, NULL);
	add_action(EVENT_CLUSTER_CREATED, ":");
	queue_event("a", EVENT_SLAVE_DOWN, 1);
	queue_event("b", EVENT_SLAVE_UP, 1);
	queue_moved("c", EVENT_SLAVE_UP, 2, 1); /* behind its node's events in cluster 1 */
	queue_event("d", EVENT_SLAVE_UP, 2);
	at.runs[0].wait = (struct runner_wait){ .what = "sleep", .since_ms = 5, .begun = true };
	assert_listed(10, "a 1.1 running sleep;a 1.2 waiting turn 1.1;b 2 waiting turn 1.1;c 3 waiting turn 2;"
			  "d 4 waiting turn 3;");
	at.runs[0].wait.begun = false;
	assert_listed(1, "a 1.1 running host;");
	end_run(NULL);
	at.unready = true;
	at.answer = GATE_SOON;
	queue_event("e", EVENT_SLAVE_UP, 3);
	queue_event("f", EVENT_CLUSTER_CREATED, 4); /* the one slot is taken */
	run_until_spawned("1.2");
	assert_listed(10, "a 1.2 running pid;b 2 waiting turn 1.2;c 3 waiting turn 2;d 4 waiting turn 3;"
			  "e 5 waiting host;f 6 waiting place;");
	at.unready = false;
	dispatch_runner_changed(at.dispatch);
	assert_listed(10, "a 1.2 running pid;b 2 waiting turn 1.2;c 3 waiting turn 2;d 4 waiting turn 3;"
			  "e 5 waiting term;f 6 waiting place;");
	at.answer = GATE_SHUT;
	dispatch_gate_changed(at.dispatch);
	assert_listed(10, "a 1.2 running pid;b 2 waiting turn 1.2;c 3 waiting turn 2;d 4 waiting turn 3;"
			  "e 5 waiting term;f 6 waiting place;");
	assert_counts(1, 5);
	at.answer = GATE_OPEN;
	dispatch_gate_changed(at.dispatch);
}

static void test_what_runs_is_listed_first_and_all_is_counted(void **state)
{
	(void)state;
	add_action(EVENT_SLAVE_UP, NULL);
	add_action(EVENT_SLAVE_UP, NULL);
	for (int i = 0; i < 500; i++)
		queue_event(i < 250 ? "old" : "new", EVENT_SLAVE_UP, 1);
	queue_event("last", EVENT_SLAVE_UP, 2);
	assert_listed(5, "old 1.1 running;last 501.1 running;old 1.2 waiting turn 1.1;old 2.1 waiting turn 1.1;"
			 "old 2.2 waiting turn 2.1;");
	assert_counts(2, 1000);
	kill_one("2.1"); /* each way in which an action goes is counted */
	kill_one("3.2");
	assert_counts(2, 998);
	for (int64_t now_ms = clock_steady_ms(); clock_steady_ms() == now_ms;)
		;
	end_run(NULL);
	assert_counts(2, 997);
	dispatch_abandon(at.dispatch, "given up");
	assert_counts(2, 1); /* of the one that runs its second action; of the other the second waits */
	assert_listed(5, "last 501.1 ending;old 1.2 ending;last 501.2 waiting turn 501.1;");
}

static void test_what_runs_is_told_to_end_and_the_rest_goes_on(void **state)
{
	char path[] = "/tmp/plusmoin-rooms-XXXXXX";
	char *polite = mem_printf("trap 'exit 0' TERM; rmdir '%s'; while :; do sleep 0.01; done", mkdtemp(path));

	(void)state;
	add_action(EVENT_SLAVE_DOWN, NULL);
	add_action(EVENT_SLAVE_DOWN, polite);
	free(polite);
	queue_event("a", EVENT_SLAVE_DOWN, 1);
	queue_event("b", EVENT_SLAVE_DOWN, 1);
	kill_one("1.1");
	assert_int_equal(at.runs[0].stopped, 1);
	assert_int_equal(at.runs[0].how, RUNNER_BY_HAND);
	assert_listed(1, "a 1.1 ending;");
	kill_one("1.1");
	assert_int_equal(at.runs[0].stopped, 1);
	assert_string_equal(buf_text(&at.told), "");
	end_run("stopped at x.lua:3");
	assert_string_equal(buf_text(&at.told), "a t1 ended by " BY " after 0.000 s: stopped at x.lua:3;");
	assert_no_run("1.1");
	run_until_spawned("1.2");
	assert_listed(1, "a 1.2 running pid;");
	while (access(path, F_OK) == 0) /* it ends well on TERM from then on */
		uv_run(&at.loop, UV_RUN_NOWAIT);
	kill_one("1.2");
	run_until_told("a t2 ended by " BY " after ");
	assert_string_equal(buf_text(&at.ends), "a t1 failed;a t2 failed;");
	assert_listed(2, "b 2.1 running;b 2.2 waiting turn 2.1;");
	kill_one("2.1"); /* and it ends well before it hears of that */
	buf_clear(&at.told);
	end_run(NULL);
	assert_string_equal(buf_text(&at.told), "b t1 done in 0.000 s;");
	assert_int_equal(counter_read(&at.meters.runs_failed), 2);
	assert_int_equal(counter_read(&at.meters.runs_done), 1);
	assert_int_equal(counter_read(&at.meters.drops), 0);
	kill_one("2.2");
}

/* 5 s later: KILL for a command, and a function whose host gives no sign is told as ended. */
static void test_what_does_not_end_is_killed(void **state)
{
	char path[] = "/tmp/plusmoin-rooms-XXXXXX";
	char *deaf = mem_printf("trap '' TERM; rmdir '%s'; while :; do sleep 0.1; done; exit 0", mkdtemp(path));
	int64_t began;

	(void)state;
	add_action(EVENT_SLAVE_DOWN, deaf);
	add_action(EVENT_SLAVE_UP, NULL);
	queue_event("deaf", EVENT_SLAVE_DOWN, 1);
	queue_event("hung", EVENT_SLAVE_UP, 2);
	while (access(path, F_OK) == 0) /* it ignores TERM from then on */
		uv_run(&at.loop, UV_RUN_NOWAIT);
	began = clock_steady_ms();
	kill_one("1");
	kill_one("2");
	run_until_told("deaf t1 ended by " BY " after ");
	assert_true(clock_steady_ms() - began >= 4900);
	while (at.runs[0].how != RUNNER_FORCED)
		uv_run(&at.loop, UV_RUN_ONCE);
	assert_string_equal(buf_text(&at.ends), "deaf t1 failed;");
	free(deaf);
}

static void test_what_waits_is_taken_out_action_by_action(void **state)
{
	(void)state;
	for (int i = 0; i < 3; i++)
		add_action(EVENT_SLAVE_DOWN, NULL);
	add_action(EVENT_SLAVE_UP, NULL);
	queue_event("a", EVENT_SLAVE_DOWN, 1);
	queue_event("b", EVENT_SLAVE_UP, 1);
	queue_event("c", EVENT_SLAVE_DOWN, 1);
	queue_event("d", EVENT_SLAVE_UP, 1);
	kill_one("1.2");
	assert_string_equal(buf_text(&at.told), "a t2 dropped by " BY ";");
	kill_one("2"); /* the whole event */
	kill_one("3.1");
	kill_one("3.3");
	assert_listed(10, "a 1.1 running;a 1.3 waiting turn 1.1;c 3.2 waiting turn 1.1;d 4 waiting turn 1.1;");
	assert_int_equal(counter_read(&at.meters.drops), 4);
	assert_int_equal(gauge_read(&at.meters.queue_length), 2);
	end_run(NULL);
	assert_listed(10, "a 1.3 running;c 3.2 waiting turn 1.3;d 4 waiting turn 1.3;");
	end_run(NULL);
	assert_listed(10, "c 3.2 running;d 4 waiting turn 3.2;");
	end_run(NULL);
	end_run(NULL);
	assert_listed(10, "");
	assert_string_equal(buf_text(&at.ends), "a t2 dropped;b t1 dropped;c t1 dropped;c t3 dropped;a t1 done;a t3 done;"
						"c t2 done;d t1 done;");
}

/* Of one slot that is kept at the gate the next one gets it; the next action of the same event waits for its host. */
static void test_what_is_held_at_the_gate_gives_its_place(void **state)
{
	(void)state;
	add_action(EVENT_SLAVE_DOWN, ":");
	add_action(EVENT_SLAVE_DOWN, NULL);
	add_action(EVENT_SLAVE_UP, ":");
	at.answer = GATE_SOON;
	queue_event("held", EVENT_SLAVE_DOWN, 1);
	queue_event("next", EVENT_SLAVE_UP, 2);
	assert_listed(10, "held 1.1 waiting term;held 1.2 waiting turn 1.1;next 2 waiting place;");
	at.unready = true;
	kill_one("1.1");
	assert_listed(10, "held 1.2 waiting host;next 2 waiting term;");
	at.answer = GATE_SHUT;
	at.unready = false;
	dispatch_gate_changed(at.dispatch);
	assert_listed(10, "held 1.2 waiting term;next 2 waiting term;");
	at.answer = GATE_OPEN;
	kill_one("1.2");
	dispatch_gate_changed(at.dispatch);
	run_until_told("next t1 done");
	assert_listed(10, "");
}

/* The first of a line goes: those behind it start. */
static void test_those_behind_start(void **state)
{
	(void)state;
	add_action(EVENT_SLAVE_UP, NULL);
	at.unready = true;
	queue_event("a", EVENT_SLAVE_UP, 1);
	queue_event("b", EVENT_SLAVE_UP, 1);
	queue_moved("c", EVENT_SLAVE_UP, 2, 1);
	kill_one("1");
	assert_listed(10, "b 2 waiting host;c 3 waiting turn 2;");
	at.unready = false;
	kill_one("2");
	assert_listed(10, "c 3 running;");
}

static void test_ids_that_are_none(void **state)
{
	static const char *const none[] = { "", "0", "1", "1.", "1.0", "1.3", "01.1", "1.01", " 1.1", "1.1 ", "+1.1", "x", "3.1",
					    "2.1", "4", "99999999999999999999999" };

	(void)state;
	add_action(EVENT_SLAVE_UP, NULL);
	add_action(EVENT_SLAVE_UP, NULL);
	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++)
		assert_no_run(none[i]);
	queue_event("a", EVENT_SLAVE_UP, 1);
	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++)
		assert_no_run(none[i]);
	kill_one("1.2");
	assert_no_run("1.2");
	end_run(NULL);
	assert_no_run("1.1");
}

static void test_two_dispatches_may_count_together(void **state)
{
	struct dispatch *other = dispatch_new(&at.loop, at.config, &at.runner);
	unsigned long numbers = 40;
	struct dispatch *first = at.dispatch;

	(void)state;
	dispatch_number(first, &numbers);
	dispatch_number(other, &numbers);
	add_action(EVENT_SLAVE_UP, NULL);
	queue_event("a", EVENT_SLAVE_UP, 1);
	at.dispatch = other;
	queue_event("b", EVENT_SLAVE_UP, 1);
	assert_listed(10, "b 42 running;");
	at.dispatch = first;
	queue_event("c", EVENT_SLAVE_UP, 1);
	assert_listed(10, "a 41 running;c 43 waiting turn 41;");
	end_run(NULL);
	end_run(NULL);
	dispatch_free(&other);
}

static double cpu_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

/* What a storm queues is listed, and one of it found, in less than a poll may be late (20 ms). */
static void test_a_storm_is_listed_in_little_time(void **state)
{
	enum { EVENTS = 60000, CLUSTERS = 5000, ROWS = 1000 };
	struct backlog backlog = { 0 };
	struct backlog_row row;
	size_t length = 0;
	double listed;
	double found;
	double began;

	(void)state;
	add_action(EVENT_MASTER_UP, NULL);
	at.unready = true;
	for (int i = 0; i < EVENTS; i++)
		queue_event("a", EVENT_MASTER_UP, i % CLUSTERS);
	began = cpu_ms();
	dispatch_list(at.dispatch, ROWS, &backlog);
	backlog_sort(&backlog, ROWS);
	for (size_t i = 0; i < backlog.count; i++)
		length += strlen(backlog_look_at(&backlog.rows[i]).id);
	listed = cpu_ms() - began;
	assert_int_equal(backlog.count, ROWS);
	assert_int_equal(backlog.waiting, EVENTS);
	assert_true(length > ROWS);
	backlog_free(&backlog);
	began = cpu_ms();
	assert_true(dispatch_find(at.dispatch, "60000", &row));
	found = cpu_ms() - began;
	printf("of %d events in %d clusters: %d listed in %.2f ms, one found in %.2f ms\n", EVENTS, CLUSTERS, ROWS, listed,
	       found);
	assert_true(listed < 20 && found < 20);
	dispatch_abandon(at.dispatch, "it is over");
	buf_clear(&at.told);
}

#define staged(test) cmocka_unit_test_setup_teardown(test, open_stage, close_stage)

int main(void)
{
	const struct CMUnitTest tests[] = {
		staged(test_each_says_what_it_waits_for),
		staged(test_what_runs_is_listed_first_and_all_is_counted),
		staged(test_what_runs_is_told_to_end_and_the_rest_goes_on),
		staged(test_what_does_not_end_is_killed),
		staged(test_what_waits_is_taken_out_action_by_action),
		staged(test_what_is_held_at_the_gate_gives_its_place),
		staged(test_those_behind_start),
		staged(test_ids_that_are_none),
		staged(test_two_dispatches_may_count_together),
		staged(test_a_storm_is_listed_in_little_time),
	};
	int failed;

	(void)signal(SIGPIPE, SIG_IGN); /* as the daemon: commands end before they have read */
	if (log_start("/dev/null", LOG_LEVEL_ERROR, LOG_FORMAT_TEXT) != 0)
		return 1;
	failed = cmocka_run_group_tests_name("backlog", tests, NULL, NULL);
	return log_stop(1000) ? failed : 1;
}
