#include "daemon/daemon.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

#include "base/log.h"
#include "base/mem.h"
#include "daemon/fits.h"
#include "daemon/hushing.h"
#include "daemon/inside.h"
#include "daemon/measured.h"
#include "daemon/runlist.h"
#include "daemon/voting.h"
#include "daemon/watching.h"
#include "loop/workers.h"
#include "process/process.h"
#include "records/records.h"
#include "system/notify.h"
#include "system/pidfile.h"

#define END_MS 1000        /* design.md: look-ups under way get that long at the end */
#define LOG_END_MS 2000
#define WORKERS_END_MS 100 /* how long the end waits for steps of logins under way */

static void take_config(struct daemon *daemon, struct config *config)
{
	struct config *old = daemon->config;

	daemon->config = config_ref(config);
	config_unref(&old);
}

/* Does what a SIGHUP asks for: loads the configuration again (the result is hosts_load()'s), and reopens the log. */
static unsigned long load_anew(struct daemon *daemon)
{
	unsigned long load = hosts_load(daemon->hosts);

	log_reopen();
	if (load != 0)
		notify_reloading();
	return load;
}

/* Begins the reload that a client asks for. NULL: its outcome follows; else why it cannot begin. */
static const char *begin_reload(void *data, unsigned long client)
{
	struct daemon *daemon = data;
	unsigned long load = load_anew(daemon);

	if (load == 0)
		return "no thread to load the configuration";
	outcome_wait(&daemon->waiters, client, load);
	return NULL;
}

static bool on_request(void *data, unsigned long client, struct request *request, struct shared_text **answer)
{
	struct daemon *daemon = data;

	return requests_answer(&daemon->requests, client, request, answer);
}

static void on_console_used(void *data)
{
	struct daemon *daemon = data;

	outlook_serve_console(daemon->outlook);
}

static void on_client_gone(void *data, unsigned long client)
{
	struct daemon *daemon = data;

	consoles_forget(daemon->consoles, client);
}

static void on_handle(uv_handle_t *handle, void *data)
{
	(void)data;
	if (!uv_is_closing(handle) && uv_handle_get_type(handle) == UV_SIGNAL)
		uv_close(handle, NULL);
}

/* All triggers have ended: closes all that is left, and stops the loop. */
static void on_all_dispatched(void *data)
{
	struct daemon *daemon = data;

	daemon->hangs = !shift_free(&daemon->shift) || daemon->hangs;
	voting_end(daemon);
	timer_free(&daemon->settle);
	dispatch_free(&daemon->dispatch);
	dispatch_free(&daemon->alone);
	reaper_stop();
	uv_walk(&daemon->loop, on_handle, NULL);
	outlook_free(&daemon->outlook);
	quiet_free(&daemon->quiet);
	saved_free(&daemon->inherited);
	tidy_free(&daemon->tidy);
	uv_stop(&daemon->loop);
}

static void on_dispatched(void *data)
{
	struct daemon *daemon = data;

	if (daemon->alone != NULL)
		dispatch_stop(daemon->alone, on_all_dispatched, daemon);
	else
		on_all_dispatched(daemon);
}

static void begin_end(struct daemon *daemon, int signum)
{
	if (daemon->ending)
		return;
	daemon->ending = true;
	if (signum != 0)
		log_info("signal %d came: plusmoin ends", signum);
	notify_stopping();
	monitor_stands(daemon->monitor);
	daemon->hangs = !outlook_end(daemon->outlook);
	requests_end(&daemon->requests);
	silencing_free(&daemon->silencing);
	quiet_stop(daemon->quiet);
	control_free(&daemon->control);
	shift_leave(daemon->shift);
	monitor_free(&daemon->monitor);
	dispatch_stop(daemon->dispatch, on_dispatched, daemon);
}

static void on_end_wanted(struct daemon *daemon)
{
	begin_end(daemon, 0);
}

static void on_signal(uv_signal_t *handle, int signum)
{
	struct daemon *daemon = handle->data;

	if (signum != SIGHUP) {
		begin_end(daemon, signum);
	} else if (!daemon->ending) {
		(void)load_anew(daemon);
	}
}

