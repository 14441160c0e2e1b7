#include "command/run_trigger.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "command/ask.h"
#include "command/become.h"
#include "command/picture.h"
#include "loop/timer.h"
#include "net/http.h"
#include "process/process.h"
#include "script/host.h"

#define EVENT_BYTES ((size_t)16 << 20) /* a configuration's limit, too */

enum { FINE = 0, FAILED = 1, USAGE = 2, BAD_CONFIG = 3 };

struct hand {
	uv_loop_t loop;
	struct become user;
	char *file; /* a trigger's file; NULL: the configured functions of `kind` run */
	enum event_kind kind;
	size_t number; /* the function to run, by its place in the list; 0: all of them */
	struct picture picture;
	struct shared *shared;
	struct mailbox *mailbox;
	struct host *host;
	struct config *config;
	struct load_report report;
	struct job *job; /* the one that runs; NULL: none */
	struct timer *patience;
	uv_signal_t interrupt;
	bool interrupted;
	bool failed;
};

static int complain(int status, const char *what, const char *why)
{
	(void)fprintf(stderr, "plusmoin: %s: %s\n", what, why);
	return status;
}

/* Reads "master_up" or "master_up[2]". False: it is neither. */
static bool take_event_name(struct hand *hand, const char *what)
{
	const char *bracket = strchr(what, '[');
	char *name = mem_strndup(what, bracket != NULL ? (size_t)(bracket - what) : strlen(what));
	char *end = NULL;

	hand->kind = event_kind_parse(name);
	free(name);
	if (hand->kind == EVENT_NONE || bracket == NULL)
		return hand->kind != EVENT_NONE;
	hand->number = (size_t)strtoul(bracket + 1, &end, 10);
	return hand->number > 0 && strcmp(end, "]") == 0;
}

static int take_words(struct hand *hand, const char *what)
{
	size_t len = strlen(what);

	if (len > 4 && strcmp(what + len - 4, ".lua") == 0) {
		hand->file = realpath(what, NULL); /* a name that is no file is looked for as a configuration's */
		if (hand->file == NULL)
			hand->file = mem_strdup(what);
		return FINE;
	}
	if (take_event_name(hand, what))
		return FINE;
	(void)fprintf(stderr, "plusmoin: %s: is nothing that can be run; allowed: FILE.lua, or an event of the configuration:"
		      " %s; one of a list as master_up[2]\n", what, event_names_text);
	return USAGE;
}

static bool read_all(FILE *file, struct buf *out)
{
	char bytes[65536];
	size_t n;

	do {
		n = fread(bytes, 1, sizeof(bytes), file);
		buf_add(out, bytes, n);
	} while (n == sizeof(bytes) && out->len <= EVENT_BYTES);
	return ferror(file) == 0 && out->len <= EVENT_BYTES;
}

/* Reads the event before privileges are dropped, because the file is the caller's. */
static int read_event_file(struct hand *hand, const char *path)
{
	bool is_stdin = strcmp(path, "-") == 0;
	FILE *file = is_stdin ? stdin : fopen(path, "re");
	struct buf text = { 0 };
	char *error = NULL;
	bool read = file != NULL && read_all(file, &text);
	int status = FINE;

	if (!read)
		status = complain(FAILED, path, file == NULL ? strerror(errno)
							     : "cannot be read, or has more than 16 MiB");
	else if (!picture_of_event(&hand->picture, buf_text(&text), text.len, hand->kind, &error))
		status = complain(FAILED, path, error);
	free(error);
	buf_free(&text);
	if (file != NULL && !is_stdin)
		(void)fclose(file);
	return status;
}

/* Asks the daemon for its status, as daemon_user. */
static int ask_daemon(struct hand *hand)
{
	const char *path = hand->user.names.report.names.control_socket;
	struct buf answer = { 0 };
	char *error = NULL;
	int status = FINE;

	if (path == NULL || ask(path, "{\"request\": \"status\"}\n", ASK_MS, &answer) != ASK_ANSWERED)
		status = complain(FAILED, path != NULL ? path : "control_socket",
				  "no daemon answers, so there is no state to make an event of; give"
				  " an event's JSON in a file");
	else if (!picture_of_status(&hand->picture, buf_text(&answer), answer.len,
				    hand->kind != EVENT_NONE ? hand->kind : EVENT_HEARTBEAT, &error))
		status = complain(FAILED, event_kind_name(hand->kind), error);
	free(error);
	buf_free(&answer);
	return status;
}

static void say_lines(char *const *lines, size_t count)
{
	for (size_t i = 0; i < count; i++)
		(void)fprintf(stderr, "%s\n", lines[i]);
}

static void on_interrupt(uv_signal_t *handle, int signum)
{
	struct hand *hand = handle->data;

	(void)signum;
	hand->interrupted = true;
	if (hand->job != NULL)
		host_stop_job(hand->host, hand->job);
}

/* A C call does not return: the process ends without waiting for it. */
static void on_no_sign(void *data)
{
	const struct hand *hand = data;
	struct host_sign sign;

	host_look(hand->host, &sign);
	(void)fprintf(stderr, "plusmoin: %s gives no sign since %s: it holds its script host in one"
			      " call\n", sign.trigger, sign.place);
	(void)reaper_end(0);
	(void)log_stop(ASK_MS);
	_exit(FAILED);
}

static void take_outcome(struct hand *hand, const struct job *job)
{
	timer_stop(hand->patience);
	if (job->error != NULL) {
		hand->failed = true;
		(void)fprintf(stderr, "%s %s after %.3f s: %s\n", job->trigger,
			      job->timed_out ? "timed out and was ended" : "failed",
			      (double)job->took_ms / 1000.0, job->error);
	} else {
		log_info("%s done in %.3f s", job->trigger, (double)job->took_ms / 1000.0);
	}
	job_unref(&hand->job);
	uv_stop(&hand->loop);
}

