/*
 * What Lua triggers cost and what harm they can do, measured at the mouth of the
 * queues: events go into dispatch as the monitor puts them there. Three parts:
 *
 *	latency   an event to the first line of its function, and to main() of a command
 *	rate      10,000 events a second through 100 clusters, for 10 s
 *	hostile   a timer on the monitor's loop beside 50 culprits (tests/hostile), and
 *	          the same timer in a process of its own, for 60 s (SECONDS=)
 *	waiting   the same beside 50 runs at once that ask a dead name, a black hole and a
 *	          server that says nothing, by pm.query, pm.http and pm.request
 *
 * Usage: lua latency|rate|hostile|waiting, from the project's root.
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <uv.h>

#include "base/log.h"
#include "base/mem.h"
#include "process/process.h"
#include "dispatch/dispatch.h"
#include "net/http.h"
#include "loop/timer.h"
#include "script/hosts.h"

#define CLUSTERS 100
#define NODES 3

struct bench {
	uv_loop_t loop;
	char dir[64];
	char *path; /* of the configuration */
	struct config *config;
	struct shared *shared;
	struct hosts *hosts;
	struct runner runner; /* hosts', counting */
	struct dispatch *dispatch;
	struct fleet *fleet;
	struct board *board;
	unsigned long sent;
	unsigned long ended;
	unsigned long failed;
};

/* One run, so that its end can be counted. */
struct counted {
	struct bench *bench;
	void (*ended)(void *owner, const struct runner_outcome *outcome);
	void *owner;
};

