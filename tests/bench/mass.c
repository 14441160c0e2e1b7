/*
 * Events by the thousand, without servers (support/fed.h): nodes die within a second and return within a second, in
 * fleets of different shapes, with no trigger, with commands and with Lua functions. What an event costs the
 * monitor's thread and in memory, beside 100 nodes in the same run: it must not grow with the number of nodes, but
 * for what is the event's own (the bytes on a command's stdin). And how late other clusters' beats are meanwhile,
 * beside a timer in a process that does nothing else.
 *
 * usage: mass [LIMIT [LATE_MS [SHAPE [KIND]]]]   fails when an event in a large fleet costs more than LIMIT (default 2)
 * times one in a fleet of 100, or a beat of another cluster is later by more than LATE_MS (default 50) than the timer;
 * SHAPE, KIND: only that one, from 0 on (0: no trigger, 1: commands, 2: functions). Environment: TIMES, how often all
 * that happens to a fleet of 100 (5).
 */
#include <fcntl.h>
#include <malloc.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "daemon/recent.h"
#include "dispatch/dispatch.h"
#include "loop/clock.h"
#include "loop/timer.h"
#include "process/process.h"
#include "script/hosts.h"
#include "support/fed.h"

#define BEAT_MS 500    /* of all clusters */
#define WITNESSES 10   /* clusters of one to which nothing happens: it is their beats that may be late */
#define SPREAD_MS 1000 /* all die, and return, within that time */
#define QUIET_MS 1000  /* before, to see what the fleet costs while nothing happens */
#define PATIENCE_MS 120000
#define TICK_MS 1
#define LEAST_US 30    /* an event of 100 nodes, at least: 57 to 180 were seen where it could be told */
#define PICTURES 128   /* as many stdins that are there at once: 16 commands have each twice, and 2 Lua functions tables of it */

enum kind { KIND_NONE, KIND_COMMANDS, KIND_FUNCTIONS, KINDS };

static const char *const kind_names[KINDS] = { "no trigger", "commands", "functions" };

struct shape {
	const char *name;
	size_t dying;       /* nodes that die and return */
	size_t size;        /* of their clusters, */
	bool masters_live;  /* whose masters live on: they come on top */
	size_t clusterless; /* nodes beside them that die and return as well, and fire nothing */
	bool held;          /* they do not die: they let nobody in */
	int times;          /* how often all that happens; 0: as TIMES says */
};

/* Of one run. A clusterless node that dies or returns fires nothing, and counts as an event here. */
struct cost {
	double event_us;   /* CPU of the monitor's thread an event, less what the fleet costs while nothing happens */
	double event_bytes; /* by which the process has grown at most, an event */
	double stdin_bytes; /* what the last event would be on a command's stdin */
	double stdin_us;    /* what it takes to make them, and to write them into a pipe, the monitor's thread's part */
	double late_ms;    /* the latest beat of a witness */
	double bare_ms;    /* the latest of a timer in another process */
	double seconds;
	unsigned long events;
	unsigned long dropped;
};

static struct {
	uv_loop_t loop;
	struct clock clock;
	const struct shape *shape;
	struct monitor *monitor;
	struct shared *shared;
	struct config *config; /* of the triggers */
	struct hosts *hosts;
	struct dispatch *dispatch;
	struct recent recent;
	struct timer *tick;
	bool is_struck;  /* something happens to the fleet: */
	bool dies;       /* else they return */
	double began_ms; /* to die, or to return */
	size_t struck;   /* of the dying so far */
	double asked_ms[WITNESSES];
	unsigned long ups;
	unsigned long left; /* actions that have not ended */
	struct event *last; /* that fired */
	struct cost cost;
} bench;

