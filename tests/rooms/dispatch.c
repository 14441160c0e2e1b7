/*
 * Which trigger runs when (contract.md, "Order and isolation of triggers"), on a loop
 * without a monitor and without Lua: functions are started and ended by the test.
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
#include "process/process.h"
#include "dispatch/dispatch.h"
#include "dispatch/queue.h"
#include "loop/clock.h"

#define MANY 5000 /* clusters */
#define FEW 50
#define TIMES_MORE 8 /* that one of MANY may cost of what one of FEW does */

struct function_run {
	char id[48]; /* the event's */
	const struct config *config;
	void (*ended)(void *owner, const struct runner_outcome *outcome);
	void *owner;
	int stopped; /* how often; 2: with force */
	bool again;  /* of its event */
	int64_t term;
	char path[48];
};

static struct {
	uv_loop_t loop;
	struct config *config;
	struct config *unready; /* functions of this load have no host; NULL: all have one */
	struct runner runner;
	struct dispatch *dispatch;
	struct function_run runs[2 * MANY]; /* started, in order */
	size_t started;
	size_t ended; /* all before this one have ended */
	struct buf told;
	struct buf starts; /* as they were told */
	struct buf ends;   /* the same as data */
	struct meters meters;
	bool done;
} at;

static bool is_ready(void *data, const struct config *config)
{
	(void)data;
	return at.unready != config;
}

static void *start(void *data, const struct config *config, const struct config_action *action,
		   struct event *event,
		   void (*ended)(void *owner, const struct runner_outcome *outcome), void *owner)
{
	struct function_run *run = &at.runs[at.started++];

	(void)data;
	assert_true(at.started <= sizeof(at.runs) / sizeof(at.runs[0]));
	*run = (struct function_run){ .config = config, .ended = ended, .owner = owner, .again = event->again,
				      .term = event->term };
	(void)snprintf(run->path, sizeof(run->path), "%s", action->path);
	(void)snprintf(run->id, sizeof(run->id), "%s", event->id);
	return run;
}

static void stop(void *data, void *run, enum runner_stop how)
{
	(void)data;
	((struct function_run *)run)->stopped = how == RUNNER_FORCED ? 2 : 1;
}

static void end_run(size_t index)
{
	static const struct runner_outcome fine;

	at.runs[index].ended(at.runs[index].owner, &fine);
}

/* Ends what runs and what comes of it, until nothing runs any more. */
static void end_all(void)
{
	while (at.ended < at.started)
		end_run(at.ended++);
}

static void on_started(void *data, const struct event *event, const char *path)
{
	(void)data;
	buf_addf(&at.starts, "%s %s;", event->id, path);
}

static void on_told(void *data, const struct event *event, const char *path, const char *how)
{
	(void)data;
	(void)path;
	buf_addf(&at.told, "%s %.7s;", event->id, how);
}

static void on_action_ended(void *data, const struct event *event, const char *path, enum action_end end,
			    const char *how)
{
	static const char *const names[] = {
		[ACTION_DONE] = "done", [ACTION_FAILED] = "failed", [ACTION_TIMED_OUT] = "late",
		[ACTION_DROPPED] = "dropped", [ACTION_SILENCED] = "silenced",
	};

	(void)data;
	assert_non_null(path);
	assert_true(strlen(how) > 0);
	buf_addf(&at.ends, "%s %s;", event->id, names[end]);
}

static void set_action(struct config *config, enum event_kind kind, size_t index,
		       const char *command)
{
	struct config_trigger *trigger = &config->triggers[kind];
	struct config_action *action;

	if (index < trigger->count)
		free(trigger->actions[index].path); /* of the function that was there */
	trigger->actions = mem_grow(trigger->actions, index + 1, sizeof(*trigger->actions));
	trigger->count = index + 1;
	action = &trigger->actions[index];
	*action = (struct config_action){ .path = index > 0 ? mem_printf("trigger[%zu]", index + 1) : mem_strdup("trigger"),
					    .timeout_ms = 60000 };
	if (command == NULL)
		return;
	action->argv = mem_zalloc(4, sizeof(char *));
	action->argv[0] = mem_strdup("/bin/sh");
	action->argv[1] = mem_strdup("-c");
	action->argv[2] = mem_strdup(command);
}

/* A function for every event but those of nodes held. */
static struct config *make_config(void)
{
	struct config *config = config_new();

	config->trigger_parallel = 1;
	config->shutdown_grace_ms = 0;
	for (int kind = EVENT_NONE + 1; kind < EVENT_KINDS; kind++) {
		if (kind != EVENT_NODE_HELD)
			set_action(config, (enum event_kind)kind, 0, NULL);
	}
	return config;
}

static int open_stage(void **state)
{
	static const struct dispatch_events events = { .started = on_started, .told = on_told,
						       .ended = on_action_ended };

	(void)state;
	memset(&at, 0, sizeof(at));
	uv_loop_init(&at.loop);
	at.config = make_config();
	at.runner = (struct runner){ .is_ready = is_ready, .start = start, .stop = stop };
	at.dispatch = dispatch_new(&at.loop, at.config, &at.runner);
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
	if (!at.done)
		dispatch_stop(at.dispatch, on_done, NULL);
	while (!at.done) {
		end_all();
		uv_run(&at.loop, UV_RUN_ONCE);
	}
	uv_run(&at.loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&at.loop), 0);
	config_unref(&at.config);
	buf_free(&at.told);
	buf_free(&at.starts);
	buf_free(&at.ends);
	return 0;
}

static struct event *make_event(const char *id, enum event_kind kind, int cluster)
{
	struct view *view = view_new_empty();
	struct event *event;

	view->cluster_id = cluster;
	event = event_new(kind, id, view, view, 0);
	view_unref(&view);
	return event;
}

static void queue_event(const char *id, enum event_kind kind, int cluster)
{
	struct event *event = make_event(id, kind, cluster);

	dispatch_event(at.dispatch, event);
	event_unref(&event);
}

static struct event *make_node_event(const char *id, int port, int cluster, int came_from)
{
	struct event *event = make_event(id, EVENT_SLAVE_UP, cluster);

	event->came_from = came_from;
	event->node = node_view_new(&(struct node_view){
		.host = "db", .port = port, .name = "db", .master_name = "",
	});
	return event;
}

/* Of the node db:port, which was in `came_from` before, -1: where it is. */
static void queue_node(const char *id, int port, int cluster, int came_from)
{
	struct event *event = make_node_event(id, port, cluster, came_from);

	dispatch_event(at.dispatch, event);
	event_unref(&event);
}