static double now_s(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static int compare(const void *a, const void *b)
{
	double left = *(const double *)a;
	double right = *(const double *)b;

	return (left > right) - (left < right);
}

static double percentile(double *values, size_t count, double part)
{
	qsort(values, count, sizeof(*values), compare);
	return values[(size_t)((double)(count - 1) * part)];
}

static void on_ended(void *owner, const struct runner_outcome *outcome)
{
	struct counted *counted = owner;

	counted->bench->ended++;
	if (outcome->error != NULL)
		counted->bench->failed++;
	counted->ended(counted->owner, outcome);
	free(counted);
}

static bool is_ready(void *data, const struct config *config)
{
	const struct runner *hosts = hosts_runner(((struct bench *)data)->hosts);

	return hosts->is_ready(hosts->data, config);
}

static void *start(void *data, const struct config *config, const struct config_action *action,
		   struct event *event,
		   void (*ended)(void *owner, const struct runner_outcome *outcome), void *owner)
{
	struct bench *bench = data;
	const struct runner *hosts = hosts_runner(bench->hosts);
	struct counted *counted = mem_zalloc(1, sizeof(*counted));

	counted->bench = bench;
	counted->ended = ended;
	counted->owner = owner;
	return hosts->start(hosts->data, config, action, event, on_ended, counted);
}

static void stop(void *data, void *run, enum runner_stop how)
{
	const struct runner *hosts = hosts_runner(((struct bench *)data)->hosts);

	hosts->stop(hosts->data, run, how);
}

static void on_loaded(void *data, unsigned long number, struct config *config,
		      const struct load_report *report)
{
	struct bench *bench = data;

	(void)number;
	(void)report;
	if (config != NULL)
		dispatch_reload(bench->dispatch, config);
}

static void on_changed(void *data)
{
	dispatch_runner_changed(((struct bench *)data)->dispatch);
}

/* A fleet of clusters with a master and two slaves each, and their pictures. */
static void make_fleet(struct bench *bench)
{
	struct config *config = config_new();
	struct moment now = { 0 };

	config->node_count = (size_t)CLUSTERS * NODES;
	config->nodes = mem_zalloc(config->node_count, sizeof(*config->nodes));
	for (size_t i = 0; i < config->node_count; i++) {
		config->nodes[i].id = mem_printf("db%zu.example.com:5432", i);
		config->nodes[i].name = mem_strdup(config->nodes[i].id);
		config->nodes[i].host = mem_printf("db%zu.example.com", i);
		config->nodes[i].port = 5432;
	}
	config_seal(config);
	bench->fleet = fleet_new(config, &now);
	for (int c = 0; c < CLUSTERS; c++) {
		struct cluster *cluster = fleet_add_cluster(bench->fleet, c);

		for (int n = 0; n < NODES; n++)
			fleet_move(bench->fleet->nodes[c * NODES + n], cluster,
				   n == 0 ? PLACE_MASTER : PLACE_SLAVE, &now);
	}
	bench->board = board_new();
	board_update(&bench->board, bench->fleet);
	config_unref(&config);
}

static void open_bench(struct bench *bench, const char *triggers)
{
	static const struct hosts_events events = { .loaded = on_loaded, .changed = on_changed };
	struct load_report report;
	struct host *host;
	FILE *file;

	(void)snprintf(bench->dir, sizeof(bench->dir), "/tmp/plusmoin-bench-XXXXXX");
	if (mkdtemp(bench->dir) == NULL)
		exit(1);
	bench->path = mem_printf("%s/bench.lua", bench->dir);
	file = fopen(bench->path, "we");
	(void)fprintf(file, "local pm = require \"plusmoin\"\nlocal config = { dbname = \"x\", user = \"x\","
		      " trigger_timeout = 2, triggers = {} }\n%s\nreturn config\n", triggers);
	(void)fclose(file);
	uv_loop_init(&bench->loop);
	(void)log_start("/dev/null", LOG_LEVEL_ERROR, LOG_FORMAT_TEXT);
	bench->shared = shared_new();
	host = host_new(bench->path, NULL, bench->shared, NULL);
	if (host == NULL || !host_wait(host))
		exit(1);
	host_take(host, &bench->config, &report);
	if (bench->config == NULL) {
		(void)fprintf(stderr, "%s\n", report.errors[0]);
		exit(1);
	}
	load_report_free(&report);
	bench->hosts = hosts_new(&bench->loop, host, bench->config, bench->shared, &events, bench);
	bench->runner = (struct runner){
		.data = bench, .is_ready = is_ready, .start = start, .stop = stop,
	};
	(void)reaper_start(&bench->loop);
	bench->dispatch = dispatch_new(&bench->loop, bench->config, &bench->runner);
	make_fleet(bench);
}

static void send_event(struct bench *bench, enum event_kind kind, int cluster)
{
	char id[32];
	struct event *event;

	(void)snprintf(id, sizeof(id), "1-%lu", ++bench->sent);
	event = event_new(kind, id, board_find(bench->board, cluster), bench->board->clusterless, 0);
	dispatch_event(bench->dispatch, event);
	event_unref(&event);
}

/* The process ends here: what the bench holds goes with it. */
static _Noreturn void close_bench(const struct bench *bench)
{
	(void)unlink(bench->path);
	(void)rmdir(bench->dir);
	(void)fflush(stdout);
	_exit(0);
}

/* ---- latency */

static void on_wait_over(void *data)
{
	uv_stop(data);
}

static void run_for(struct bench *bench, int64_t ms)
{
	struct timer *timer = timer_new(&bench->loop, on_wait_over, &bench->loop);

	timer_start(timer, ms);
	(void)uv_run(&bench->loop, UV_RUN_DEFAULT);
	timer_free(&timer);
}

static double read_state(struct bench *bench)
{
	size_t len;
	char *bytes = shared_get(bench->shared, "t", 1, &len);
	double seconds = 0;

	if (bytes != NULL && len == 1 + sizeof(double))
		memcpy(&seconds, bytes + 1, sizeof(seconds));
	free(bytes);
	return seconds;
}

static double read_file(const char *path)
{
	FILE *file = fopen(path, "re");
	double seconds = 0;

	if (file == NULL)
		return 0;
	if (fscanf(file, "%lf", &seconds) != 1)
		seconds = 0;
	(void)fclose(file);
	return seconds;
}

static void report(const char *what, double *values, size_t count)
{
	double median = percentile(values, count, 0.5);

	printf("%-44s median %7.3f ms  p99 %7.3f ms  (%zu times)\n", what, median * 1e3,
	       percentile(values, count, 0.99) * 1e3, count);
}

static void latency(const char *self)
{
	enum { TIMES = 500 };
	static double values[TIMES];
	struct bench bench = { 0 };
	char file[128];
	char *triggers;

	(void)snprintf(file, sizeof(file), "/tmp/plusmoin-bench-now-%d", (int)getpid());
	triggers = mem_printf("config.triggers.slave_down = function() local t = pm.now() pm.state.t = t end\n"
			      "config.triggers.slave_up = { command = { \"%s\", \"now\", \"%s\" } }\n",
			      self, file);
	open_bench(&bench, triggers);
	free(triggers);
	run_for(&bench, 50);
	for (size_t i = 0; i < TIMES; i++) {
		double began = now_s();

		send_event(&bench, EVENT_SLAVE_DOWN, 0);
		while (bench.ended < i + 1)
			uv_run(&bench.loop, UV_RUN_ONCE);
		values[i] = read_state(&bench) - began;
		run_for(&bench, 2);
	}
	report("event to the first line of a Lua function", values, TIMES);
	for (size_t i = 0; i < TIMES; i++) {
		double began = now_s();

		(void)unlink(file);
		send_event(&bench, EVENT_SLAVE_UP, 0);
		do
			run_for(&bench, 1);
		while (read_file(file) == 0);
		values[i] = read_file(file) - began;
		run_for(&bench, 5);
	}
	report("event to main() of a command", values, TIMES);
	(void)unlink(file);
	close_bench(&bench);
}

/* ---- rate */

static long resident_kib(void)
{
	FILE *file = fopen("/proc/self/statm", "re");
	long pages = 0;

	if (file == NULL || fscanf(file, "%*d %ld", &pages) != 1)
		pages = 0;
	if (file != NULL)
		(void)fclose(file);
	return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

static void rate(void)
{
	enum { A_SECOND = 10000, SECONDS = 10 };
	struct bench bench = { 0 };
	long early_kib = 0;
	double began;
	double until;

	open_bench(&bench, "config.triggers.slave_down = function(event) return event.cluster_id end\n");
	began = now_s();
	until = began + SECONDS;
	while (now_s() < until) {
		unsigned long due = (unsigned long)((now_s() - began) * A_SECOND);

		while (bench.sent < due)
			send_event(&bench, EVENT_SLAVE_DOWN, (int)(bench.sent % CLUSTERS));
		run_for(&bench, 1);
		if (early_kib == 0 && now_s() - began > 2)
			early_kib = resident_kib();
	}
	printf("%d clusters, %.0f events a second sent for %d s: %lu of %lu run by then (%.2f %%), %lu failed;"
	       " resident %ld KiB after 2 s, %ld KiB at the end\n", CLUSTERS,
	       (double)bench.sent / SECONDS, SECONDS, bench.ended, bench.sent,
	       100.0 * (double)bench.ended / (double)bench.sent, bench.failed, early_kib,
	       resident_kib());
	close_bench(&bench);
}

/* ---- hostile */

#define TICK_MS 10

struct ticker {
	uv_timer_t timer;
	double due_s;
	double *late_s;
	size_t count;
	size_t most;
	struct bench *bench; /* NULL: bare */
};

static void on_tick(uv_timer_t *timer)
{
	struct ticker *ticker = timer->data;
	double now = now_s();

	if (ticker->count < ticker->most)
		ticker->late_s[ticker->count++] = now > ticker->due_s ? now - ticker->due_s : 0;
	if (ticker->bench != NULL && ticker->count % 100 == 0) {
		for (int c = 0; c < CLUSTERS / 2; c++)
			send_event(ticker->bench, EVENT_HEARTBEAT, c); /* not queued twice */
	}
	uv_update_time(timer->loop);
	ticker->due_s = now_s() + TICK_MS / 1e3;
	uv_timer_start(timer, on_tick, TICK_MS, 0);
}

static double tick(uv_loop_t *loop, struct bench *bench, double seconds, double *worst)
{
	struct ticker ticker = { .bench = bench, .most = (size_t)(seconds * 1000 / TICK_MS) + 100 };
	double until = now_s() + seconds;
	double p99;

	ticker.late_s = mem_zalloc(ticker.most, sizeof(*ticker.late_s));
	uv_timer_init(loop, &ticker.timer);
	ticker.timer.data = &ticker;
	ticker.due_s = now_s() + TICK_MS / 1e3;
	uv_timer_start(&ticker.timer, on_tick, TICK_MS, 0);
	while (now_s() < until)
		uv_run(loop, UV_RUN_ONCE);
	uv_timer_stop(&ticker.timer);
	p99 = percentile(ticker.late_s, ticker.count, 0.99);
	*worst = ticker.late_s[ticker.count - 1];
	return p99;
}

/* The culprits by turns, one in each of 50 clusters; the one that stalls its host is left out. */
static char *hostile_triggers(void)
{
	struct buf text = { 0 };
	glob_t files;
	char *cwd = getcwd(NULL, 0);

	buf_add_str(&text, "local all = {}\n");
	if (glob("tests/hostile/*.lua", 0, NULL, &files) != 0 || cwd == NULL)
		exit(1);
	for (size_t i = 0; i < files.gl_pathc; i++) {
		if (strstr(files.gl_pathv[i], "/pattern.lua") == NULL)
			buf_addf(&text, "all[#all + 1] = assert(loadfile(\"%s/%s\"))()\n", cwd,
				 files.gl_pathv[i]);
	}
	globfree(&files);
	free(cwd);
	buf_add_str(&text, "config.triggers.plusmoin_heartbeat = function(event)\n"
			   "  all[event.cluster_id % #all + 1](event)\nend\n");
	return buf_steal(&text);
}

/* Runs these triggers in 50 clusters once a second, and looks at a timer meanwhile; `what` they are. */
static _Noreturn void look_beside(const char *triggers, const char *what)
{
	const char *given = getenv("SECONDS");
	double seconds = given != NULL ? atof(given) : 60;
	struct bench bench = { 0 };
	double worst;
	double p99;
	int ends[2];
	double bare[2] = { 0 };
	pid_t child;

	if (pipe(ends) != 0 || (child = fork()) < 0)
		exit(1);
	if (child == 0) {
		uv_loop_t loop;

		uv_loop_init(&loop);
		bare[0] = tick(&loop, NULL, seconds, &bare[1]);
		_exit(write(ends[1], bare, sizeof(bare)) != (ssize_t)sizeof(bare));
	}
	open_bench(&bench, triggers);
	for (int c = 0; c < CLUSTERS / 2; c++)
		send_event(&bench, EVENT_HEARTBEAT, c);
	p99 = tick(&bench.loop, &bench, seconds, &worst);
	if (read(ends[0], bare, sizeof(bare)) != (ssize_t)sizeof(bare))
		exit(1);
	printf("50 %s at once for %.0f s (%lu runs, %lu ended by force or error)\n", what, seconds,
	       bench.ended, bench.failed);
	printf("  a timer on the monitor's loop is late by    p99 %7.3f ms  worst %7.3f ms\n",
	       p99 * 1e3, worst * 1e3);
	printf("  a bare libuv timer in a process beside it   p99 %7.3f ms  worst %7.3f ms\n",
	       bare[0] * 1e3, bare[1] * 1e3);
	close_bench(&bench);
}

static void hostile(void)
{
	look_beside(hostile_triggers(), "culprits");
}

/* ---- waiting */

/* A socket that nobody accepts from; its port. Connections stay in its queue of `backlog`. */
static int listen_mute(int backlog, struct sockaddr_in *address)
{
	socklen_t len = sizeof(*address);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	*address = (struct sockaddr_in){ .sin_family = AF_INET };
	address->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (fd < 0 || bind(fd, (struct sockaddr *)address, len) != 0 || listen(fd, backlog) != 0 ||
	    getsockname(fd, (struct sockaddr *)address, &len) != 0)
		exit(1);
	return ntohs(address->sin_port);
}

/* A full queue: who connects now is not answered at all. */
static int listen_black(void)
{
	struct sockaddr_in address;
	int port = listen_mute(0, &address);

	for (int i = 0; i < 4; i++) {
		int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

		(void)connect(fd, (struct sockaddr *)&address, sizeof(address));
	}
	return port;
}

static void waiting(void)
{
	struct sockaddr_in address;
	int silent = listen_mute(4096, &address);
	char *text = mem_printf(
		"local pm = require 'plusmoin'\n"
		"local at = { { 'no-such-name.invalid', 80 }, { '127.0.0.1', %d }, { '127.0.0.1', %d } }\n"
		"config.triggers.plusmoin_heartbeat = function(event)\n"
		"  local host, port = table.unpack(at[event.cluster_id %% 3 + 1])\n"
		"  local kind = event.cluster_id // 3 %% 3\n"
		"  if kind == 0 then\n"
		"    pm.query({ host = host, port = port, user = 'u' }, 'SELECT 1', nil, { timeout = 0.8 })\n"
		"  elseif kind == 1 then\n"
		"    pm.http { url = 'http://' .. host .. ':' .. port .. '/', timeout = 0.8 }\n"
		"  else\n"
		"    pm.request { to = host .. ':' .. port, timeout = 0.8 }\n"
		"  end\nend\n", listen_black(), silent);

	(void)http_global_init();
	look_beside(text, "runs that wait for nobody");
}

/* As a command of the latency part: writes the time of its main() to a file. */
static int tell_now(const char *path)
{
	double now = now_s();
	char *temporary = mem_printf("%s.new", path);
	FILE *file = fopen(temporary, "we");

	if (file == NULL)
		return 1;
	(void)fprintf(file, "%.6f\n", now);
	(void)fclose(file);
	return rename(temporary, path);
}

int main(int argc, char **argv)
{
	char self[512];
	ssize_t len = readlink("/proc/self/exe", self, sizeof(self) - 1);

	self[len > 0 ? len : 0] = '\0';
	if (argc == 3 && strcmp(argv[1], "now") == 0)
		return tell_now(argv[2]);
	if (argc == 2 && strcmp(argv[1], "latency") == 0)
		latency(self);
	if (argc == 2 && strcmp(argv[1], "rate") == 0)
		rate();
	if (argc == 2 && strcmp(argv[1], "hostile") == 0)
		hostile();
	if (argc == 2 && strcmp(argv[1], "waiting") == 0)
		waiting();
	(void)fputs("usage: lua latency|rate|hostile|waiting\n", stderr);
	return 2;
}
