#include "command/stop.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/pidfd.h>
#include <unistd.h>

#include <jansson.h>

#include "command/ask.h"
#include "command/running.h"
#include "loop/clock.h"
#include "script/host.h"
#include "system/pidfile.h"

#define STOP_EXTRA_MS 5000 /* contract.md: `stop` waits shutdown_grace + 5 s */
#define PID_WAIT_MS 2000   /* how long a pid is waited for; a starting daemon writes it milliseconds after its lock */
#define KILL_WAIT_MS 5000
#define RELOAD_MS ((HOST_LOAD_MS + HOST_SIGN_MS) * 2 + ASK_MS) /* a load that is under way, and one more */
#define EXIT_CONFIG 3

/* The daemon, as a descriptor that cannot come to mean another process. */
struct target {
	pid_t pid;
	int fd;
};

static pid_t wait_for_pid(const char *path)
{
	int64_t end = clock_steady_ms() + PID_WAIT_MS;
	pid_t pid;

	while ((pid = pidfile_holder(path)) == 0 && clock_steady_ms() < end)
		usleep(10000);
	return pid;
}

/* Finds the daemon that has answered, or whoever holds the pid file. False after a message. */
static bool find(const struct running *running, struct target *target)
{
	const char *path = running->names.report.names.pid_file;
	int error;

	target->pid = wait_for_pid(path);
	error = errno;
	if (target->pid == 0)
		(void)fprintf(stderr, "plusmoin: pid file %s is locked, but names no process\n", path);
	else if (target->pid < 0 && (error == 0 || error == ENOENT))
		(void)fprintf(stderr, "plusmoin: not running (pid file %s)\n", path);
	else if (target->pid < 0)
		(void)fprintf(stderr, "plusmoin: cannot read pid file %s: %s\n", path,
			      strerror(error));
	if (target->pid <= 0)
		return false;
	target->fd = pidfd_open(target->pid, 0);
	if (target->fd >= 0 && pidfile_holder(path) == target->pid &&
	    (running->pid == 0 || running->pid == target->pid))
		return true;
	if (target->fd >= 0)
		close(target->fd);
	(void)fprintf(stderr, "plusmoin: not running: pid %ld has just ended\n", (long)target->pid);
	return false;
}

static bool send_signal(const struct target *target, int signum)
{
	if (pidfd_send_signal(target->fd, signum, NULL, 0) == 0 || errno == ESRCH)
		return true;
	(void)fprintf(stderr, "plusmoin: cannot signal pid %ld: %s\n", (long)target->pid,
		      strerror(errno));
	return false;
}

static bool is_gone_within(const struct target *target, int64_t ms)
{
	int64_t end = clock_steady_ms() + ms;

	for (;;) {
		struct pollfd ended = { .fd = target->fd, .events = POLLIN };
		int64_t left = end - clock_steady_ms();

		if (poll(&ended, 1, left > 0 ? (int)left : 0) > 0)
			return true;
		if (left <= 0)
			return false;
	}
}

static int stop(const struct target *target, int64_t grace_ms)
{
	if (!send_signal(target, SIGTERM))
		return 1;
	if (is_gone_within(target, grace_ms + STOP_EXTRA_MS))
		return 0;
	if (!send_signal(target, SIGKILL))
		return 1;
	if (!is_gone_within(target, KILL_WAIT_MS)) {
		(void)fprintf(stderr, "plusmoin: pid %ld does not end, not even by SIGKILL\n",
			      (long)target->pid);
		return 1;
	}
	(void)printf("plusmoin: pid %ld did not end within %.3g s and was killed\n",
		     (long)target->pid, (double)(grace_ms + STOP_EXTRA_MS) / 1000.0);
	return 0;
}

static void say_list(const json_t *answer, const char *key, FILE *to, const char *before,
		     const char *behind)
{
	const json_t *list = json_object_get(answer, key);
	const json_t *item;
	size_t i;

	json_array_foreach(list, i, item) {
		const char *text = json_string_value(item);

		(void)fprintf(to, "%s%s%s\n", before, text != NULL ? text : "?", behind);
	}
}

/* Prints the outcome. Returns the exit status. */
static int say_outcome(const struct buf *text)
{
	json_t *answer = json_loadb(text->data, text->len, 0, NULL);
	bool ok = json_is_true(json_object_get(answer, "ok"));
	bool bad = json_array_size(json_object_get(answer, "errors")) > 0;
	const char *error = json_string_value(json_object_get(answer, "error"));

	say_list(answer, "warnings", stderr, "", "");
	say_list(answer, "errors", stderr, "", "");
	if (ok) {
		(void)printf("plusmoin: configuration reloaded\n");
		say_list(answer, "removed", stdout, "node removed: ", "");
		say_list(answer, "added", stdout, "node added: ", "");
		say_list(answer, "restart", stdout, "", " needs a restart: the running value stays");
	} else {
		(void)fprintf(stderr, "plusmoin: %s\n", error != NULL ? error : "the answer is not understood");
	}
	json_decref(answer);
	return ok ? 0 : bad ? EXIT_CONFIG : 1;
}

static int reload(const struct target *target, const char *socket)
{
	struct buf answer = { 0 };
	int status = 1;

	switch (ask(socket, "{\"request\": \"reload\"}\n", RELOAD_MS, &answer)) {
	case ASK_ANSWERED:
		status = say_outcome(&answer);
		break;
	case ASK_NOBODY:
		if (!send_signal(target, SIGHUP))
			break;
		(void)printf("plusmoin: nobody listens at %s, so SIGHUP was sent to pid %ld; the"
			     " outcome is in the log\n", socket, (long)target->pid);
		status = 0;
		break;
	case ASK_REFUSED:
		(void)fprintf(stderr, "plusmoin: cannot ask at %s: %s\n", socket, strerror(errno));
		break;
	case ASK_SILENT:
		(void)fprintf(stderr, "plusmoin: pid %ld does not answer at %s\n", (long)target->pid,
			      socket);
		break;
	}
	buf_free(&answer);
	return status;
}

/* Finds the daemon by the pid file and calls `act` with it. Returns an exit status. */
static int to_daemon(const char *config_path,
		     int (*act)(const struct target *target, const struct files *names))
{
	struct running running;
	struct target target;
	int status = 1;

	if (!running_find(config_path, &running))
		return 1;
	if (find(&running, &target)) {
		status = act(&target, &running.names);
		close(target.fd);
	}
	running_free(&running);
	return status;
}

static int act_stop(const struct target *target, const struct files *names)
{
	return stop(target, names->shutdown_grace_ms);
}

static int act_reload(const struct target *target, const struct files *names)
{
	return reload(target, names->report.names.control_socket);
}

int command_stop(const char *config_path)
{
	return to_daemon(config_path, act_stop);
}

int command_reload(const char *config_path)
{
	return to_daemon(config_path, act_reload);
}