static double now_ms(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static _Noreturn void give_up(const char *why)
{
	printf("mass: gave up: %s\n", why);
	(void)fflush(stdout);
	_exit(1);
}

/* ---- what the daemon does with an event */

static void on_fired(void *data, struct event *event)
{
	(void)data;
	if (event->kind == EVENT_PLUSMOIN_UP) {
		bench.ups++;
		return;
	}
	bench.cost.events++;
	if (config_has_lua(bench.config, event->kind))
		shared_publish(bench.shared, monitor_board(bench.monitor));
	recent_add(&bench.recent, event, monitor_fleet(bench.monitor));
	bench.left += bench.config->triggers[event->kind].count;
	dispatch_event(bench.dispatch, event);
	event_unref(&bench.last);
	bench.last = event_ref(event);
}

static void on_changed(void *data)
{
	(void)data;
}

static void on_told(void *data, const struct event *event, const char *path, const char *how)
{
	(void)data;
	recent_tell(&bench.recent, event, path, how);
	bench.left--;
	bench.cost.dropped += path == NULL;
	if (path != NULL && strncmp(how, "done", 4) != 0)
		give_up(how);
}

static void on_loaded(void *data, unsigned long number, struct config *config, const struct load_report *report)
{
	(void)data;
	(void)number;
	(void)config;
	(void)report;
}

static void on_hosts_changed(void *data)
{
	(void)data;
	dispatch_runner_changed(bench.dispatch);
}

/* ---- the fleet: witnesses, then the dying (their masters first), then the clusterless */

static size_t masters_above(const struct shape *shape)
{
	return shape->masters_live ? shape->dying / (shape->size - 1) : 0;
}

static size_t all_of(const struct shape *shape)
{
	return WITNESSES + shape->dying + masters_above(shape) + shape->clusterless;
}

static void make_fleet(const struct shape *shape)
{
	size_t members = shape->dying + masters_above(shape);

	fed_fleet(all_of(shape), 1);
	for (size_t i = 0; i < members; i++) {
		struct fed_server *server = &fed.servers[WITNESSES + i];

		server->role = i % shape->size == 0 ? FED_MASTER : FED_SLAVE;
		server->upstream = WITNESSES + i - i % shape->size;
	}
	for (size_t i = WITNESSES + members; i < all_of(shape); i++)
		fed.servers[i].role = FED_SLAVE;
	fed.config->heartbeat_ms = BEAT_MS;
	fed.config->retry_interval_ms = BEAT_MS;
	fed.config->restart_grace_ms = 0;
}

/* The server that the n-th of those is to whom something happens. */
static size_t struck_at(const struct shape *shape, size_t n)
{
	if (n >= shape->dying)
		return WITNESSES + masters_above(shape) + n;
	return WITNESSES + n + (shape->masters_live ? n / (shape->size - 1) + 1 : 0);
}

static void strike(size_t at)
{
	struct fed_server *server = &fed.servers[at];
	struct fed_probe *probe = fed.probes[at];

	if (bench.dies) {
		server->role = bench.shape->held ? FED_FULL : FED_DOWN;
		probe->events->broke(probe->data);
	} else {
		server->role = server->upstream == at && at < WITNESSES + bench.shape->dying + masters_above(bench.shape)
				       ? FED_MASTER
				       : FED_SLAVE;
		probe->events->connected(probe->data);
	}
}

static void on_tick(void *data)
{
	size_t all = bench.shape->dying + bench.shape->clusterless;
	double part = (now_ms(CLOCK_MONOTONIC) - bench.began_ms) / SPREAD_MS;
	size_t due = part < 1 ? (size_t)((double)all * part) : all;

	(void)data;
	while (bench.is_struck && bench.struck < due)
		strike(struck_at(bench.shape, bench.struck++));
	timer_start(bench.tick, TICK_MS);
}

static void on_asked(size_t at)
{
	double at_ms = now_ms(CLOCK_MONOTONIC);

	if (at >= WITNESSES)
		return;
	if (bench.asked_ms[at] > 0 && at_ms - bench.asked_ms[at] - BEAT_MS > bench.cost.late_ms)
		bench.cost.late_ms = at_ms - bench.asked_ms[at] - BEAT_MS;
	bench.asked_ms[at] = at_ms;
}

/* ---- a run */

static void load_triggers(enum kind kind)
{
	static const struct hosts_events events = { .loaded = on_loaded, .changed = on_hosts_changed };
	static const struct dispatch_events runs = { .told = on_told };
	static const char *const triggers[KINDS] = {
		[KIND_NONE] = "nil", [KIND_COMMANDS] = "{ '/usr/bin/wc', '-c' }",
		[KIND_FUNCTIONS] = "function(event) return event.cluster_id end",
	};
	char path[] = "/tmp/plusmoin-mass-XXXXXX.lua";
	struct load_report report;
	int fd = mkstemps(path, 4);
	struct host *host;

	if (fd < 0)
		give_up("no file");
	(void)dprintf(fd, "local run = %s\nif type(run) == 'table' then run = { command = run } end\n"
		      "return { dbname = 'x', user = 'x', lua = { memory_limit = 256 }, triggers = { master_down = run,"
		      " master_up = run, slave_down = run, slave_up = run, node_held = run } }\n", triggers[kind]);
	(void)close(fd);
	host = host_new(path, NULL, bench.shared, NULL);
	if (host == NULL || !host_wait(host))
		give_up("no host");
	host_take(host, &bench.config, &report);
	if (bench.config == NULL)
		give_up(report.errors[0]);
	load_report_free(&report);
	(void)unlink(path);
	bench.hosts = hosts_new(&bench.loop, host, bench.config, bench.shared, &events, NULL);
	bench.dispatch = dispatch_new(&bench.loop, bench.config, hosts_runner(bench.hosts));
	dispatch_tell(bench.dispatch, &runs, NULL);
}

static void turn_until(bool (*done)(void))
{
	double end_ms = now_ms(CLOCK_MONOTONIC) + PATIENCE_MS;

	while (!done()) {
		(void)uv_run(&bench.loop, UV_RUN_ONCE);
		if (now_ms(CLOCK_MONOTONIC) > end_ms)
			give_up("it takes too long");
	}
}

static bool are_up(void)
{
	const struct shape *shape = bench.shape;
	const struct fleet *fleet = monitor_fleet(bench.monitor);
	size_t clusters = WITNESSES + (shape->dying + masters_above(shape)) / shape->size;

	return bench.ups == clusters && fleet->clusterless.count == shape->clusterless && fed.queue_count == 0;
}

/* Whether all that was struck was judged, and no trigger is left. */
static bool are_judged(void)
{
	const struct fleet *fleet = monitor_fleet(bench.monitor);
	const struct shape *shape = bench.shape;

	if (bench.struck < shape->dying + shape->clusterless || bench.left > 0)
		return false;
	for (size_t n = 0; n < shape->dying; n++) {
		const struct node *node = fleet->nodes[struck_at(shape, n)];

		if ((shape->held ? !node->hold_told : node_is_in_place(node)) == bench.dies)
			return false;
	}
	return true;
}

static void strike_all(bool dies)
{
	bench.is_struck = true;
	bench.dies = dies;
	bench.struck = 0;
	bench.began_ms = now_ms(CLOCK_MONOTONIC);
	turn_until(are_judged);
}

static bool was_quiet(void)
{
	return now_ms(CLOCK_MONOTONIC) - bench.began_ms >= QUIET_MS;
}

/* CPU of the monitor's thread in ms, a second in which nothing happens. */
static double quiet_ms(void)
{
	double cpu_ms = now_ms(CLOCK_THREAD_CPUTIME_ID);

	bench.began_ms = now_ms(CLOCK_MONOTONIC);
	on_tick(NULL);
	turn_until(was_quiet);
	return (now_ms(CLOCK_THREAD_CPUTIME_ID) - cpu_ms) * 1e3 / (now_ms(CLOCK_MONOTONIC) - bench.began_ms);
}

/* The most that the process has had resident since it was asked for to be forgotten. */
static double peak_bytes(bool forget)
{
	FILE *file = fopen("/proc/self/clear_refs", "we");
	char line[256];
	double kib = 0;

	if (forget && file != NULL)
		(void)fputs("5\n", file);
	if (file != NULL)
		(void)fclose(file);
	file = fopen("/proc/self/status", "re");
	while (file != NULL && fgets(line, sizeof(line), file) != NULL) {
		if (strncmp(line, "VmHWM:", 6) == 0)
			kib = atof(line + 6);
	}
	if (file != NULL)
		(void)fclose(file);
	return kib * 1024;
}

/* What making the last event's stdin and writing it costs: the event's own picture. */
static void measure_stdin(struct cost *cost)
{
	enum { TIMES = 50 };
	static char block[65536];
	double begin_ms = now_ms(CLOCK_THREAD_CPUTIME_ID);
	int ends[2];

	if (bench.last == NULL || pipe2(ends, O_NONBLOCK | O_CLOEXEC) != 0)
		return;
	for (int i = 0; i < TIMES; i++) {
		struct buf text = { 0 };

		event_render(bench.last, &text);
		cost->stdin_bytes = (double)text.len;
		for (size_t at = 0; at < text.len;) {
			ssize_t len = write(ends[1], text.data + at, text.len - at);

			if (len <= 0 || read(ends[0], block, sizeof(block)) <= 0)
				give_up("no pipe");
			at += (size_t)len;
		}
		buf_free(&text);
	}
	cost->stdin_us = (now_ms(CLOCK_THREAD_CPUTIME_ID) - begin_ms) * 1e3 / TIMES;
	(void)close(ends[0]);
	(void)close(ends[1]);
}

static int times_of(const struct shape *shape)
{
	const char *given = getenv("TIMES");

	return shape->times > 0 ? shape->times : given != NULL ? atoi(given) : 5;
}

static void run(const struct shape *shape, enum kind kind)
{
	static const struct monitor_events events = { .fired = on_fired, .changed = on_changed };
	struct monitor_start start = { .loop = &bench.loop, .clock = &bench.clock, .prober = &fed_prober, .events = &events };
	double a_second_ms;
	double peak;
	double cpu_ms;
	double begin_ms;

	bench.shape = shape;
	make_fleet(shape);
	start.config = fed.config;
	uv_loop_init(&bench.loop);
	clock_start(&bench.clock);
	bench.shared = shared_new();
	(void)reaper_start(&bench.loop);
	load_triggers(kind);
	bench.tick = timer_new(&bench.loop, on_tick, NULL);
	bench.monitor = monitor_new(&start);
	turn_until(are_up);
	a_second_ms = quiet_ms();
	fed.on_asked = on_asked;
	(void)malloc_trim(0);
	peak = peak_bytes(true);
	begin_ms = now_ms(CLOCK_MONOTONIC);
	cpu_ms = now_ms(CLOCK_THREAD_CPUTIME_ID);
	for (int i = 0; i < times_of(shape); i++) {
		strike_all(true);
		strike_all(false);
	}
	cpu_ms = now_ms(CLOCK_THREAD_CPUTIME_ID) - cpu_ms;
	bench.cost.seconds = (now_ms(CLOCK_MONOTONIC) - begin_ms) / 1e3;
	if (bench.cost.events == 0)
		give_up("nothing fired");
	bench.cost.events += 2 * (unsigned long)times_of(shape) * shape->clusterless;
	bench.cost.event_us = (cpu_ms - a_second_ms * bench.cost.seconds) * 1e3 / (double)bench.cost.events;
	bench.cost.event_bytes = (peak_bytes(false) - peak) / (double)bench.cost.events;
	measure_stdin(&bench.cost);
}

/* How late a timer is at most that nothing holds up but the machine, until the pipe is closed. */
static _Noreturn void be_bare(int asked, int told)
{
	double late_ms = 0;
	char byte;

	(void)fcntl(asked, F_SETFL, O_NONBLOCK);
	while (read(asked, &byte, 1) != 0) {
		double due_ms = now_ms(CLOCK_MONOTONIC) + 5;

		(void)usleep(5000);
		if (now_ms(CLOCK_MONOTONIC) - due_ms > late_ms)
			late_ms = now_ms(CLOCK_MONOTONIC) - due_ms;
	}
	_exit(write(told, &late_ms, sizeof(late_ms)) != (ssize_t)sizeof(late_ms));
}

static pid_t start_bare(int *asks, int *answers)
{
	int to[2];
	int from[2];
	pid_t child;

	if (pipe2(to, O_CLOEXEC) != 0 || pipe2(from, O_CLOEXEC) != 0 || (child = fork()) < 0)
		give_up("no process");
	if (child == 0) {
		(void)close(to[1]);
		be_bare(to[0], from[1]);
	}
	(void)close(to[0]);
	(void)close(from[1]);
	*asks = to[1];
	*answers = from[0];
	return child;
}

/* In a process of its own: what one run has grown to is not another's. */
static struct cost measure(const struct shape *shape, enum kind kind)
{
	struct cost cost = { 0 };
	int ends[2];
	int asks;
	int answers;
	pid_t bare;
	pid_t child;

	(void)fflush(stdout);
	bare = start_bare(&asks, &answers);
	if (pipe(ends) != 0 || (child = fork()) < 0)
		give_up("no process");
	if (child == 0) {
		(void)close(asks); /* else the bare timer would never end */
		(void)log_start("/dev/null", LOG_LEVEL_ERROR, LOG_FORMAT_TEXT);
		run(shape, kind);
		_exit(write(ends[1], &bench.cost, sizeof(bench.cost)) != (ssize_t)sizeof(bench.cost));
	}
	(void)close(ends[1]);
	if (read(ends[0], &cost, sizeof(cost)) != (ssize_t)sizeof(cost))
		give_up("a run has failed");
	(void)close(ends[0]);
	(void)close(asks);
	if (read(answers, &cost.bare_ms, sizeof(cost.bare_ms)) != (ssize_t)sizeof(cost.bare_ms))
		give_up("the bare timer has failed");
	(void)close(answers);
	(void)waitpid(child, NULL, 0);
	(void)waitpid(bare, NULL, 0);
	return cost;
}

static void print(const struct shape *shape, enum kind kind, const struct cost *cost)
{
	printf("%-34s %-11s %6lu %7.2f %9.1f %9.1f %9.0f %8.1f %8.1f %8.1f %7lu\n", shape->name, kind_names[kind],
	       cost->events, cost->seconds, cost->event_us, cost->event_bytes / 1024, cost->stdin_bytes / 1024,
	       cost->stdin_us, cost->late_ms, cost->bare_ms, cost->dropped);
	(void)fflush(stdout);
}

static int failures;

static void must(bool holds, const struct shape *shape, enum kind kind, const char *what)
{
	if (holds)
		return;
	printf("%s, %s: %s\n", shape->name, kind_names[kind], what);
	failures++;
}

static void compare(const struct shape *shape, enum kind kind, const struct cost *small, const struct cost *large,
		    double limit)
{
	double own_bytes = kind != KIND_NONE ? PICTURES * large->stdin_bytes / (double)large->events : 0;
	double own_us = kind == KIND_COMMANDS ? large->stdin_us : 0;

	/* what 100 events cost is a small difference of two noisy times: it may come out as nothing, or less */
	double small_us = small->event_us > LEAST_US ? small->event_us : LEAST_US;

	must(large->event_us - own_us <= limit * small_us, shape, kind, "an event takes longer than beside 100 nodes");
	must(large->event_bytes - own_bytes <= limit * small->event_bytes, shape, kind,
	     "an event takes more memory than beside 100 nodes");
	must(large->dropped == 0, shape, kind, "events were dropped");
}

static int number(char **argv, int argc, int at, int otherwise)
{
	return argc > at ? atoi(argv[at]) : otherwise;
}

int main(int argc, char **argv)
{
	static const struct shape shapes[][2] = {
		{ { .name = "100 clusters of one", .dying = 100, .size = 1 },
		  { .name = "2,000 clusters of one", .dying = 2000, .size = 1, .times = 1 } },
		{ { .name = "a cluster, 100 slaves die", .dying = 100, .size = 101, .masters_live = true },
		  { .name = "a cluster, 2,000 slaves die", .dying = 2000, .size = 2001, .masters_live = true, .times = 1 } },
		{ { .name = "a cluster, 100 slaves are full", .dying = 100, .size = 101, .masters_live = true, .held = true },
		  { .name = "a cluster, 2,000 slaves are full", .dying = 2000, .size = 2001, .masters_live = true, .held = true, .times = 1 } },
		{ { .name = "100 of one beside 100 clusterless", .dying = 100, .size = 1, .clusterless = 100 },
		  { .name = "100 of one beside 2,000 clusterl.", .dying = 100, .size = 1, .clusterless = 2000, .times = 5 } },
		{ { .name = "100 in clusters of five", .dying = 100, .size = 5 },
		  { .name = "5,000 in clusters of five", .dying = 5000, .size = 5, .times = 1 } },
	};
	int limit = number(argv, argc, 1, 2);
	int late_ms = number(argv, argc, 2, 50);
	int only = number(argv, argc, 3, -1);
	int only_kind = number(argv, argc, 4, -1);

	printf("%-34s %-11s %6s %7s %9s %9s %9s %8s %8s %8s %7s\n", "", "", "events", "s", "us/event", "KiB/event",
	       "stdin KiB", "stdin us", "late ms", "bare ms", "dropped");
	for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
		for (int kind = 0; (only < 0 || only == (int)i) && kind < KINDS; kind++) {
			struct cost small;
			struct cost large;

			if (only_kind >= 0 && only_kind != kind)
				continue;
			small = measure(&shapes[i][0], (enum kind)kind);
			print(&shapes[i][0], (enum kind)kind, &small);
			large = measure(&shapes[i][1], (enum kind)kind);
			print(&shapes[i][1], (enum kind)kind, &large);
			compare(&shapes[i][1], (enum kind)kind, &small, &large, limit);
			must(large.late_ms <= late_ms + large.bare_ms, &shapes[i][1], (enum kind)kind, "a beat is late");
		}
	}
	printf("%d passed, %d failed\n", failures == 0, failures);
	return failures > 0;
}
