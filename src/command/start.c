/*
 * The order is the contract's ("Privileges and files"): file names are read, then the process forks, makes what only
 * root can make, drops privileges, and sets handlers and pid. Only then it loads the configuration as a whole, because
 * its code is the user's.
 */
#include "command/start.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "command/become.h"
#include "daemon/daemon.h"
#include "loop/pool.h"
#include "net/http.h"
#include "system/descriptors.h"
#include "system/detach.h"
#include "system/directory.h"
#include "system/identity.h"
#include "system/notify.h"
#include "system/pidfile.h"
#include "system/signals.h"

enum { START_FAILED = 1, START_CONFIG = 3 };

struct start {
	const char *path;
	bool foreground;
	struct become user; /* the user that it becomes, and the names of its files */
	struct list ignored; /* names of variables that were dropped; literals */
	int report_fd;       /* tells the process that started us; -1: none waits */
	int pid_fd;
	struct daemon *daemon;
	struct shared *shared;
	struct host *host;
	struct config *config;
	struct load_report report;
};

static void say_lines(char *const *lines, size_t count)
{
	for (size_t i = 0; i < count; i++)
		(void)fprintf(stderr, "%s\n", lines[i]);
}

static bool say_errno(const char *what, const char *path)
{
	(void)fprintf(stderr, "plusmoin: cannot %s %s: %s\n", what, path, strerror(errno));
	return false;
}

/* Holds signals that come before the handlers are set, for the handlers. */
static void hold_signals(int how)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGHUP);
	if (getpid() == 1) { /* the kernel drops those of pid 1 that have no handler */
		sigaddset(&set, SIGTERM);
		sigaddset(&set, SIGINT);
	}
	(void)sigprocmask(how, &set, NULL);
}

/* Returns for whom root makes things; NULL: the daemon's own user makes them. */
static const struct identity *owner_of(const struct start *start)
{
	return start->user.drops && !start->user.foreign ? &start->user.identity : NULL;
}

static bool make_places(const struct start *start)
{
	const struct load_files *names = &start->user.names.report.names;
	const struct identity *owner = owner_of(start);
	const char *paths[] = { names->pid_file, names->status_file, names->control_socket,
				start->foreground ? NULL : names->log_file };

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		if (paths[i] != NULL && !directory_make_of(paths[i], owner))
			return say_errno("make the directory of", paths[i]);
	}
	if (!start->foreground && !directory_make_file(names->log_file, 0640, owner))
		return say_errno("make log file", names->log_file);
	return true;
}

static bool make_roots_file(const struct start *start, const char *path, mode_t mode)
{
	return !directory_is_for_daemons(path) ||
	       directory_make_file(path, mode, &start->user.identity) ||
	       say_errno("make", path);
}

static bool make_roots_directory(const struct start *start, const char *path)
{
	char *directory = directory_of(path);
	bool done = !directory_is_for_daemons(directory) ||
		    directory_make_of(path, &start->user.identity) ||
		    say_errno("make the directory of", path);

	free(directory);
	return done;
}

/*
 * A configuration that others can change does not say what root makes, and where. Only what a daemon has directly in
 * /run and the directories like it root makes here, because nobody else could.
 */
static bool make_roots_places(const struct start *start)
{
	const struct load_files *names = &start->user.names.report.names;
	const char *log = start->foreground ? NULL : names->log_file;

	return make_roots_directory(start, names->pid_file) &&
	       make_roots_directory(start, names->status_file) &&
	       make_roots_directory(start, names->control_socket) &&
	       make_roots_file(start, names->pid_file, 0644) &&
	       (log == NULL || (make_roots_directory(start, log) && make_roots_file(start, log, 0640)));
}

static bool lock_pid_file(struct start *start)
{
	const char *path = start->user.names.report.names.pid_file;
	pid_t holder;

	start->pid_fd = pidfile_lock(path, owner_of(start), &holder);
	if (start->pid_fd >= 0)
		return true;
	if (holder > 0)
		(void)fprintf(stderr, "plusmoin: already running with pid %ld (pid file %s)\n",
			      (long)holder, path);
	else if (holder == 0)
		(void)fprintf(stderr, "plusmoin: pid file %s is locked by another process\n", path);
	else if (errno == EEXIST)
		(void)fprintf(stderr, "plusmoin: %s is no pid file: it holds something else, and is"
				      " left alone\n", path);
	else
		return say_errno("write pid file", path);
	return false;
}

/* Becomes daemon_user if we are root, takes a daemon's directory, and drops foreign variables. */
static bool settle(struct start *start)
{
	const char *name;

	if (!become_drop(&start->user))
		return false;
	while ((name = identity_drop_variable()) != NULL)
		list_add(&start->ignored, (void *)name);
	if (pool_start() == 0)
		return true;
	(void)fprintf(stderr, "plusmoin: the threads that open files and look up names cannot start\n");
	return false;
}

static bool take_over_pid_file(struct start *start)
{
	start->daemon = daemon_new();
	if (start->daemon == NULL)
		return say_errno("make", "an event loop");
	hold_signals(SIG_UNBLOCK);
	if (pidfile_write(start->pid_fd))
		return true;
	return say_errno("write pid file", start->user.names.report.names.pid_file);
}

static bool same_name(const struct start *start, const char *key, const char *before, const char *now)
{
	if (strcmp(before, now) == 0)
		return true;
	(void)fprintf(stderr, "%s: %s is \"%s\" for %s, but was \"%s\" before privileges were dropped;"
			      " allowed: the same for both\n", start->path, key, now,
		      start->user.identity.user, before);
	return false;
}

