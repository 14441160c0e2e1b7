#include "command/console.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "base/mem.h"
#include "command/ask.h"
#include "command/channel.h"
#include "command/running.h"
#include "command/typing.h"

/* The longest line that the daemon takes (daemon/control.h, CONTROL_LINE_BYTES); it does not answer longer ones. */
#define REQUEST_BYTES ((size_t)65536)
#define FILE_BYTES REQUEST_BYTES

enum { FINE = 0, FAILED = 1 };

/* What came of a piece of code. */
enum came { CAME_WELL, CAME_FAILED, CAME_UNFINISHED, CAME_LOST /* the connection is closed */ };

struct session {
	struct channel channel;
	char *name; /* the daemon's name for it; NULL: not known yet */
	struct channel_stop stop;
	bool is_typed; /* Ctrl-C ends what runs; false: it ends the program, and with that the run */
};

static volatile sig_atomic_t interrupted;

static void on_interrupt(int signum)
{
	(void)signum;
	interrupted = 1;
}

static void add_text(struct json *json, const char *key, const char *text)
{
	jsonw_key(json, key);
	jsonw_string(json, text);
}

/* Writes {"request": ..., key: value, key: value}; a key that is NULL is left out. */
static void write_request(struct buf *out, const char *name, const char *const pairs[4])
{
	struct json json = { .out = out };

	buf_clear(out);
	jsonw_begin_object(&json);
	add_text(&json, "request", name);
	for (size_t i = 0; i < 4; i += 2) {
		if (pairs[i] != NULL)
			add_text(&json, pairs[i], pairs[i + 1]);
	}
	jsonw_end_object(&json);
	buf_add_char(out, '\n');
}

static const char *text_of(const json_t *answer, const char *key)
{
	return json_string_value(json_object_get(answer, key));
}

/* Ends the run after Ctrl-C, over a connection of its own, because this session's waits for the answer. */
static void stop_run(void *data)
{
	const struct session *session = data;
	struct buf request = { 0 };
	struct buf answer = { 0 };

	if (session->name != NULL) {
		write_request(&request, "console_stop", (const char *const[]){ "session", session->name, NULL, NULL });
		(void)ask(session->channel.path, buf_text(&request), ASK_MS, &answer);
	}
	buf_free(&request);
	buf_free(&answer);
}

/*
 * Asks what is in `request`, which is freed, and returns the answer, the caller's; NULL, after a message: there is
 * none.
 */
static json_t *exchange(struct session *session, struct buf *request)
{
	struct buf answer = { 0 };
	json_t *tree = NULL;

	if (request->len > REQUEST_BYTES)
		(void)fprintf(stderr, "plusmoin: the code is longer than the daemon takes at once (%zu bytes as JSON, allowed"
				      " are %zu); dofile() can run a longer file\n", request->len, REQUEST_BYTES);
	else if (channel_ask(&session->channel, request, &answer, session->is_typed ? &session->stop : NULL)) {
		tree = json_loadb(buf_text(&answer), answer.len, 0, NULL);
		if (tree == NULL)
			(void)fputs("plusmoin: the answer is not understood\n", stderr);
	}
	buf_free(request);
	buf_free(&answer);
	return tree;
}

/* Prints what the run printed and returned, and how it failed. `may_go_on`: as for run(). */
static enum came show(const json_t *answer, bool may_go_on)
{
	const char *text = text_of(answer, "text");
	const char *error = text_of(answer, "error");

	if (json_is_true(json_object_get(answer, "unfinished")) && may_go_on)
		return CAME_UNFINISHED;
	if (json_is_true(json_object_get(answer, "anew")))
		(void)fputs("plusmoin: this session's variables are gone: the script host is another one (a reload, or code"
			    " that has held it)\n", stderr);
	if (text != NULL)
		(void)fputs(text, stdout);
	(void)fflush(stdout);
	if (error == NULL)
		return CAME_WELL;
	(void)fprintf(stderr, "plusmoin: %s%s\n",
		      json_is_true(json_object_get(answer, "timed_out")) ? "trigger_timeout is over " : "", error);
	return CAME_FAILED;
}

/* Runs the code. `may_go_on`: a statement that is not finished is no error. */
static enum came run(struct session *session, const char *chunk, const char *code, bool may_go_on)
{
	struct buf request = { 0 };
	enum came came = CAME_FAILED;
	json_t *answer;

	write_request(&request, "console", (const char *const[]){ "chunk", chunk, "code", code });
	answer = exchange(session, &request);
	if (answer == NULL)
		came = session->channel.fd < 0 ? CAME_LOST : CAME_FAILED;
	else if (!json_is_true(json_object_get(answer, "ok")))
		(void)fprintf(stderr, "plusmoin: %s\n", text_of(answer, "error"));
	else
		came = show(answer, may_go_on);
	json_decref(answer);
	return came;
}

/* ---- a whole text ---- */

/*
 * Reads all of the file, but for a first line that begins with #. False: errno says why, 0: it is too long, or no
 * text.
 */