/* 0 or libuv's error. */
static int catch_signals(struct daemon *daemon)
{
	static const int signals[] = { SIGTERM, SIGINT, SIGHUP };

	(void)signal(SIGPIPE, SIG_IGN);
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
		int error = uv_signal_init(&daemon->loop, &daemon->signals[i]);

		daemon->signals[i].data = daemon;
		if (error == 0)
			error = uv_signal_start(&daemon->signals[i], on_signal, signals[i]);
		if (error != 0)
			return error;
	}
	return reaper_start(&daemon->loop);
}

static bool open_control(struct daemon *daemon)
{
	int error;

	daemon->control = control_new(&daemon->loop, daemon->config->control_socket,
				      CONTROL_SILENCE_MS, on_request, daemon, &error);
	if (daemon->control == NULL)
		(void)fprintf(stderr, "plusmoin: cannot listen at control socket %s: %s\n",
			      daemon->config->control_socket, uv_strerror(error));
	return daemon->control != NULL;
}

static bool open_outlook(struct daemon *daemon)
{
	const struct outlook_start start = {
		.loop = &daemon->loop,
		.config = daemon->config,
		.shared = daemon->shared,
		.clock = &daemon->clock,
		.recent = &daemon->recent,
		.meters = &daemon->meters,
		.hosts = daemon->hosts,
	};

	daemon->outlook = outlook_new(&start);
	return daemon->outlook != NULL;
}

static void configure_log(const struct config *config)
{
	enum log_level level = LOG_LEVEL_ERROR;

	(void)log_level_parse(config->log_level, &level);
	log_configure(level, strcmp(config->log_format, "json") == 0 ? LOG_FORMAT_JSON
								      : LOG_FORMAT_TEXT);
}

static void take_load(struct daemon *daemon, struct config *config)
{
	if (!daemon->foreground && strcmp(daemon->config->log_file, config->log_file) != 0)
		log_move(config->log_file);
	take_config(daemon, config);
	configure_log(config);
	if (daemon->monitor != NULL)
		monitor_reload(daemon->monitor, config);
	outlook_take(daemon->outlook, config);
	tidy_soon(daemon->tidy);
	dispatch_reload(daemon->dispatch, config);
	if (daemon->alone != NULL)
		dispatch_reload(daemon->alone, config);
	shift_reload(daemon->shift, config);
	outcome_say_restart(daemon->first, config);
	fits_say(config);
	log_error("configuration reloaded from %s", config->path);
}

static char *on_refuses(void *data, const struct config *config)
{
	struct daemon *daemon = data;

	return daemon->ending ? NULL : outlook_prepare(daemon->outlook, config); /* while it ends on_loaded() drops it */
}

static void on_can_run(void *data)
{
	struct daemon *daemon = data;

	if (daemon->dispatch != NULL)
		dispatch_runner_changed(daemon->dispatch);
	if (daemon->alone != NULL)
		dispatch_runner_changed(daemon->alone);
}

static void on_loaded(void *data, unsigned long number, struct config *config,
		      const struct load_report *report)
{
	struct daemon *daemon = data;
	struct buf out = { 0 };
	struct shared_text *answer;

	if (daemon->ending)
		on_can_run(daemon);
	if (daemon->ending)
		return; /* the end goes on with the configuration that it began with */
	for (size_t i = 0; i < report->warning_count; i++)
		log_warning("%s", report->warnings[i]);
	for (size_t i = 0; i < report->error_count; i++)
		log_error("%s", report->errors[i]);
	measured_load(&daemon->meters, config != NULL);
	outcome_render(&out, daemon->first, daemon->config, config, report);
	if (config != NULL) {
		take_load(daemon, config);
	} else {
		log_error("configuration not reloaded: all stays as it was");
		on_can_run(daemon);
	}
	answer = shared_text_take(&out);
	outcome_tell(&daemon->waiters, daemon->control, number, answer);
	shared_text_unref(&answer);
	notify_ready();
}

static void on_assigned(void *data)
{
	struct daemon *daemon = data;

	shift_assigned(daemon->shift);
}

static void start_hosts(struct daemon *daemon, struct host *host)
{
	static const struct hosts_events events = {
		.refuses = on_refuses, .loaded = on_loaded, .changed = on_can_run, .assigned = on_assigned,
	};

	daemon->hosts = hosts_new(&daemon->loop, host, daemon->config, daemon->shared, &events,
				  daemon);
}