static bool is_as_before(const struct start *start)
{
	const struct load_files *names = &start->user.names.report.names;
	const struct config *config = start->config;

	return !start->user.drops ||
	       (same_name(start, "daemon_user", names->daemon_user, config->daemon_user) &&
		same_name(start, "pid_file", names->pid_file, config->pid_file) &&
		same_name(start, "status_file", names->status_file, config->status_file) &&
		same_name(start, "log_file", names->log_file, config->log_file) &&
		same_name(start, "control_socket", names->control_socket, config->control_socket));
}

/* Loads the configuration as a whole, as the user that the daemon runs as. */
static int load(struct start *start)
{
	const struct load_options options = become_options(&start->user);
	const char *error = http_global_init(); /* before the first thread */

	if (error != NULL) {
		(void)fprintf(stderr, "plusmoin: HTTP cannot be used: %s\n", error);
		return START_FAILED;
	}
	start->shared = shared_new();
	start->host = host_new(start->path, &options, start->shared, NULL);
	if (start->host == NULL) {
		(void)fprintf(stderr, "plusmoin: the thread that loads %s cannot start\n", start->path);
		return START_FAILED;
	}
	if (!host_wait(start->host)) {
		(void)fprintf(stderr, "%s: took longer than %d s to load, in one call that Lua cannot"
				      " end\n", start->path, HOST_LOAD_MS / 1000);
		pidfile_release(start->user.names.report.names.pid_file, start->pid_fd);
		detach_report(start->report_fd, START_CONFIG);
		_exit(START_CONFIG);
	}
	host_take(start->host, &start->config, &start->report);
	say_lines(start->report.errors, start->report.error_count);
	return start->config != NULL && is_as_before(start) ? 0 : START_CONFIG;
}

/* Warns of a JSON configuration that root has read, and daemon_user cannot read for a reload. */
static void warn_of_text(const struct start *start)
{
	if (become_lost_file(&start->user))
		log_warning("%s: cannot be read by %s, so a reload will fail; advice: chgrp it to a"
			    " group of %s, mode 0640", start->path, start->user.identity.user,
			    start->user.identity.user);
}

static bool start_log(const struct start *start)
{
	const struct config *config = start->config;
	enum log_level level = LOG_LEVEL_ERROR;
	int error;

	(void)log_level_parse(config->log_level, &level);
	error = log_start(start->foreground ? NULL : config->log_file, level,
			  strcmp(config->log_format, "json") == 0 ? LOG_FORMAT_JSON : LOG_FORMAT_TEXT);
	if (error != 0) {
		errno = error;
		return say_errno("write the log to", start->foreground ? "stdout" : config->log_file);
	}
	for (size_t i = 0; i < start->ignored.count; i++)
		log_warning("%s is set in the environment and ignored",
			    (const char *)start->ignored.items[i]);
	for (size_t i = 0; i < start->report.warning_count; i++)
		log_warning("%s", start->report.warnings[i]);
	warn_of_text(start);
	if (getuid() == 0)
		log_warning("plusmoin runs as root, and so do its triggers: another daemon_user is safer");
	return true;
}

static void on_up(void *data)
{
	struct start *start = data;

	detach_report(start->report_fd, 0);
	start->report_fd = -1;
}

/* Does all that comes before the loop. Returns 0, when the daemon is ready to run, or an exit status. */
static int prepare(struct start *start)
{
	int status;

	if (start->user.foreign && (!make_roots_places(start) || !settle(start)))
		return START_FAILED;
	if (!make_places(start) || !lock_pid_file(start))
		return START_FAILED;
	if ((!start->user.foreign && !settle(start)) || !take_over_pid_file(start))
		return START_FAILED;
	status = load(start);
	if (status == 0 && !start_log(start))
		status = START_FAILED;
	return status;
}

/* Ends what a failed preparation has begun. */
static void give_up(struct start *start)
{
	if (start->host != NULL) {
		host_end(start->host);
		if (host_free(&start->host, HOST_SIGN_MS))
			shared_free(&start->shared);
	} else {
		shared_free(&start->shared);
	}
	daemon_free(&start->daemon);
	if (start->pid_fd >= 0)
		pidfile_release(start->user.names.report.names.pid_file, start->pid_fd);
}

static void forget(struct start *start)
{
	config_unref(&start->config);
	load_report_free(&start->report);
	become_free(&start->user);
	list_free(&start->ignored);
}

/* Runs the daemon, in the process that stays. */
static int run(struct start *start)
{
	int status = prepare(start);

	if (status == 0) {
		const struct daemon_start how = {
			.host = start->host,
			.shared = start->shared,
			.config = start->config,
			.foreground = start->foreground,
			.pid_fd = start->pid_fd,
			.up = on_up,
			.data = start,
		};

		start->config = NULL;
		status = daemon_run(start->daemon, &how);
	} else {
		give_up(start);
	}
	if (start->report_fd >= 0)
		detach_report(start->report_fd, status);
	return status;
}

int command_start(const char *config_path, bool foreground)
{
	struct start start = {
		.path = config_path,
		.foreground = foreground,
		.report_fd = -1,
		.pid_fd = -1,
	};
	int status;

	signals_reset(true);
	hold_signals(SIG_BLOCK);
	descriptors_raise();
	notify_begin();
	(void)umask(022);
	status = become_read(&start.user, config_path);
	if (status == 0) {
		if (!foreground)
			start.report_fd = detach();
		if (!foreground && start.report_fd < 0) {
			(void)say_errno("leave", "the terminal");
			status = START_FAILED;
		} else {
			status = run(&start);
		}
	}
	forget(&start);
	return status;
}