/* What has been started so far, "a b c". */
static void assert_started(const char *expected)
{
	struct buf text = { 0 };

	for (size_t i = 0; i < at.started; i++)
		buf_addf(&text, "%s%s", i > 0 ? " " : "", at.runs[i].id);
	assert_string_equal(buf_text(&text), expected);
	buf_free(&text);
}

static void assert_told(const char *expected)
{
	assert_string_equal(buf_text(&at.told), expected);
}

static void test_one_after_another_in_a_cluster(void **state)
{
	(void)state;
	queue_event("a", EVENT_MASTER_DOWN, 1);
	queue_event("b", EVENT_MASTER_UP, 1);
	queue_event("c", EVENT_SLAVE_DOWN, 2);
	queue_event("d", EVENT_SLAVE_UP, 1);
	assert_started("a c");
	end_run(0);
	assert_started("a c b");
	end_run(1);
	assert_started("a c b");
	end_run(2);
	assert_started("a c b d");
	end_run(3);
	at.ended = 4;
	queue_event("e", EVENT_SLAVE_UP, 1);
	assert_started("a c b d e");
}

/* What the gate answers, and whom it was asked of: "id path" with "!" if it is to run again. */
static struct {
	enum gate_answer answers[EVENT_KINDS];
	struct buf asked;
} guard;

static enum gate_answer ask_guard(void *data, const struct event *event, const struct config_action *action, bool again)
{
	(void)data;
	buf_addf(&guard.asked, "%s %s%s;", event->id, action->path, again ? "!" : "");
	return guard.answers[event->kind];
}

static void set_guard(enum gate_answer answer)
{
	static const struct gate gate = { .may_start = ask_guard };

	buf_clear(&guard.asked);
	for (int kind = 0; kind < EVENT_KINDS; kind++)
		guard.answers[kind] = answer;
	dispatch_set_gate(at.dispatch, &gate);
}

static void end_guard(void)
{
	dispatch_set_gate(at.dispatch, NULL);
	buf_free(&guard.asked);
}

static void assert_asked(const char *expected)
{
	assert_string_equal(buf_text(&guard.asked), expected);
	buf_clear(&guard.asked);
}

static void test_a_gate_holds_up_its_cluster_alone(void **state)
{
	(void)state;
	set_guard(GATE_SHUT);
	guard.answers[EVENT_SLAVE_UP] = GATE_OPEN;
	set_action(at.config, EVENT_MASTER_DOWN, 1, NULL);
	queue_event("a", EVENT_MASTER_DOWN, 1);
	assert_asked("a trigger;"); /* by the end of the call */
	queue_event("b", EVENT_SLAVE_UP, 1);
	queue_event("c", EVENT_SLAVE_UP, 2);
	assert_started("c");
	assert_asked("c trigger;");
	guard.answers[EVENT_MASTER_DOWN] = GATE_OPEN;
	dispatch_gate_changed(at.dispatch);
	assert_started("c a");
	guard.answers[EVENT_MASTER_DOWN] = GATE_SHUT; /* before each action */
	end_run(1);
	assert_asked("a trigger;a trigger[2];");
	assert_started("c a");
	guard.answers[EVENT_MASTER_DOWN] = GATE_SOON;
	dispatch_gate_changed_for(at.dispatch, 2);
	assert_asked("");
	dispatch_gate_changed_for(at.dispatch, 1);
	dispatch_gate_changed_for(at.dispatch, 1);
	assert_asked("a trigger[2];a trigger[2];");
	assert_started("c a");
	end_guard();
	assert_started("c a a");
	end_run(2);
	assert_started("c a a b");
	end_run(0);
	end_run(3);
	at.ended = 4;
}

static void run_until_told(const char *what);

/* One slot: who keeps it lets nobody start, who is shut out does. */
static void test_a_gate_keeps_a_place_or_gives_it_up(void **state)
{
	(void)state;
	set_guard(GATE_OPEN);
	guard.answers[EVENT_SLAVE_DOWN] = GATE_SOON;
	set_action(at.config, EVENT_SLAVE_DOWN, 0, ":");
	set_action(at.config, EVENT_SLAVE_UP, 0, ":");
	queue_event("keeps", EVENT_SLAVE_DOWN, 1);
	queue_event("waits", EVENT_SLAVE_UP, 2);
	queue_event("function", EVENT_CLUSTER_CREATED, 3);
	assert_asked("keeps trigger;function trigger;");
	assert_started("function");
	guard.answers[EVENT_SLAVE_DOWN] = GATE_SHUT;
	dispatch_gate_changed_for(at.dispatch, 1);
	assert_asked("keeps trigger;waits trigger;");
	run_until_told("waits done in;");
	assert_asked("");
	guard.answers[EVENT_SLAVE_DOWN] = GATE_OPEN;
	dispatch_gate_changed(at.dispatch);
	assert_asked("keeps trigger;");
	run_until_told("keeps done in;");
	end_guard();
}

/* Its host goes away while it keeps its place: it waits for one, and is asked for once more. */
static void test_a_function_behind_a_gate_needs_its_host_still(void **state)
{
	(void)state;
	set_guard(GATE_SOON);
	queue_event("a", EVENT_SLAVE_DOWN, 1);
	at.unready = at.config;
	guard.answers[EVENT_SLAVE_DOWN] = GATE_OPEN;
	dispatch_gate_changed_for(at.dispatch, 1);
	assert_asked("a trigger;");
	assert_started("");
	at.unready = NULL;
	dispatch_runner_changed(at.dispatch);
	assert_asked("a trigger;");
	assert_started("a");
	end_guard();
}

/* What is queued while another keeps its place may go where too much waits, that one not. */
static void queue_big(const char *id, enum event_kind kind, int cluster);

static void test_what_keeps_its_place_is_not_dropped(void **state)
{
	(void)state;
	set_guard(GATE_SOON);
	queue_big("keeps", EVENT_SLAVE_DOWN, 1);
	for (int i = 1; i < 20; i++)
		queue_big("s", EVENT_SLAVE_DOWN, 1);
	assert_null(strstr(buf_text(&at.told), "keeps"));
	assert_non_null(strstr(buf_text(&at.told), "s dropped;"));
	assert_int_equal(gauge_read(&at.meters.queue_length), 16);
	end_guard();
	assert_started("keeps");
}

static void test_all_actions_of_an_event_before_the_next_event(void **state)
{
	(void)state;
	set_action(at.config, EVENT_SLAVE_DOWN, 1, NULL);
	queue_event("a", EVENT_SLAVE_DOWN, 1);
	queue_event("b", EVENT_SLAVE_UP, 1);
	end_run(0);
	assert_started("a a");
	end_run(1);
	assert_started("a a b");
	at.ended = 2;
}

