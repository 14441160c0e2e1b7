#include "command/runs.h"

#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "command/dialog.h"
#include "command/running.h"

enum { FINE = 0, FAILED = 1, USAGE = 2 };

/* Checks the words behind the verb. False, after a message: they are wrong. */
static bool is_usage(const char *word, const char *id)
{
	if (word == NULL)
		return true;
	if (strcmp(word, "kill") != 0)
		(void)fprintf(stderr, "plusmoin: runs takes \"kill ID\", or nothing: %s\n", word);
	else if (id == NULL)
		(void)fputs("plusmoin: runs kill needs the id of a run, as `plusmoin runs` lists them\n", stderr);
	return strcmp(word, "kill") == 0 && id != NULL;
}

/* Writes the request for the list, or for the end of the run `id`. */
static void write_request(const char *id, struct buf *request)
{
	struct json json = { .out = request };

	jsonw_begin_object(&json);
	jsonw_key(&json, "request");
	jsonw_string(&json, id != NULL ? "runs_kill" : "runs");
	if (id != NULL) {
		jsonw_key(&json, "run");
		jsonw_string(&json, id);
	}
	jsonw_end_object(&json);
	buf_add_char(request, '\n');
}

/* Asks and prints the answer. Returns an exit status. */
static int say(const char *socket, const char *id, bool as_json)
{
	struct buf request = { 0 };
	struct buf text = { 0 };
	json_t *answer;
	bool done;

	write_request(id, &request);
	done = dialog_ask(socket, buf_text(&request), &text, &answer);
	json_decref(answer);
	if (as_json)
		(void)fputs(buf_text(&text), stdout);
	else if (done)
		done = dialog_print("runs", id != NULL ? "render_killed" : "render", buf_text(&text));
	buf_free(&request);
	buf_free(&text);
	return done ? FINE : FAILED;
}

int command_runs(const char *config_path, const char *word, const char *id, bool as_json)
{
	struct running running;
	int status;

	if (!is_usage(word, id))
		return USAGE;
	if (!running_find(config_path, &running))
		return FAILED;
	status = say(running.names.report.names.control_socket, id, as_json);
	running_free(&running);
	return status;
}