static bool read_text(FILE *file, struct buf *out)
{
	char bytes[4096];
	size_t n;

	do {
		n = fread(bytes, 1, sizeof(bytes), file);
		buf_add(out, bytes, n);
	} while (n == sizeof(bytes) && out->len <= FILE_BYTES);
	if (out->len > 0 && out->data[0] == '#')
		buf_drop(out, strcspn(buf_text(out), "\n"));
	errno = ferror(file) != 0 ? errno : 0;
	return ferror(file) == 0 && out->len <= FILE_BYTES && strlen(buf_text(out)) == out->len;
}

static int run_file(struct session *session, const char *path)
{
	bool is_stdin = strcmp(path, "-") == 0;
	FILE *file = is_stdin ? stdin : fopen(path, "re");
	struct buf code = { 0 };
	char *chunk = is_stdin ? mem_strdup("=stdin") : mem_printf("@%s", path);
	int status = FAILED;

	if (file == NULL || !read_text(file, &code))
		(void)fprintf(stderr, "plusmoin: %s: %s\n", path,
			      errno != 0 ? strerror(errno) : "is no text, or longer than 64 KiB");
	else if (run(session, chunk, buf_text(&code), false) == CAME_WELL)
		status = FINE;
	if (file != NULL && !is_stdin)
		(void)fclose(file);
	free(chunk);
	buf_free(&code);
	return status;
}

/* ---- a terminal ---- */

/* Learns the daemon's name for the session. False, after a message: we may not use the console. */
static bool begin(struct session *session)
{
	struct buf request = { 0 };
	json_t *answer;
	bool is_ours;

	write_request(&request, "console", (const char *const[]){ NULL, NULL, NULL, NULL });
	answer = exchange(session, &request);
	is_ours = answer != NULL && json_is_true(json_object_get(answer, "ok"));
	if (is_ours)
		session->name = mem_strdup(text_of(answer, "session"));
	else if (answer != NULL)
		(void)fprintf(stderr, "plusmoin: %s\n", text_of(answer, "error"));
	json_decref(answer);
	return is_ours;
}

static void complete(void *data, const char *word, struct buf *words)
{
	struct session *session = data;
	struct buf request = { 0 };
	char *code = mem_printf("return COMPLETE('%s')", word);
	json_t *answer;

	write_request(&request, "console", (const char *const[]){ "chunk", "=completion", "code", code });
	answer = exchange(session, &request);
	if (answer != NULL && text_of(answer, "error") == NULL && text_of(answer, "text") != NULL)
		buf_add_str(words, text_of(answer, "text"));
	json_decref(answer);
	free(code);
}

/* Returns ~/.plusmoin_history, the caller's; NULL: there is no home. */
static char *history_path(void)
{
	const char *home = getenv("HOME");

	return home != NULL && home[0] == '/' ? mem_printf("%s/.plusmoin_history", home) : NULL;
}

/* Reads and runs lines until Ctrl-D, or until the daemon is gone. */
static int talk(struct session *session, struct typing *typing)
{
	struct buf line = { 0 };
	struct buf code = { 0 };
	enum came came = CAME_WELL;
	enum typed typed = TYPED_LINE;

	while (came != CAME_LOST && typed != TYPED_END) {
		typed = typing_read(typing, code.len > 0 ? "       >> " : "plusmoin> ", &line);
		if (typed == TYPED_INTERRUPT)
			buf_clear(&code);
		if (typed != TYPED_LINE || (line.len == 0 && code.len == 0))
			continue;
		if (code.len > 0)
			buf_add_char(&code, '\n');
		buf_add(&code, line.data, line.len);
		came = run(session, "=console", buf_text(&code), true);
		if (came == CAME_UNFINISHED)
			continue;
		typing_remember(typing, buf_text(&code));
		buf_clear(&code);
	}
	if (typed == TYPED_END)
		(void)putchar('\n');
	buf_free(&line);
	buf_free(&code);
	return came == CAME_LOST ? FAILED : FINE;
}

static int run_terminal(struct session *session)
{
	const struct sigaction action = { .sa_handler = on_interrupt };
	char *history = history_path();
	struct typing *typing;
	int status = FAILED;

	if (begin(session)) {
		(void)sigaction(SIGINT, &action, NULL);
		session->stop = (struct channel_stop){ .wanted = &interrupted, .stop = stop_run, .data = session };
		session->is_typed = true;
		typing = typing_new(history, &interrupted, complete, session);
		if (typing != NULL) {
			(void)puts("Lua in the running plusmoin. help() says what there is; Ctrl-C ends what runs, Ctrl-D the"
				   " session.");
			status = talk(session, typing);
		} else {
			(void)fputs("plusmoin: this terminal cannot be used\n", stderr);
		}
		typing_free(&typing);
	}
	free(history);
	return status;
}

int command_console(const char *config_path, const char *code, const char *file)
{
	struct session session = { .channel = { .fd = -1 } };
	struct running running;
	int status = FAILED;

	if (!running_find(config_path, &running))
		return FAILED;
	if (channel_open(&session.channel, running.names.report.names.control_socket)) {
		if (code != NULL)
			status = run(&session, "=-e", code, false) == CAME_WELL ? FINE : FAILED;
		else if (file != NULL || isatty(STDIN_FILENO) == 0)
			status = run_file(&session, file != NULL ? file : "-");
		else
			status = run_terminal(&session);
	}
	channel_close(&session.channel);
	free(session.name);
	running_free(&running);
	return status;
}