static void test_masters_first_then_who_waits_longest(void **state)
{
	(void)state;
	at.unready = at.config;
	queue_event("a", EVENT_SLAVE_DOWN, 7);
	queue_event("b", EVENT_SLAVE_DOWN, 3);
	queue_event("c", EVENT_MASTER_DOWN, 9);
	queue_event("d", EVENT_MASTER_UP, 2);
	queue_event("e", EVENT_HEARTBEAT, 1);
	queue_event("f", EVENT_MASTER_UP, 7); /* behind a */
	assert_started("");
	at.unready = NULL;
	dispatch_runner_changed(at.dispatch);
	assert_started("c d a b e");
}

/* What comes while a heartbeat waits goes before it, in its own cluster too. */
static void test_a_heartbeat_starts_when_nothing_else_could(void **state)
{
	(void)state;
	set_action(at.config, EVENT_HEARTBEAT, 1, NULL);
	queue_event("h", EVENT_HEARTBEAT, 5); /* begins, and goes on in its turn */
	at.unready = at.config;
	queue_event("h1", EVENT_HEARTBEAT, 1);
	queue_event("h2", EVENT_HEARTBEAT, 2);
	queue_event("a", EVENT_SLAVE_DOWN, 3);
	queue_event("b", EVENT_SLAVE_DOWN, 1);
	end_run(0);
	queue_event("c", EVENT_SLAVE_DOWN, 5); /* behind h, which has begun */
	queue_event("m", EVENT_MASTER_DOWN, 2);
	assert_started("h");
	at.unready = NULL;
	dispatch_runner_changed(at.dispatch);
	assert_started("h m a b h");
	end_run(2);
	end_run(1);
	end_run(3);
	assert_started("h m a b h h2 h1");
	end_run(4);
	assert_started("h m a b h h2 h1 c");
	at.ended = 5;
}

static void test_a_load_without_a_host_holds_up_no_other(void **state)
{
	struct config *next = make_config();

	(void)state;
	at.unready = at.config;
	queue_event("a", EVENT_MASTER_DOWN, 1);
	dispatch_reload(at.dispatch, next);
	queue_event("b", EVENT_SLAVE_DOWN, 2);
	queue_event("c", EVENT_MASTER_UP, 1);
	assert_started("b");
	at.unready = NULL;
	dispatch_runner_changed(at.dispatch);
	assert_started("b a");
	end_run(1);
	assert_started("b a c");
	assert_ptr_equal(at.runs[1].config, at.config);
	assert_ptr_equal(at.runs[2].config, next);
	end_run(0);
	at.ended = 2;
	config_unref(&next);
}

static void test_who_came_from_another_cluster_waits_for_its_events_there(void **state)
{
	(void)state;
	queue_node("a", 1, 1, -1);
	queue_node("b", 2, 1, -1);
	queue_node("c", 1, 1, -1);
	queue_node("d", 1, 2, 1); /* waits for a and c */
	queue_node("e", 3, 3, 1); /* nothing is queued for it there */
	queue_node("f", 9, 2, -1); /* behind d */
	assert_started("a e");
	end_run(0);
	assert_started("a e b");
	end_run(2);
	assert_started("a e b c");
	end_run(3);
	assert_started("a e b c d");
	end_run(4);
	assert_started("a e b c d f");
	end_run(1);
	at.ended = 5;
	queue_node("g", 9, 1, 2);
	assert_started("a e b c d f");
}

static void test_a_heartbeat_queued_or_running_is_not_queued_again(void **state)
{
	(void)state;
	queue_event("a", EVENT_HEARTBEAT, 1);
	queue_event("b", EVENT_HEARTBEAT, 1);
	queue_event("c", EVENT_HEARTBEAT, 2);
	end_run(0);
	queue_event("d", EVENT_HEARTBEAT, 1);
	assert_started("a c d");
	at.ended = 1;
}

#define FITS 16 /* so many big events fit into a cluster's queue */

/* One that takes a sixteenth of what a cluster's queue holds, by the words that it is told with. */
static void queue_big(const char *id, enum event_kind kind, int cluster)
{
	struct event *event = make_event(id, kind, cluster);
	char *words = mem_zalloc(1, QUEUE_BYTES / FITS);

	memset(words, 'x', QUEUE_BYTES / FITS - 4096);
	event->node = node_view_new(&(struct node_view){
		.host = "db", .port = 1, .name = "db", .master_name = "", .message = words,
	});
	free(words);
	dispatch_event(at.dispatch, event);
	event_unref(&event);
}

static void test_a_full_queue_drops_the_oldest_of_a_slave(void **state)
{
	char id[16];

	(void)state;
	queue_big("first", EVENT_MASTER_DOWN, 1);
	queue_big("up", EVENT_MASTER_UP, 1);
	for (int i = 2; i < FITS; i++) {
		(void)snprintf(id, sizeof(id), "s%d", i);
		queue_big(id, i < 4 ? EVENT_SLAVE_DOWN : EVENT_MASTER_UP, 1);
	}
	assert_told("");
	queue_big("x", EVENT_MASTER_UP, 1);
	assert_told("s2 dropped;");
	queue_big("y", EVENT_SLAVE_UP, 1);
	assert_told("s2 dropped;s3 dropped;");
	queue_big("z", EVENT_MASTER_UP, 1);
	assert_told("s2 dropped;s3 dropped;y dropped;");
	queue_big("more", EVENT_MASTER_UP, 1); /* never a master's */
	assert_told("s2 dropped;s3 dropped;y dropped;");
	end_all();
	assert_int_equal(at.started, FITS + 1);
}

/* One that waits for a place is the first of its queue, and may have to go. */
static void test_the_first_of_a_full_queue_gives_its_place_in_the_line(void **state)
{
	(void)state;
	at.unready = at.config;
	queue_big("s", EVENT_SLAVE_DOWN, 1);
	for (int i = 1; i < FITS; i++)
		queue_big("m", EVENT_MASTER_UP, 1);
	queue_event("other", EVENT_MASTER_UP, 2);
	queue_big("last", EVENT_MASTER_UP, 1);
	assert_told("s dropped;");
	at.unready = NULL;
	dispatch_runner_changed(at.dispatch);
	assert_started("other m");
}

