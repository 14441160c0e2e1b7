#include "daemon/consoles.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/secret.h"
#include "daemon/response.h"
#include "loop/clock.h"

#define CODE_LOGGED 500 /* bytes of typed code that a log line shows at most */

struct session {
	struct consoles *consoles;
	unsigned long client; /* 0: it has disconnected */
	char name[24];        /* the client's id as a text: what the script host calls the session */
	bool has_run;
	void *run;             /* the code under way; NULL: none */
	int64_t since_ms;      /* steady: when the code was sent to its script host */
	struct config *config; /* a reference to that of the host on which the code runs; NULL: none runs */
};

struct consoles {
	struct hosts *hosts;
	struct control *control;
	struct config *const *config;
	void (*used)(void *data);
	void *data;
	struct list sessions;
};

struct consoles *consoles_new(struct hosts *hosts, struct control *control, struct config *const *config,
			      void (*used)(void *data), void *data)
{
	struct consoles *consoles = mem_zalloc(1, sizeof(*consoles));

	consoles->hosts = hosts;
	consoles->control = control;
	consoles->config = config;
	consoles->used = used;
	consoles->data = data;
	return consoles;
}

static void free_session(struct session *session)
{
	list_remove(&session->consoles->sessions, session);
	config_unref(&session->config);
	free(session);
}

static struct session *find_client(const struct consoles *consoles, unsigned long client)
{
	for (size_t i = 0; i < consoles->sessions.count; i++) {
		struct session *session = consoles->sessions.items[i];

		if (session->client == client)
			return session;
	}
	return NULL;
}

static struct session *open_session(struct consoles *consoles, unsigned long client)
{
	struct session *session = find_client(consoles, client);

	if (session != NULL)
		return session;
	session = mem_zalloc(1, sizeof(*session));
	session->consoles = consoles;
	session->client = client;
	(void)snprintf(session->name, sizeof(session->name), "%lu", client);
	list_add(&consoles->sessions, session);
	return session;
}

static void add_text(struct json *json, const char *key, const char *value)
{
	jsonw_key(json, key);
	jsonw_string(json, value);
}

static void add_flag(struct json *json, const char *key, bool value)
{
	jsonw_key(json, key);
	jsonw_bool(json, value);
}

/* Refuses who is neither root nor the daemon's own user. NULL: who asks is allowed. */
static struct shared_text *refuse_stranger(uid_t uid)
{
	struct shared_text *answer;
	char *why;

	if (uid == 0 || uid == geteuid())
		return NULL;
	why = mem_printf("the console is for root and for the user that plusmoin runs as (uid %ld), because what is typed"
			 " there can do all that plusmoin can; you are uid %ld",
			 (long)geteuid(), (long)uid);
	answer = response_error(why);
	free(why);
	return answer;
}

/* Begins an answer in `out`. */
static struct json begin(const struct session *session, struct buf *out)
{
	struct json json = response_begin(out);

	add_text(&json, "session", session->name);
	return json;
}

/*
 * Answers how the run went: "error" is what ended it, "anew" says that the session has lost its variables, as by a
 * reload.
 */
static void on_ended(void *owner, const struct runner_outcome *outcome)
{
	struct session *session = owner;
	const struct job *job = hosts_code_job(session->run);
	struct buf out = { 0 };
	struct json json;
	struct shared_text *answer;

	session->run = NULL;
	config_unref(&session->config);
	if (session->client == 0) {
		hosts_forget(session->consoles->hosts, session->name);
		free_session(session);
		return;
	}
	json = begin(session, &out);
	add_text(&json, "text", job->text);
	add_text(&json, "error", outcome->error);
	add_flag(&json, "timed_out", outcome->timed_out);
	add_flag(&json, "unfinished", job->unfinished);
	add_flag(&json, "anew", job->first && session->has_run);
	jsonw_key(&json, "took");
	jsonw_seconds(&json, outcome->took_ms);
	session->has_run = true;
	answer = response_end(&json);
	control_answer(session->consoles->control, session->client, answer);
	shared_text_unref(&answer);
}

static struct shared_text *answer_begin(const struct session *session)
{
	struct buf out = { 0 };
	struct json json = begin(session, &out);

