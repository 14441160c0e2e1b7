/*
 * What a node costs in fleets of different sizes and shapes, without servers (support/fed.h): the start,
 * a round, a status, an event whose trigger is a Lua function. Per node, or per cluster or write where
 * that is what does the work, beside a fleet of 50 in the same run: what grows with the fleet must grow
 * with its size, not with its square.
 *
 * usage: size [LIMIT]   fails when a shape of 5,000 costs more than LIMIT (default 2) times one of 50
 */
#include <stdlib.h>

#include "base/log.h"
#include "loop/clock.h"
#include "loop/timer.h"
#include "script/shared.h"
#include "support/fed.h"

#define TICK_MS 2
#define TURNS_MS 60000 /* how long a phase may take */
#define REPEATS 3      /* the least of so many runs counts */

/* One run's numbers: µs of this thread's CPU, but for the times of the start. */
struct cost {
	double start_s;   /* until all clusters are up, by the clock */
	double stall_ms;  /* the longest that the loop did not turn meanwhile */
	double start_us;  /* a node */
	double round_us;  /* a node and round */
	double quiet_us;  /* a status after a round that changed nothing, in all */
	double status_us; /* a status after a change in one cluster, in all */
	double event_us;  /* an event with its board, for one Lua function */
	unsigned long ups;
	unsigned long others; /* slave_up, slave_down, ...: none may fire */
};

struct shape {
	const char *name;
	size_t nodes;
	size_t size; /* of a cluster; 0: clusterless */
};

static struct {
	uv_loop_t loop;
	struct clock clock;
	struct monitor *monitor;
	struct shared *shared;
	struct timer *tick;
	double ticked_us;
	struct cost *cost;
	struct meters meters; /* as the daemon's monitor measures, so does this one */
	unsigned long heartbeats;
	double heartbeat_us;
	bool measures_events;
} bench;