static void test_a_heartbeat_is_dropped_before_all_others(void **state)
{
	(void)state;
	at.unready = at.config;
	queue_big("s", EVENT_SLAVE_DOWN, 1);
	queue_big("h", EVENT_HEARTBEAT, 1);
	for (int i = 2; i < FITS; i++)
		queue_big("m", EVENT_MASTER_UP, 1);
	assert_told("");
	queue_big("x", EVENT_SLAVE_UP, 1);
	assert_told("h dropped;");
	queue_big("y", EVENT_SLAVE_UP, 1);
	assert_told("h dropped;s dropped;");
}

/* What has begun stays, and is not counted among what may go. */
static void test_what_runs_is_not_dropped(void **state)
{
	(void)state;
	queue_big("runs", EVENT_SLAVE_DOWN, 1);
	for (int i = 1; i < FITS; i++)
		queue_big("m", EVENT_MASTER_UP, 1);
	queue_big("more", EVENT_MASTER_UP, 1);
	assert_told("");
	assert_started("runs");
}

/* Where all queues together hold too much, the longest one gives. */
static void test_all_queues_together_are_bounded(void **state)
{
	static const int counts[] = { 15, 16, 15, 15, 3 };
	char id[16];

	(void)state;
	assert_int_equal(QUEUES_BYTES, 4 * QUEUE_BYTES);
	at.unready = at.config;
	for (int cluster = 0; cluster < 5; cluster++) {
		for (int i = 0; i < counts[cluster]; i++) {
			(void)snprintf(id, sizeof(id), "%d-%d", cluster, i);
			queue_big(id, EVENT_SLAVE_DOWN, cluster);
		}
	}
	assert_told("");
	queue_big("x", EVENT_SLAVE_DOWN, 5);
	assert_told("1-0 dropped;");
	queue_big("y", EVENT_MASTER_UP, 4);
	assert_told("1-0 dropped;1-1 dropped;");
	at.unready = NULL;
	dispatch_runner_changed(at.dispatch);
	while (at.ended < at.started)
		end_run(at.ended++);
	assert_int_equal(at.started, 64);
}

/* Events that share their picture are counted with it once. */
static void test_a_picture_is_counted_once(void **state)
{
	enum { MANY_EVENTS = 5000, SHOWN = 2000 };
	struct view *view = view_new_empty();
	struct node_view *node = node_view_new(&(struct node_view){ .host = "db", .name = "db", .master_name = "",
								    .state = PLACE_SLAVE });
	struct event *event;

	(void)state;
	view->cluster_id = 1;
	for (size_t i = 0; i < SHOWN; i++)
		view_put(view, i, node);
	at.unready = at.config;
	assert_true(view_bytes(view, NULL) > QUEUE_BYTES / 100);
	for (int i = 0; i < MANY_EVENTS; i++) {
		event = event_new(EVENT_SLAVE_DOWN, "a", view, view, 0);
		dispatch_event(at.dispatch, event);
		event_unref(&event);
	}
	assert_told("");
	node_view_unref(&node);
	view_unref(&view);
}

static void run_until_told(const char *what)
{
	while (strstr(buf_text(&at.told), what) == NULL)
		uv_run(&at.loop, UV_RUN_ONCE);
}

static void test_commands_have_slots_and_masters_as_many_again(void **state)
{
	(void)state;
	set_action(at.config, EVENT_CLUSTER_CREATED, 0, "exec sleep 1000");
	set_action(at.config, EVENT_SLAVE_UP, 0, ":");
	set_action(at.config, EVENT_MASTER_UP, 0, ":");
	set_action(at.config, EVENT_MASTER_DOWN, 0, "exec sleep 1000");
	queue_event("long", EVENT_CLUSTER_CREATED, 1);
	queue_event("waits", EVENT_SLAVE_UP, 2);
	queue_event("function", EVENT_SLAVE_DOWN, 3); /* needs no slot */
	assert_started("function");
	queue_event("master", EVENT_MASTER_UP, 4);
	run_until_told("master done in;");
	queue_event("down", EVENT_MASTER_DOWN, 5);
	queue_event("master2", EVENT_MASTER_UP, 6);
	end_run(0);
	at.ended = 1;
	assert_told("master done in;function done in;");
	dispatch_stop(at.dispatch, on_done, NULL);
	run_until_told("down ended");
	assert_null(strstr(buf_text(&at.told), "waits done"));
	assert_non_null(strstr(buf_text(&at.told), "waits dropped;"));
	assert_non_null(strstr(buf_text(&at.told), "master2 dropped;"));
	run_until_told("long ended b;");
}

/* A slot that is free goes to who has stood longest, a master's before all others. */
static void test_slots_go_in_turn(void **state)
{
	char path[] = "/tmp/plusmoin-rooms-XXXXXX";
	char *command = mem_printf("exec cat '%s'", mkdtemp(path));
	char *fifo = mem_printf("%s/fifo", path);
	char *held = mem_printf("mkfifo '%s' && read line < '%s'", fifo, fifo);
	FILE *file;

	(void)state;
	set_action(at.config, EVENT_SLAVE_DOWN, 0, held);
	set_action(at.config, EVENT_MASTER_DOWN, 0, held);
	set_action(at.config, EVENT_SLAVE_UP, 0, ":");
	set_action(at.config, EVENT_CLUSTER_CREATED, 0, command); /* fails: a directory */
	queue_event("held", EVENT_SLAVE_DOWN, 8);
	queue_event("b", EVENT_SLAVE_UP, 7);
	queue_event("c", EVENT_CLUSTER_CREATED, 2);
	queue_event("last", EVENT_SLAVE_UP, 5);
	while ((file = fopen(fifo, "r+e")) == NULL)
		uv_run(&at.loop, UV_RUN_NOWAIT);
	(void)fputs("go\n", file);
	(void)fflush(file);
	run_until_told("last done in;");
	assert_told("held done in;b done in;c failed ;last done in;");
	(void)fclose(file);
	(void)remove(fifo);
	(void)remove(path);
	free(held);
	free(fifo);
	free(command);
}

/* One slot, and heartbeats that take longer than the heartbeat: each new one comes before the last has ended. */
static void test_slow_heartbeats_starve_nobody(void **state)
{
	char path[] = "/tmp/plusmoin-rooms-XXXXXX";
	char *gate = mem_printf("%s/fifo", mkdtemp(path));
	char *held = mem_printf("mkfifo '%s' && read line < '%s'; rm '%s'", gate, gate, gate);
	FILE *file;

	(void)state;
	set_action(at.config, EVENT_HEARTBEAT, 0, held);
	set_action(at.config, EVENT_SLAVE_DOWN, 0, ":");
	queue_event("h0", EVENT_HEARTBEAT, 0);
	queue_event("h1", EVENT_HEARTBEAT, 1);
	queue_event("h2", EVENT_HEARTBEAT, 2);
	queue_event("down", EVENT_SLAVE_DOWN, 2);
	while ((file = fopen(gate, "r+e")) == NULL)
		uv_run(&at.loop, UV_RUN_NOWAIT);
	(void)fputs("go\n", file);
	(void)fflush(file);
	run_until_told("down done in;");
	assert_told("h0 done in;down done in;");
	(void)fclose(file);
	dispatch_stop(at.dispatch, on_done, NULL);
	run_until_told("h2 dropped;");
	(void)remove(gate);
	(void)remove(path);
	free(held);
	free(gate);
}