	return response_end(&json);
}

/* Logs who has typed what, because people look for that in the log when something has happened. */
static void log_code(const struct request *request)
{
	char *code = secret_scrub(request->code, CODE_LOGGED);

	if (request->chunk != NULL && strcmp(request->chunk, "=completion") == 0)
		log_debug("console (uid %ld): %s", (long)request->uid, code);
	else
		log_info("console (uid %ld): %s", (long)request->uid, code);
	free(code);
}

struct shared_text *consoles_take(struct consoles *consoles, unsigned long client, const struct request *request)
{
	struct shared_text *refusal = refuse_stranger(request->uid);
	struct session *session;

	if (refusal != NULL)
		return refusal;
	session = open_session(consoles, client);
	if (request->code == NULL)
		return answer_begin(session);
	log_code(request);
	consoles->used(consoles->data);
	session->config = config_ref(*consoles->config);
	session->since_ms = clock_steady_ms();
	session->run = hosts_run_code(consoles->hosts, session->config,
				      &(struct hosts_code){
					      .session = session->name,
					      .chunk = request->chunk != NULL ? request->chunk : "=console",
					      .text = request->code,
					      .timeout_ms = session->config->trigger_timeout_ms,
				      },
				      on_ended, session);
	return NULL;
}

static struct session *find_session(const struct consoles *consoles, const char *name)
{
	for (size_t i = 0; i < consoles->sessions.count && name != NULL; i++) {
		struct session *session = consoles->sessions.items[i];

		if (session->client != 0 && strcmp(session->name, name) == 0)
			return session;
	}
	return NULL;
}

struct shared_text *consoles_stop(struct consoles *consoles, const struct request *request)
{
	struct shared_text *refusal = refuse_stranger(request->uid);
	const struct session *session = find_session(consoles, request->session);

	if (refusal != NULL)
		return refusal;
	if (session == NULL)
		return response_error("no such session: \"session\" is what the answer to \"console\" says");
	if (session->run == NULL)
		return response_error("nothing runs in that session");
	hosts_runner(consoles->hosts)->stop(consoles->hosts, session->run, RUNNER_BY_HAND);
	return answer_begin(session);
}

static void describe(const struct session *session, struct console_run *run)
{
	*run = (struct console_run){ .since_ms = session->since_ms };
	(void)snprintf(run->id, sizeof(run->id), "console.%s", session->name);
	run->waits_for = job_waits_for(hosts_code_job(session->run), &run->waits_since_ms);
}

void consoles_each(const struct consoles *consoles, void (*look)(void *data, const struct console_run *run), void *data)
{
	for (size_t i = 0; i < consoles->sessions.count; i++) {
		const struct session *session = consoles->sessions.items[i];
		struct console_run run;

		if (session->run == NULL)
			continue;
		describe(session, &run);
		look(data, &run);
	}
}

bool consoles_kill(struct consoles *consoles, const char *id)
{
	for (size_t i = 0; i < consoles->sessions.count; i++) {
		const struct session *session = consoles->sessions.items[i];
		struct console_run run;

		if (session->run == NULL)
			continue;
		describe(session, &run);
		if (strcmp(run.id, id) != 0)
			continue;
		hosts_runner(consoles->hosts)->stop(consoles->hosts, session->run, RUNNER_BY_HAND);
		return true;
	}
	return false;
}

void consoles_forget(struct consoles *consoles, unsigned long client)
{
	struct session *session = find_client(consoles, client);

	if (session == NULL)
		return;
	session->client = 0;
	if (session->run != NULL) {
		hosts_runner(consoles->hosts)->stop(consoles->hosts, session->run, RUNNER_BY_HAND);
		return;
	}
	hosts_forget(consoles->hosts, session->name);
	free_session(session);
}

void consoles_free(struct consoles **consoles_p)
{
	struct consoles *consoles = *consoles_p;
	struct session *session;

	*consoles_p = NULL;
	if (consoles == NULL)
		return;
	while ((session = list_shift(&consoles->sessions)) != NULL) {
		config_unref(&session->config);
		free(session);
	}
	list_free(&consoles->sessions);
	free(consoles);
}