static double now_us(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static double cpu_us(void)
{
	return now_us(CLOCK_THREAD_CPUTIME_ID);
}

/* What the daemon does for an event that some function is to see. */
static void on_fired(void *data, struct event *event)
{
	double begin_us = cpu_us();

	(void)data;
	shared_publish(bench.shared, monitor_board(bench.monitor));
	if (event->kind == EVENT_PLUSMOIN_UP) {
		bench.cost->ups++;
	} else if (event->kind == EVENT_HEARTBEAT) {
		bench.heartbeats++;
		bench.heartbeat_us += cpu_us() - begin_us;
	} else {
		bench.cost->others++;
	}
}

static void on_changed(void *data)
{
	(void)data;
}

static void on_tick(void *data)
{
	double at_us = now_us(CLOCK_MONOTONIC);

	(void)data;
	if (at_us - bench.ticked_us > bench.cost->stall_ms * 1000.0)
		bench.cost->stall_ms = (at_us - bench.ticked_us) / 1000.0;
	bench.ticked_us = at_us;
	timer_start(bench.tick, TICK_MS);
}

static void turn_until(bool (*done)(void *data), void *data)
{
	double end_us = now_us(CLOCK_MONOTONIC) + TURNS_MS * 1000.0;

	while (!done(data)) {
		(void)uv_run(&bench.loop, UV_RUN_ONCE);
		if (now_us(CLOCK_MONOTONIC) > end_us) {
			printf("gave up after %d s\n", TURNS_MS / 1000);
			exit(1);
		}
	}
}

static size_t clusters_of(const struct shape *shape)
{
	return shape->size > 0 ? (shape->nodes + shape->size - 1) / shape->size : 0;
}

static bool is_up(void *data)
{
	const struct shape *shape = data;
	const struct fleet *fleet = monitor_fleet(bench.monitor);

	if (shape->size == 0)
		return fed.asked > 3 * shape->nodes;
	return bench.cost->ups == clusters_of(shape) && fleet->clusterless.count == 0;
}

static void measure_start(const struct shape *shape, struct cost *cost)
{
	static const struct monitor_events events = { .fired = on_fired, .changed = on_changed };
	struct monitor_start start = {
		.loop = &bench.loop,
		.config = fed.config,
		.clock = &bench.clock,
		.prober = &fed_prober,
		.events = &events,
		.meters = &bench.meters,
	};
	double begin_us = cpu_us();
	double began_us = now_us(CLOCK_MONOTONIC);

	bench.ticked_us = began_us;
	timer_start(bench.tick, TICK_MS);
	bench.monitor = monitor_new(&start);
	turn_until(is_up, (void *)shape);
	timer_stop(bench.tick);
	cost->start_s = (now_us(CLOCK_MONOTONIC) - began_us) / 1e6;
	cost->start_us = (cpu_us() - begin_us) / (double)shape->nodes;
}

/* Whether so many have been answered: on a busy machine the next round begins before a round's last answer. */
static bool has_asked(void *data)
{
	return fed.asked >= *(const size_t *)data + fed.queue_count;
}

/* Three rounds of all, by the heartbeat; of clusterless nodes their retries are that. */
static void measure_rounds(const struct shape *shape, struct cost *cost)
{
	size_t asked = fed.asked;
	size_t until = asked + 3 * shape->nodes;
	double begin_us = cpu_us();

	bench.heartbeats = 0;
	bench.heartbeat_us = 0;
	turn_until(has_asked, &until);
	cost->round_us = (cpu_us() - begin_us - bench.heartbeat_us) / (double)(fed.asked - asked);
	if (bench.heartbeats > 0)
		cost->event_us = bench.heartbeat_us / (double)bench.heartbeats;
}

static double render_us(void)
{
	double begin_us = cpu_us();
	const struct board *board = monitor_board(bench.monitor);
	static unsigned long generation;
	struct buf text = { 0 };

	if (board->generation != generation)
		board_render(board, &text);
	generation = board->generation;
	buf_free(&text);
	return cpu_us() - begin_us;
}

/* The first is not counted: it makes what has not been asked for yet. */
static void measure_status(struct cost *cost)
{
	struct fleet *fleet = (struct fleet *)monitor_fleet(bench.monitor);
	struct node *node = fleet->nodes[fleet->node_count - 1];

	(void)render_us();
	cost->quiet_us = render_us();
	node_give_reason(node, REASON_LAG, "a bench says so");
	node->since_ms++;
	cost->status_us = render_us();
}

static void on_closed(uv_handle_t *handle, void *data)
{
	(void)data;
	if (!uv_is_closing(handle))
		uv_close(handle, NULL);
}

static struct cost run_once(const struct shape *shape)
{
	struct cost cost = { 0 };

	fed_fleet(shape->nodes, shape->size);
	fed.config->heartbeat_ms = 250;
	fed.config->retry_interval_ms = 250;
	fed.config->max_sync_delay_ms = fed.config->recover_sync_delay_ms = 5000;
	fed.config->triggers[EVENT_HEARTBEAT].count = 1; /* so that they fire; nobody runs it */
	bench.cost = &cost;
	uv_loop_init(&bench.loop);
	clock_start(&bench.clock);
	bench.shared = shared_new();
	bench.tick = timer_new(&bench.loop, on_tick, NULL);
	measure_start(shape, &cost);
	measure_rounds(shape, &cost);
	measure_status(&cost);
	fed.config->triggers[EVENT_HEARTBEAT].count = 0;
	monitor_free(&bench.monitor);
	timer_free(&bench.tick);
	shared_free(&bench.shared);
	uv_walk(&bench.loop, on_closed, NULL);
	(void)uv_run(&bench.loop, UV_RUN_DEFAULT);
	(void)uv_loop_close(&bench.loop);
	fed_end();
	return cost;
}

static double least(double a, double b)
{
	return a < b ? a : b;
}

static struct cost run(const struct shape *shape)
{
	struct cost best = run_once(shape);

	for (int i = 1; i < REPEATS; i++) {
		struct cost cost = run_once(shape);

		best.start_s = least(best.start_s, cost.start_s);
		best.stall_ms = least(best.stall_ms, cost.stall_ms);
		best.start_us = least(best.start_us, cost.start_us);
		best.round_us = least(best.round_us, cost.round_us);
		best.quiet_us = least(best.quiet_us, cost.quiet_us);
		best.status_us = least(best.status_us, cost.status_us);
		best.event_us = least(best.event_us, cost.event_us);
		best.others += cost.others;
	}
	return best;
}

static void print(const struct shape *shape, const struct cost *cost)
{
	printf("%-22s %7.2f %7.1f %8.1f %8.2f %8.1f %8.1f %8.2f %6lu\n", shape->name, cost->start_s,
	       cost->stall_ms, cost->start_us, cost->round_us, cost->quiet_us, cost->status_us,
	       cost->event_us, cost->others);
	fflush(stdout);
}

static int failures;

static void compare(const char *shape, const char *what, double small, double large, double limit)
{
	double ratio = small > 0 ? large / small : 0;

	if (ratio <= limit)
		return;
	printf("%s: %s costs %.1f times what it costs in a fleet of 50, more than %.1f\n", shape, what,
	       ratio, limit);
	failures++;
}

int main(int argc, char **argv)
{
	static const struct shape shapes[][2] = {
		{ { "50 in triples", 50, 3 }, { "5,000 in triples", 5000, 3 } },
		{ { "50 in one cluster", 50, 50 }, { "5,000 in one cluster", 5000, 5000 } },
		{ { "50 of one", 50, 1 }, { "5,000 of one", 5000, 1 } },
		{ { "50 clusterless", 50, 0 }, { "2,000 clusterless", 2000, 0 } },
	};
	double limit = argc > 1 ? atof(argv[1]) : 2;

	(void)log_start("/dev/null", LOG_LEVEL_ERROR, LOG_FORMAT_TEXT);
	meters_init(&bench.meters);
	printf("%-22s %7s %7s %8s %8s %8s %8s %8s %6s\n", "", "start", "stall", "start", "round",
	       "status,", "status,", "event,", "false");
	printf("%-22s %7s %7s %8s %8s %8s %8s %8s %6s\n", "", "s", "ms", "us/node", "us/node",
	       "same, us", "new, us", "Lua, us", "events");
	for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
		struct cost small = run(&shapes[i][0]);
		struct cost large;

		print(&shapes[i][0], &small);
		large = run(&shapes[i][1]);
		print(&shapes[i][1], &large);
		compare(shapes[i][1].name, "a node's start", small.start_us, large.start_us, limit);
		compare(shapes[i][1].name, "a node's round", small.round_us, large.round_us, limit);
		failures += small.others + large.others > 0;
	}
	(void)log_stop(2000);
	printf("%d passed, %d failed\n", failures == 0 ? 1 : 0, failures);
	return failures > 0 ? 1 : 0;
}