static void test_the_end_gives_functions_a_word_and_then_none(void **state)
{
	(void)state;
	queue_event("a", EVENT_SLAVE_DOWN, 1);
	queue_event("b", EVENT_SLAVE_DOWN, 1);
	dispatch_stop(at.dispatch, on_done, NULL);
	queue_event("late", EVENT_SLAVE_DOWN, 2);
	while (at.runs[0].stopped < 1)
		uv_run(&at.loop, UV_RUN_ONCE);
	assert_told("b dropped;");
	while (at.runs[0].stopped < 2)
		uv_run(&at.loop, UV_RUN_ONCE);
	assert_false(at.done);
	end_all();
	assert_false(at.done); /* not from inside */
	assert_started("a");
}

static void test_an_event_queued_before_the_end_runs_in_the_grace(void **state)
{
	(void)state;
	at.config->shutdown_grace_ms = 60000;
	queue_event("a", EVENT_SLAVE_DOWN, 1);
	queue_event("b", EVENT_SLAVE_DOWN, 1);
	dispatch_stop(at.dispatch, on_done, NULL);
	end_run(0);
	assert_started("a b");
	at.ended = 1;
}

static void test_each_start_is_told(void **state)
{
	(void)state;
	set_action(at.config, EVENT_SLAVE_DOWN, 1, ":");
	queue_event("a", EVENT_SLAVE_DOWN, 1);
	queue_event("b", EVENT_SLAVE_DOWN, 1);
	assert_string_equal(buf_text(&at.starts), "a trigger;");
	assert_told("");
	end_run(0);
	assert_string_equal(buf_text(&at.starts), "a trigger;a trigger[2];"); /* its command */
	assert_told("a done in;");
	run_until_told("a done in;a done in;");
	assert_string_equal(buf_text(&at.starts), "a trigger;a trigger[2];b trigger;");
	at.ended = 1;
}

static uint64_t counted(const struct histogram *histogram)
{
	uint64_t count = 0;

	for (size_t i = 0; i <= HISTOGRAM_BOUNDS; i++)
		count += counter_read(&histogram->counts[i]);
	return count;
}

/* A loss by failure is timed to the start of its first action, no other event is; what waits is known at any time. */
static void test_what_becomes_of_triggers_is_measured(void **state)
{
	struct event *event = make_node_event("a", 1, 1, -1);

	(void)state;
	event->kind = EVENT_SLAVE_DOWN;
	event->failed_ms = clock_steady_ms() - 3000;
	set_action(at.config, EVENT_SLAVE_DOWN, 1, "exit 3");
	dispatch_event(at.dispatch, event);
	event_unref(&event);
	assert_int_equal(counted(&at.meters.detection), 1);
	assert_true(counter_read(&at.meters.detection.sum_us) >= 3000000);
	assert_int_equal(gauge_read(&at.meters.queue_length), 0);
	assert_int_equal(gauge_read(&at.meters.queued_ms), 0);
	queue_event("b", EVENT_SLAVE_UP, 1);
	queue_event("c", EVENT_SLAVE_UP, 1);
	assert_int_equal(gauge_read(&at.meters.queue_length), 2);
	assert_true(gauge_read(&at.meters.queued_ms) > 0);
	assert_int_equal(gauge_read(&at.meters.running), 1);
	end_run(0);
	run_until_told("a failed ");
	assert_int_equal(counted(&at.meters.detection), 1);
	assert_int_equal(gauge_read(&at.meters.queue_length), 1);
	dispatch_stop(at.dispatch, on_done, NULL);
	while (at.runs[1].stopped < 1)
		uv_run(&at.loop, UV_RUN_ONCE);
	assert_int_equal(gauge_read(&at.meters.queue_length), 0);
	at.runs[1].ended(at.runs[1].owner, &(struct runner_outcome){ .timed_out = true });
	assert_int_equal(counter_read(&at.meters.runs_done), 1);
	assert_int_equal(counter_read(&at.meters.runs_failed), 1);
	assert_int_equal(counter_read(&at.meters.runs_timed_out), 1);
	assert_int_equal(counter_read(&at.meters.drops), 1);
	assert_int_equal(counted(&at.meters.run), 3);
	assert_int_equal(gauge_read(&at.meters.running), 0);
	at.ended = 2;
}

static void test_ends_are_told_as_data(void **state)
{
	(void)state;
	set_action(at.config, EVENT_SLAVE_DOWN, 0, "exit 3");
	set_action(at.config, EVENT_SLAVE_UP, 0, ":");
	set_action(at.config, EVENT_MASTER_UP, 0, "exec sleep 1000");
	at.config->triggers[EVENT_MASTER_UP].actions[0].timeout_ms = 1;
	set_action(at.config, EVENT_CLUSTER_CREATED, 1, NULL);
	set_action(at.config, EVENT_CLUSTER_CREATED, 2, NULL);
	queue_event("a", EVENT_SLAVE_DOWN, 1);
	run_until_told("a failed ");
	queue_event("b", EVENT_SLAVE_UP, 1);
	run_until_told("b done in;");
	queue_event("c", EVENT_MASTER_UP, 1);
	run_until_told("c timed o;");
	queue_event("d", EVENT_MASTER_DOWN, 1);
	at.runs[0].ended(at.runs[0].owner, &(struct runner_outcome){ .error = "no" });
	queue_event("e", EVENT_CLUSTER_CREATED, 1);
	queue_event("f", EVENT_CLUSTER_CREATED, 1);
	end_run(1);
	at.ended = 2;
	assert_string_equal(buf_text(&at.ends), "a failed;b done;c late;d failed;e done;");
	dispatch_stop(at.dispatch, on_done, NULL);
	while (at.runs[2].stopped < 1)
		uv_run(&at.loop, UV_RUN_ONCE);
	end_all();
	assert_string_equal(buf_text(&at.ends), "a failed;b done;c late;d failed;e done;f dropped;f dropped;f dropped;"
						"e done;e dropped;");
}

