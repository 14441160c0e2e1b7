#include "command/running.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <jansson.h>

#include "base/mem.h"
#include "command/ask.h"
#include "command/hints.h"
#include "system/pidfile.h"

/* A file's time of change is that of the kernel's last tick, which is at most 10 ms (100 Hz) behind the clock. */
#define TICK_MS 20

static int64_t changed_ms(const struct stat *st)
{
	return (int64_t)st->st_ctim.tv_sec * 1000 + st->st_ctim.tv_nsec / 1000000;
}

/* Whether the file, and the link to it if it is one, are as they were at `read_ms` (wall clock). */
static bool is_unchanged(const char *path, int64_t read_ms)
{
	struct stat file;
	struct stat link;

	return stat(path, &file) == 0 && lstat(path, &link) == 0 && changed_ms(&file) + TICK_MS < read_ms &&
	       changed_ms(&link) + TICK_MS < read_ms;
}

static const char *text_of(const json_t *answer, const char *key)
{
	return json_string_value(json_object_get(answer, key));
}

static int64_t ms_of(const json_t *answer, const char *key)
{
	return llround(json_number_value(json_object_get(answer, key)) * 1000.0);
}

/* Whether the answer has all that verbs need. */
static bool is_complete(const json_t *answer)
{
	return json_is_true(json_object_get(answer, "ok")) && text_of(answer, "configuration") != NULL &&
	       text_of(answer, "daemon_user") != NULL && text_of(answer, "pid_file") != NULL &&
	       text_of(answer, "status_file") != NULL && text_of(answer, "control_socket") != NULL;
}

/* Whether the answer counts; running.h says when. */
static bool is_ours(const json_t *answer, const char *path, const struct peer *peer)
{
	json_int_t pid = json_integer_value(json_object_get(answer, "pid"));

	return is_complete(answer) && pid > 0 && pid == peer->pid &&
	       strcmp(text_of(answer, "configuration"), path) == 0 && is_unchanged(path, ms_of(answer, "read")) &&
	       pidfile_holder(text_of(answer, "pid_file")) == peer->pid;
}

static void take(const json_t *answer, const struct peer *peer, struct running *running)
{
	struct load_files *names = &running->names.report.names;

	running->pid = peer->pid;
	running->uid = peer->uid;
	names->daemon_user = mem_strdup(text_of(answer, "daemon_user"));
	names->pid_file = mem_strdup(text_of(answer, "pid_file"));
	names->status_file = mem_strdup(text_of(answer, "status_file"));
	names->log_file = mem_strdup(text_of(answer, "log_file"));
	names->control_socket = mem_strdup(text_of(answer, "control_socket"));
	running->names.shutdown_grace_ms = ms_of(answer, "shutdown_grace");
}

/* Asks at one socket. False: no other one is to be asked, because the daemon has answered, or one hangs. */
static bool ask_at(const char *socket, const char *path, struct running *running)
{
	struct buf text = { 0 };
	struct peer peer;
	enum ask_outcome outcome = ask_whom(socket, "{\"request\": \"about\"}\n", RUNNING_ASK_MS, &text, &peer);
	json_t *answer = outcome == ASK_ANSWERED ? json_loadb(text.data, text.len, 0, NULL) : NULL;

	if (answer != NULL && is_ours(answer, path, &peer))
		take(answer, &peer, running);
	json_decref(answer);
	buf_free(&text);
	return running->pid == 0 && outcome != ASK_SILENT;
}

bool running_find(const char *path, struct running *running)
{
	struct list sockets = { 0 };
	char *socket;
	bool goes_on = true;

	*running = (struct running){ 0 };
	hints_read(path, &sockets);
	while ((socket = list_shift(&sockets)) != NULL) {
		goes_on = goes_on && ask_at(socket, path, running);
		free(socket);
	}
	list_free(&sockets);
	if (running->pid > 0)
		return true;
	if (!files_read(path, &running->names))
		return false;
	files_say_broken(&running->names);
	return true;
}

void running_free(struct running *running)
{
	files_free(&running->names);
}