/* Begins to watch. False, after a message: this monitor cannot join the others, and is to end. */
static bool start_all(struct daemon *daemon)
{
	bool joined = watching_begin(daemon);

	hushing_open(daemon);
	daemon->consoles = consoles_new(daemon->hosts, daemon->control, &daemon->config, on_console_used, daemon);
	control_tell_gone(daemon->control, on_client_gone);
	daemon->requests = (struct requests){
		.monitor = daemon->monitor,
		.clock = &daemon->clock,
		.recent = &daemon->recent,
		.dispatch = daemon->dispatch,
		.hosts = daemon->hosts,
		.quiet = daemon->quiet,
		.silencing = daemon->silencing,
		.consoles = daemon->consoles,
		.first = daemon->first,
		.config = &daemon->config,
		.foreground = daemon->foreground,
		.reload = begin_reload,
		.data = daemon,
	};
	runlist_answers(&daemon->requests);
	if (daemon->shift != NULL)
		watching_answers(&daemon->requests);
	requests_begin(&daemon->requests, &daemon->loop, daemon->control);
	outlook_begin(daemon->outlook, daemon->monitor);
	return joined;
}

/* Closes the loop; false when a look-up under way holds it (the process then ends by _exit). */
static bool drain_loop(struct daemon *daemon)
{
	for (int i = 0; i < END_MS && uv_run(&daemon->loop, UV_RUN_NOWAIT) != 0; i++)
		usleep(1000);
	return uv_loop_close(&daemon->loop) == 0;
}

struct daemon *daemon_new(void)
{
	struct daemon *daemon = mem_zalloc(1, sizeof(*daemon));
	int error = uv_loop_init(&daemon->loop);

	daemon->pid_fd = -1;
	meters_init(&daemon->meters);
	if (error == 0 && (error = catch_signals(daemon)) == 0)
		return daemon;
	free(daemon); /* the process ends: what a loop holds goes with it */
	errno = -error;
	return NULL;
}

/* Frees what is left when all else has ended or never began. Ends the process when a thread does not end. */
static void end(struct daemon *daemon, int status)
{
	bool closed;

	if (daemon->dispatch == NULL && !daemon->ending) { /* it never ran */
		reaper_stop();
		uv_walk(&daemon->loop, on_handle, NULL);
	}
	control_free(&daemon->control);
	consoles_free(&daemon->consoles);
	closed = hosts_free(&daemon->hosts) && drain_loop(daemon) && !daemon->hangs;
	closed = workers_end(WORKERS_END_MS) && closed;
	closed = reaper_end(END_MS) && closed;
	if (daemon->ending)
		log_info("plusmoin has ended");
	closed = log_stop(LOG_END_MS) && closed;
	if (daemon->pid_fd >= 0)
		pidfile_release(daemon->first->pid_file, daemon->pid_fd);
	if (!closed)
		_exit(status);
	outcome_free(&daemon->waiters);
	recent_free(&daemon->recent);
	config_unref(&daemon->config);
	config_unref(&daemon->first);
	free(daemon);
}

void daemon_free(struct daemon **daemon_p)
{
	struct daemon *daemon = *daemon_p;

	*daemon_p = NULL;
	if (daemon != NULL)
		end(daemon, 1);
}

int daemon_run(struct daemon *daemon, const struct daemon_start *start)
{
	int status;

	daemon->status = 1;
	daemon->shared = start->shared;
	daemon->foreground = start->foreground;
	daemon->pid_fd = start->pid_fd;
	daemon->first = config_ref(start->config);
	daemon->config = start->config;
	start_hosts(daemon, start->host);
	clock_start(&daemon->clock);
	daemon->up = start->up;
	daemon->up_data = start->data;
	daemon->end = on_end_wanted;
	if (records_can_write(daemon->config) && open_control(daemon) && open_outlook(daemon)) {
		daemon->status = start_all(daemon) ? 0 : 1;
		if (daemon->status == 0)
			watching_is_up(daemon);
		else
			begin_end(daemon, 0);
		uv_run(&daemon->loop, UV_RUN_DEFAULT);
	}
	status = daemon->status;
	end(daemon, status);
	return status;
}