static void tell_one(void *data, const struct event *event, const char *path, const char *how);

/* Of four actions two are left, one of which had been started. */
static void test_the_rest_of_an_event(void **state)
{
	struct dispatch_rest rest[] = {
		{ .path = "trigger[4]", .again = false },
		{ .path = "trigger[7]", .again = true, .is_known = true },
		{ .path = "trigger[2]", .again = true },
	};
	struct event *event = make_node_event("a", 1, 1, -1);
	struct buf left = { 0 };

	(void)state;
	set_guard(GATE_OPEN);
	event_set_term(event, 77);
	event->restored = true;
	for (size_t i = 1; i < 5; i++)
		set_action(at.config, EVENT_SLAVE_UP, i, NULL);
	dispatch_event_rest(at.dispatch, event, rest, 3);
	assert_true(rest[0].is_known);
	assert_false(rest[1].is_known);
	assert_true(rest[2].is_known);
	queue_event("b", EVENT_SLAVE_DOWN, 1);
	assert_asked("a trigger[2]!;");
	assert_string_equal(at.runs[0].path, "trigger[2]");
	assert_true(at.runs[0].again);
	assert_int_equal(at.runs[0].term, 77);
	dispatch_tell_left(at.dispatch, "a", tell_one, &left);
	assert_string_equal(buf_text(&left), "a running;a waiting;");
	end_run(0);
	assert_asked("a trigger[4];");
	assert_string_equal(at.runs[1].path, "trigger[4]");
	assert_false(at.runs[1].again);
	assert_int_equal(at.runs[1].term, 77);
	assert_started("a a");
	end_run(1);
	assert_started("a a b");
	assert_string_equal(buf_text(&at.ends), "a done;a done;");
	at.ended = 2;
	dispatch_event_rest(at.dispatch, event, &rest[1], 1); /* nothing is known of it */
	assert_started("a a b");
	end_guard();
	buf_free(&left);
	event_unref(&event);
}

/* What commands are shown of the term: nothing where there is none. */
static void test_commands_are_shown_the_term(void **state)
{
	struct dispatch_rest rest = { .path = "trigger", .again = true };
	struct event *event = make_event("a", EVENT_SLAVE_UP, 1);

	(void)state;
	set_action(at.config, EVENT_SLAVE_UP, 0,
		   "test \"$PLUSMOIN_TERM$PLUSMOIN_RERUN\" = \"$(case $PLUSMOIN_EVENT_ID in a) echo 121;; b) echo 12; esac)\"");
	event_set_term(event, 12);
	dispatch_event_rest(at.dispatch, event, &rest, 1);
	run_until_told("a done in;");
	event_unref(&event);
	event = make_event("b", EVENT_SLAVE_UP, 1);
	event_set_term(event, 12);
	dispatch_event(at.dispatch, event);
	run_until_told("b done in;");
	event_unref(&event);
	event = make_event("c", EVENT_SLAVE_UP, 1);
	dispatch_event_rest(at.dispatch, event, &rest, 1);
	run_until_told("c done in;");
	event_unref(&event);
}

/* The term is lost: what waits goes at once, what runs has 5 s; what comes later waits for that in its cluster. */
static void test_all_is_given_up(void **state)
{
	char path[] = "/tmp/plusmoin-rooms-XXXXXX";
	char *deaf = mem_printf("trap '' TERM; rmdir '%s'; while :; do sleep 0.1; done", mkdtemp(path));
	int64_t began;

	(void)state;
	set_guard(GATE_OPEN);
	at.config->trigger_parallel = 2;
	guard.answers[EVENT_SLAVE_UP] = GATE_SOON;
	set_action(at.config, EVENT_SLAVE_DOWN, 1, ":");
	set_action(at.config, EVENT_MASTER_DOWN, 0, deaf);
	set_action(at.config, EVENT_SLAVE_UP, 0, ":");
	queue_event("deaf", EVENT_MASTER_DOWN, 1);
	queue_event("function", EVENT_SLAVE_DOWN, 2);
	queue_event("keeps", EVENT_SLAVE_UP, 3);
	queue_event("waits", EVENT_MASTER_UP, 2);
	while (access(path, F_OK) == 0) /* it ignores TERM from then on */
		uv_run(&at.loop, UV_RUN_NOWAIT);
	began = clock_steady_ms();
	dispatch_abandon(at.dispatch, "the term was lost");
	assert_told("waits not run;keeps not run;");
	assert_string_equal(buf_text(&at.ends), "waits dropped;keeps dropped;");
	assert_int_equal(counter_read(&at.meters.drops), 0);
	assert_int_equal(at.runs[0].stopped, 1);
	guard.answers[EVENT_SLAVE_UP] = GATE_OPEN;
	queue_event("again", EVENT_MASTER_UP, 2);
	queue_event("slot", EVENT_SLAVE_UP, 4); /* the one that was kept */
	run_until_told("slot done in;");
	assert_started("function");
	end_run(0); /* and its command does not run */
	assert_started("function again");
	dispatch_abandon(at.dispatch, "the term was lost again");
	assert_int_equal(at.runs[1].stopped, 1);
	run_until_told("deaf ended b;");
	assert_true(clock_steady_ms() - began >= 4900);
	while (at.runs[1].stopped < 2)
		uv_run(&at.loop, UV_RUN_ONCE);
	assert_int_equal(at.runs[0].stopped, 1);
	end_run(1);
	at.ended = 2;
	assert_string_equal(buf_text(&at.ends), "waits dropped;keeps dropped;slot done;function done;function dropped;"
						"deaf failed;again done;");
	end_guard();
	free(deaf);
}

static void tell_one(void *data, const struct event *event, const char *path, const char *how)
{
	(void)path;
	buf_addf(data, "%s %s;", event->id, how);
}

static void test_what_is_left_of_an_event_can_be_asked(void **state)
{
	struct buf left = { 0 };

	(void)state;
	set_action(at.config, EVENT_SLAVE_DOWN, 1, NULL);
	queue_event("a", EVENT_SLAVE_DOWN, 1);
	queue_event("b", EVENT_SLAVE_DOWN, 1);
	dispatch_tell_left(at.dispatch, "a", tell_one, &left);
	dispatch_tell_left(at.dispatch, "b", tell_one, &left);
	dispatch_tell_left(at.dispatch, "c", tell_one, &left);
	assert_string_equal(buf_text(&left), "a running;a waiting;b waiting;b waiting;");
	buf_free(&left);
}