static void on_message(void *data, void *received)
{
	struct hand *hand = data;
	struct host_message *message = received;

	if (message->word == HOST_JOB_ENDED)
		take_outcome(hand, message->job);
	job_unref(&message->job);
	free(message);
}

static void drop_message(void *received)
{
	struct host_message *message = received;

	job_unref(&message->job);
	free(message);
}

/* Makes what the script host needs of this thread. */
static bool open_loop(struct hand *hand)
{
	if (uv_loop_init(&hand->loop) != 0 || uv_signal_init(&hand->loop, &hand->interrupt) != 0 ||
	    reaper_start(&hand->loop) != 0)
		return false;
	hand->mailbox = mailbox_new(&hand->loop, on_message, hand);
	hand->patience = timer_new(&hand->loop, on_no_sign, hand);
	return hand->mailbox != NULL;
}

static int load(struct hand *hand)
{
	struct load_options options = become_options(&hand->user);
	const char *error = http_global_init();

	options.trigger = hand->file;
	hand->shared = shared_new();
	shared_publish(hand->shared, hand->picture.board);
	if (error != NULL || !open_loop(hand))
		return complain(FAILED, "run-trigger", error != NULL ? error : "the event loop cannot be made");
	hand->host = host_new(hand->user.path, &options, hand->shared, NULL);
	if (hand->host == NULL)
		return complain(FAILED, hand->user.path, "the thread that loads it cannot start");
	if (!host_wait(hand->host)) {
		(void)complain(BAD_CONFIG, hand->user.path, "took too long to load, in one call that"
			       " Lua cannot end");
		_exit(BAD_CONFIG);
	}
	host_take(hand->host, &hand->config, &hand->report);
	say_lines(hand->report.warnings, hand->report.warning_count);
	say_lines(hand->report.errors, hand->report.error_count);
	host_attach(hand->host, hand->mailbox);
	return hand->config != NULL ? FINE : BAD_CONFIG;
}

/* Sends the log to stdout, by the configured level, with info lines in any case. */
static void begin_log(const struct hand *hand)
{
	enum log_level level = LOG_LEVEL_INFO;

	(void)log_level_parse(hand->config->log_level, &level);
	(void)log_start(NULL, level > LOG_LEVEL_INFO ? level : LOG_LEVEL_INFO, LOG_FORMAT_TEXT);
}

static void run_one(struct hand *hand, const struct config_action *action, unsigned long id)
{
	hand->job = job_new(id, action, hand->picture.event);
	timer_start(hand->patience, action->timeout_ms + HOST_SIGN_MS);
	host_run(hand->host, hand->job);
	(void)uv_run(&hand->loop, UV_RUN_DEFAULT);
}

static int run_all(struct hand *hand)
{
	const struct config_trigger *trigger = &hand->config->triggers[hand->picture.event->kind];
	size_t ran = 0;

	hand->interrupt.data = hand;
	(void)uv_signal_start(&hand->interrupt, on_interrupt, SIGINT);
	for (size_t i = 0; i < trigger->count && !hand->interrupted; i++) {
		const struct config_action *action = &trigger->actions[i];

		if (hand->number > 0 && hand->number != i + 1)
			continue;
		if (action->argv != NULL) {
			(void)fprintf(stderr, "plusmoin: %s is a command, %s: run it by hand\n",
				      action->path, action->argv[0]);
			continue;
		}
		run_one(hand, action, i + 1);
		ran++;
	}
	if (ran == 0)
		return complain(FAILED, event_kind_name(hand->picture.event->kind),
				"the configuration has no such function for this event");
	return hand->failed || hand->interrupted ? FAILED : FINE;
}

static void end(struct hand *hand, int status)
{
	bool gone = true;

	if (hand->host != NULL) {
		host_end(hand->host);
		gone = host_free(&hand->host, HOST_SIGN_MS);
	}
	(void)log_stop(ASK_MS);
	gone = reaper_end(gone ? HOST_SIGN_MS : 0) && gone;
	if (!gone) /* a thread hangs */
		_exit(status != FINE ? status : FAILED);
	if (hand->mailbox != NULL) {
		mailbox_free(&hand->mailbox, drop_message);
		timer_free(&hand->patience);
		uv_close((uv_handle_t *)&hand->interrupt, NULL);
		reaper_stop();
		(void)uv_run(&hand->loop, UV_RUN_DEFAULT);
		(void)uv_loop_close(&hand->loop);
	}
	config_unref(&hand->config);
	load_report_free(&hand->report);
	shared_free(&hand->shared);
}

static int prepare(struct hand *hand, const char *config_path, const char *event_path)
{
	const char *name;
	int status = event_path != NULL ? read_event_file(hand, event_path) : FINE;

	if (status == FINE)
		status = become_read(&hand->user, config_path);
	if (status != FINE)
		return status;
	if (!become_drop(&hand->user))
		return FAILED;
	while ((name = identity_drop_variable()) != NULL)
		(void)fprintf(stderr, "plusmoin: %s is set in the environment and ignored\n", name);
	(void)signal(SIGPIPE, SIG_IGN);
	return event_path == NULL ? ask_daemon(hand) : FINE;
}

int command_run_trigger(const char *config_path, const char *what, const char *event_path)
{
	struct hand hand = { 0 };
	int status = take_words(&hand, what);

	if (status == FINE)
		status = prepare(&hand, config_path, event_path);
	if (status == FINE)
		status = load(&hand);
	if (status == FINE) {
		begin_log(&hand);
		status = run_all(&hand);
	}
	end(&hand, status);
	picture_clear(&hand.picture);
	become_free(&hand.user);
	free(hand.file);
	return status;
}
