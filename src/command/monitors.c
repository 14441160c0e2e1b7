#include "command/monitors.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "command/dialog.h"
#include "command/running.h"
#include "loop/clock.h"

#define HAND_OVER_MS 20000 /* within it the daemon writes what waits, and another monitor takes over */
#define LOOK_MS 100

enum { FINE = 0, FAILED = 1, USAGE = 2 };

static bool acts(const json_t *answer)
{
	return json_is_true(json_object_get(answer, "acts"));
}

/* Whether the daemon stands by, and another one acts. */
static bool is_handed_over(const json_t *answer)
{
	return !acts(answer) && json_is_string(json_object_get(answer, "acting"));
}

/* Returns the daemon's term; 0: it does not act. */
static json_int_t term_of(const json_t *answer)
{
	return json_integer_value(json_object_get(answer, "term"));
}

enum hand_over { HAND_WAITS, HAND_DONE, HAND_BACK, HAND_SILENT };

/*
 * Asks how far the hand-over is from the daemon that acted in term `before`. HAND_SILENT, after a message: it does not
 * answer.
 */
static enum hand_over look(const char *socket, json_int_t before, struct buf *text)
{
	json_t *answer;
	enum hand_over found = HAND_SILENT;

	if (dialog_ask(socket, "{\"request\": \"monitors\"}\n", text, &answer)) {
		if (is_handed_over(answer))
			found = HAND_DONE;
		else
			found = acts(answer) && term_of(answer) != before ? HAND_BACK : HAND_WAITS;
	}
	json_decref(answer);
	return found;
}

/* Waits until another monitor acts; `text` is the last answer then. False, after a message: none does in time. */
static bool wait_for_another(const char *socket, json_int_t before, struct buf *text)
{
	const struct timespec pause = { .tv_nsec = LOOK_MS * 1000000L };
	int64_t end_ms = clock_steady_ms() + HAND_OVER_MS;
	enum hand_over found = HAND_WAITS;

	while (found == HAND_WAITS && clock_steady_ms() < end_ms) {
		(void)nanosleep(&pause, NULL);
		found = look(socket, before, text);
	}
	if (found == HAND_BACK)
		(void)fputs("plusmoin: this monitor acts again: no other one has taken over\n", stderr);
	if (found == HAND_WAITS)
		(void)fputs("plusmoin: no other monitor has taken over yet\n", stderr);
	return found == HAND_DONE;
}

static void say_nothing_to_hand_over(const json_t *answer)
{
	const char *acting = json_string_value(json_object_get(answer, "acting"));

	(void)fprintf(stderr, "plusmoin: this monitor does not act, so there is nothing to hand over: %s%s\n",
		      acting != NULL ? acting : "no monitor is known to", acting != NULL ? " acts" : " act");
}

/*
 * Has the daemon hand over, if it acts; `text` is the last answer to "monitors" then. False, after a message: it
 * cannot.
 */
static bool resign(const char *socket, struct buf *text)
{
	json_t *answer;
	struct buf ignored = { 0 };
	json_int_t before;
	bool acted;
	bool done = dialog_ask(socket, "{\"request\": \"monitors\"}\n", text, &answer);

	acted = acts(answer);
	before = term_of(answer);
	if (done && !acted)
		say_nothing_to_hand_over(answer);
	json_decref(answer);
	if (!done || !acted)
		return done;
	done = dialog_ask(socket, "{\"request\": \"resign\"}\n", &ignored, &answer);
	json_decref(answer);
	buf_free(&ignored);
	return done && wait_for_another(socket, before, text);
}

/* Has the daemon write what it knows to another etcd; `text` is the last answer to "monitors" then. */
static bool seed(const char *socket, struct buf *text)
{
	json_t *answer;
	bool done = dialog_ask(socket, "{\"request\": \"seed\"}\n", text, &answer);

	json_decref(answer);
	if (!done)
		return false;
	done = dialog_ask(socket, "{\"request\": \"monitors\"}\n", text, &answer);
	json_decref(answer);
	return done;
}

static bool say(const char *word, const char *socket, struct buf *text)
{
	json_t *answer;
	bool done;

	if (word != NULL)
		return strcmp(word, "seed") == 0 ? seed(socket, text) : resign(socket, text);
	done = dialog_ask(socket, "{\"request\": \"monitors\"}\n", text, &answer);
	json_decref(answer);
	return done;
}

int command_monitors(const char *config_path, const char *word, bool as_json)
{
	struct running running;
	struct buf text = { 0 };
	const char *socket;
	int status = FAILED;
	bool done;

	if (word != NULL && strcmp(word, "resign") != 0 && strcmp(word, "seed") != 0) {
		(void)fprintf(stderr, "plusmoin: monitors takes \"resign\", \"seed\", or nothing: %s\n", word);
		return USAGE;
	}
	if (!running_find(config_path, &running))
		return FAILED;
	socket = running.names.report.names.control_socket;
	done = say(word, socket, &text);
	if (as_json)
		(void)fputs(buf_text(&text), stdout);
	if (done)
		status = as_json || dialog_print("monitors", "render", buf_text(&text)) ? FINE : FAILED;
	buf_free(&text);
	running_free(&running);
	return status;
}