static void test_an_empty_queue_goes_with_its_line(void **state)
{
	struct queues *queues = mem_zalloc(1, sizeof(*queues));
	struct event *event = make_event("a", EVENT_MASTER_UP, 4097);
	struct event *other = make_event("b", EVENT_SLAVE_UP, 1); /* of the same chain */
	struct run *run;
	struct run *beside;

	(void)state;
	queues_init(queues);
	assert_null(queues_find(queues, 1));
	run = queues_add(queues, event, at.config, NULL, 100);
	beside = queues_add(queues, other, at.config, NULL, 10);
	assert_int_equal(queues->bytes, 110);
	assert_int_equal(queues->count, 2);
	assert_ptr_equal(queues_find(queues, 4097), run->queue);
	assert_ptr_equal(queues_find(queues, 1), beside->queue);
	assert_ptr_equal(TAILQ_NEXT(&queues->commands, in_lines), run->queue->line);
	queue_run_begins(run);
	queue_run_free(&run);
	assert_null(queues_find(queues, 4097));
	queue_run_free(&beside);
	assert_int_equal(queues->count, 0);
	assert_int_equal(queues->bytes, 0);
	queues_tidy(queues);
	assert_null(TAILQ_NEXT(&queues->commands, in_lines));
	queues_end(queues);
	event_unref(&event);
	event_unref(&other);
	free(queues);
}

static double cpu_seconds(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/* Seconds for each of so many clusters whose heartbeats are queued, run and end. */
static double cost_of_one(int clusters, bool wait)
{
	double began;

	at.started = at.ended = 0;
	at.unready = wait ? at.config : NULL;
	began = cpu_seconds();
	for (int cluster = 0; cluster < clusters; cluster++)
		queue_event("h", EVENT_HEARTBEAT, cluster);
	at.unready = NULL;
	dispatch_runner_changed(at.dispatch);
	assert_int_equal(at.started, clusters);
	end_all();
	return (cpu_seconds() - began) / clusters;
}

static double least_cost(int clusters, bool wait)
{
	double least = 1;

	for (int i = 0; i < 5; i++) {
		double cost = cost_of_one(clusters, wait);

		least = cost < least ? cost : least;
	}
	return least;
}

static void test_many_clusters_cost_as_many_times_one(void **state)
{
	(void)state;
	for (int wait = 0; wait < 2; wait++) {
		double few = least_cost(FEW, wait);
		double many = least_cost(MANY, wait);

		printf("a heartbeat of one cluster%s: %.2f us of %d, %.2f us of %d\n",
		       wait ? ", after a wait for a host" : "", few * 1e6, FEW, many * 1e6, MANY);
		assert_true(many < few * TIMES_MORE);
	}
	buf_clear(&at.told);
}

static enum gate_answer answer_all(void *data, const struct event *event, const struct config_action *action,
				   bool again)
{
	(void)event;
	(void)action;
	(void)again;
	return *(const enum gate_answer *)data;
}

/* The same where each cluster waits at the gate, which opens for one after the other. */
static double cost_at_gate(int clusters)
{
	enum gate_answer answer = GATE_SHUT;
	struct gate gate = { .may_start = answer_all, .data = &answer };
	double began;

	at.started = at.ended = 0;
	dispatch_set_gate(at.dispatch, &gate);
	began = cpu_seconds();
	for (int cluster = 0; cluster < clusters; cluster++)
		queue_event("h", EVENT_SLAVE_UP, cluster);
	answer = GATE_OPEN;
	for (int cluster = clusters; cluster-- > 0;)
		dispatch_gate_changed_for(at.dispatch, cluster);
	assert_int_equal(at.started, clusters);
	end_all();
	began = cpu_seconds() - began;
	dispatch_set_gate(at.dispatch, NULL);
	return began / clusters;
}

static void test_many_clusters_at_the_gate_cost_as_many_times_one(void **state)
{
	double few = 1;
	double many = 1;

	(void)state;
	for (int i = 0; i < 5; i++) {
		double cost = cost_at_gate(FEW);

		few = cost < few ? cost : few;
		cost = cost_at_gate(MANY);
		many = cost < many ? cost : many;
	}
	printf("an event of one cluster at the gate: %.2f us of %d, %.2f us of %d\n", few * 1e6, FEW, many * 1e6, MANY);
	assert_true(many < few * TIMES_MORE);
	buf_clear(&at.told);
}

/* ---- silences ---- */

/* From now on what falls in it does not run; `until_ms`: wall clock. */
static void silence(struct silences *silences, const char *target, int64_t until_ms)
{
	struct silence one = { .until_ms = until_ms, .by = (char *)"alice", .reason = (char *)"upgrade" };

	assert_true(silence_read_target(&one, target));
	assert_true(silences_put(silences, &one));
	free(one.node);
	dispatch_set_silences(at.dispatch, silences);
}

static void end_silences(struct silences *silences)
{
	silences_free(silences);
	dispatch_set_silences(at.dispatch, NULL);
}

static void assert_ends(const char *expected)
{
	assert_string_equal(buf_text(&at.ends), expected);
	buf_clear(&at.ends);
}

/* That of the node, of the cluster, of all: nothing is queued, and each action is told. */
static void test_what_falls_in_a_silence_is_not_queued(void **state)
{
	struct silences silences = { 0 };
	int64_t later_ms = clock_wall_ms() + 3600000;

	(void)state;
	set_action(at.config, EVENT_SLAVE_UP, 1, NULL);
	silence(&silences, "db:2", later_ms);
	silence(&silences, "3", later_ms);
	silence(&silences, "4", clock_wall_ms()); /* it is over */
	queue_node("node", 2, 1, -1);
	assert_told("node silence;node silence;");
	assert_ends("node silenced;node silenced;");
	queue_event("cluster", EVENT_MASTER_DOWN, 3);
	queue_event("beat", EVENT_HEARTBEAT, 3);
	queue_event("none", EVENT_NODE_HELD, 3); /* it has no trigger */
	assert_ends("cluster silenced;beat silenced;");
	assert_int_equal(gauge_read(&at.meters.queue_length), 0);
	assert_int_equal(counter_read(&at.meters.silenced), 3);
	assert_int_equal(counter_read(&at.meters.drops), 0);
	queue_event("over", EVENT_MASTER_DOWN, 4);
	queue_node("other", 1, 1, -1);
	assert_started("over other");
	silence(&silences, "all", later_ms);
	queue_event("isolated", EVENT_MONITOR_ISOLATED, -1);
	assert_ends("isolated silenced;");
	end_silences(&silences);
	queue_event("after", EVENT_MASTER_UP, 3);
	assert_started("over other after");
}

/* What fired in it is told at once, whatever runs, and does not run when it has ended. */
static void test_what_fired_in_a_silence_does_not_run_later(void **state)
{
	struct silences silences = { 0 };

	(void)state;
	queue_event("runs", EVENT_SLAVE_DOWN, 1);
	silence(&silences, "1", clock_wall_ms() + 3600000);
	queue_event("fired", EVENT_MASTER_DOWN, 1);
	assert_ends("fired silenced;");
	end_silences(&silences);
	queue_event("after", EVENT_MASTER_UP, 1);
	end_run(0);
	at.ended = 1;
	assert_started("runs after");
}

/* It begins while events wait: what runs goes on, what has not started does not. */
static void test_a_silence_begins_while_events_wait(void **state)
{
	struct silences silences = { 0 };

	(void)state;
	set_action(at.config, EVENT_SLAVE_DOWN, 1, NULL);
	set_action(at.config, EVENT_SLAVE_DOWN, 2, ":");
	queue_event("runs", EVENT_SLAVE_DOWN, 1);
	queue_event("waits", EVENT_SLAVE_UP, 1);
	queue_event("later", EVENT_MASTER_UP, 1);
	silence(&silences, "all", clock_wall_ms() + 3600000);
	dispatch_runner_changed(at.dispatch);
	assert_ends("");
	assert_started("runs");
	assert_int_equal(at.runs[0].stopped, 0);
	end_run(0);
	at.ended = 1;
	assert_ends("runs done;runs silenced;runs silenced;waits silenced;later silenced;");
	assert_int_equal(counter_read(&at.meters.silenced), 3);
	assert_int_equal(gauge_read(&at.meters.queue_length), 0);
	end_silences(&silences);
	queue_event("after", EVENT_SLAVE_UP, 1);
	assert_started("runs after");
}

/* It begins between the gate's "soon" and its "open": the place is given back, and what waits for it starts. */
static void test_a_silence_begins_at_the_gate(void **state)
{
	struct silences silences = { 0 };

	(void)state;
	set_guard(GATE_SOON);
	guard.answers[EVENT_SLAVE_UP] = GATE_OPEN;
	set_action(at.config, EVENT_SLAVE_DOWN, 0, ":");
	set_action(at.config, EVENT_SLAVE_UP, 0, ":");
	queue_event("keeps", EVENT_SLAVE_DOWN, 1);
	queue_event("function", EVENT_MASTER_DOWN, 2);
	queue_event("slot", EVENT_SLAVE_UP, 3);
	assert_asked("keeps trigger;function trigger;");
	silence(&silences, "1", clock_wall_ms() + 3600000);
	silence(&silences, "2", clock_wall_ms() + 3600000);
	dispatch_gate_changed_for(at.dispatch, 1);
	assert_ends("keeps silenced;");
	dispatch_gate_changed(at.dispatch);
	assert_asked("slot trigger;"); /* of those in a silence it is not asked any more */
	assert_ends("function silenced;");
	run_until_told("keeps silence;function silence;slot done in;");
	end_silences(&silences);
	end_guard();
}

/* Of what another monitor has left those actions alone are told that would run. */
static void test_the_rest_of_an_event_falls_in_a_silence(void **state)
{
	struct dispatch_rest rest[] = { { .path = "trigger[3]" }, { .path = "trigger", .again = true } };
	struct event *event = make_event("a", EVENT_SLAVE_UP, 1);
	struct silences silences = { 0 };

	(void)state;
	set_action(at.config, EVENT_SLAVE_UP, 1, NULL);
	set_action(at.config, EVENT_SLAVE_UP, 2, NULL);
	silence(&silences, "1", clock_wall_ms() + 3600000);
	dispatch_event_rest(at.dispatch, event, rest, 2);
	assert_ends("a silenced;a silenced;");
	assert_started("");
	end_silences(&silences);
	event_unref(&event);
}

#define staged(test) cmocka_unit_test_setup_teardown(test, open_stage, close_stage)

int main(void)
{
	const struct CMUnitTest tests[] = {
		staged(test_one_after_another_in_a_cluster),
		staged(test_all_actions_of_an_event_before_the_next_event),
		staged(test_a_gate_holds_up_its_cluster_alone),
		staged(test_a_gate_keeps_a_place_or_gives_it_up),
		staged(test_a_function_behind_a_gate_needs_its_host_still),
		staged(test_what_keeps_its_place_is_not_dropped),
		staged(test_ends_are_told_as_data),
		staged(test_the_rest_of_an_event),
		staged(test_commands_are_shown_the_term),
		staged(test_all_is_given_up),
		staged(test_masters_first_then_who_waits_longest),
		staged(test_a_heartbeat_starts_when_nothing_else_could),
		staged(test_slow_heartbeats_starve_nobody),
		staged(test_a_load_without_a_host_holds_up_no_other),
		staged(test_who_came_from_another_cluster_waits_for_its_events_there),
		staged(test_a_heartbeat_queued_or_running_is_not_queued_again),
		staged(test_a_full_queue_drops_the_oldest_of_a_slave),
		staged(test_the_first_of_a_full_queue_gives_its_place_in_the_line),
		staged(test_a_heartbeat_is_dropped_before_all_others),
		staged(test_what_runs_is_not_dropped),
		staged(test_all_queues_together_are_bounded),
		staged(test_a_picture_is_counted_once),
		staged(test_commands_have_slots_and_masters_as_many_again),
		staged(test_slots_go_in_turn),
		staged(test_the_end_gives_functions_a_word_and_then_none),
		staged(test_an_event_queued_before_the_end_runs_in_the_grace),
		staged(test_each_start_is_told),
		staged(test_what_becomes_of_triggers_is_measured),
		staged(test_what_is_left_of_an_event_can_be_asked),
		staged(test_what_falls_in_a_silence_is_not_queued),
		staged(test_what_fired_in_a_silence_does_not_run_later),
		staged(test_a_silence_begins_while_events_wait),
		staged(test_a_silence_begins_at_the_gate),
		staged(test_the_rest_of_an_event_falls_in_a_silence),
		staged(test_an_empty_queue_goes_with_its_line),
		staged(test_many_clusters_cost_as_many_times_one),
		staged(test_many_clusters_at_the_gate_cost_as_many_times_one),
	};

	int failed;

	(void)signal(SIGPIPE, SIG_IGN); /* as the daemon: commands end before they have read */
	if (log_start("/dev/null", LOG_LEVEL_ERROR, LOG_FORMAT_TEXT) != 0)
		return 1;
	failed = cmocka_run_group_tests_name("dispatch", tests, NULL, NULL);
	return log_stop(1000) ? failed : 1;
}
