#include "pg/session.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/secret.h"
#include "base/text.h"
#include "loop/clock.h"
#include "loop/deadline.h"
#include "loop/timer.h"
#include "pg/dial.h"
#include "pg/pinned.h"

#define REFUSAL_BYTES 8192 /* most that is told of a server's words */

struct session {
	uv_loop_t *loop;
	struct resolver *resolver;
	struct config_node node;
	bool bare;
	bool set; /* this connection was sent the settings that are sent after connecting */
	struct deadlines *deadlines; /* of its dial */
	char defaults[PINNED_OPTIONS];
	char options[64];
	char last_good[INET6_ADDRSTRLEN + 1];
	struct dial *dial;
	struct conn *conn;
	int64_t server_timeout_ms; /* the statement_timeout that the server was told */
	bool setting;              /* settings are being sent, before the question */
	/* the question under way; done NULL: none */
	char *sql;
	int param_count;
	char **params;
	int64_t timeout_ms;
	struct timer *deadline;
	struct rows rows;
	char *error;
	void (*done)(void *data, const char *error, struct rows *rows);
	void *data;
};

static void forget_question(struct session *session)
{
	timer_stop(session->deadline);
	free(session->sql);
	for (int i = 0; i < session->param_count; i++)
		free(session->params[i]);
	free(session->params);
	free(session->error);
	session->sql = NULL;
	session->params = NULL;
	session->error = NULL;
	session->param_count = 0;
	session->done = NULL;
	rows_free(&session->rows);
}

/* Tells the outcome: last, as the session may be freed by it. */
static void finish(struct session *session)
{
	void (*done)(void *, const char *, struct rows *) = session->done;
	struct rows rows = session->rows;
	char *error = session->error;

	session->rows = (struct rows){ 0 };
	session->error = NULL;
	forget_question(session);
	done(session->data, error, error == NULL ? &rows : NULL);
	rows_free(&rows);
	free(error);
}

/* Closes the connection, and ends the question under way with an error. */
static void give_up(struct session *session, const char *why)
{
	dial_cancel(&session->dial);
	conn_close(&session->conn);
	if (session->done == NULL)
		return;
	free(session->error);
	session->error = mem_strdup(why);
	finish(session);
}

static void on_broken(void *data, const struct evidence *evidence)
{
	give_up(data, evidence->message);
}

static void on_deadline(void *data)
{
	struct session *session = data;
	struct evidence evidence;
	char why[96];

	if (session->dial != NULL && dial_hangs(session->dial, &evidence)) {
		give_up(session, evidence.message);
		return;
	}
	(void)snprintf(why, sizeof(why), "%s within %g s",
		       session->conn == NULL ? "no connection" : "no answer",
		       (double)session->timeout_ms / 1000.0);
	give_up(session, why);
}

/* The server's words for its refusal, with the SQLSTATE. */
static char *refusal(const PGresult *result)
{
	const char *words = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
	const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
	char *text;
	char *clean;

	if (state == NULL || words == NULL)
		return evidence_words(PQresultErrorMessage(result));
	text = mem_printf("%s (%s)", words, state);
	clean = secret_scrub(text, REFUSAL_BYTES);
	free(text);
	return clean;
}

static void on_result(void *data, int tag, const PGresult *result)
{
	struct session *session = data;
	ExecStatusType status = PQresultStatus(result);

	(void)tag;
	if (session->setting || session->error != NULL)
		return; /* if the setting is refused, our own deadline stands */
	if (status != PGRES_SINGLE_TUPLE && status != PGRES_TUPLES_OK &&
	    status != PGRES_COMMAND_OK && status != PGRES_EMPTY_QUERY)
		session->error = refusal(result);
	else if (!rows_take(&session->rows, result))
		give_up(session, "the result is larger than 16 MiB");
}

static void send_question(struct session *session)
{
	session->setting = false;
	conn_ask(session->conn, session->sql, session->param_count,
		 (const char *const *)session->params);
}

static void on_done(void *data)
{
	struct session *session = data;

	if (session->setting)
		send_question(session);
	else
		finish(session);
}

static const struct conn_events session_events = {
	.failed = on_broken,
	.result = on_result,
	.done = on_done,
};

/* Whether the timeout that the server was told is too short for this question, or too long by an eighth. */
static bool needs_timeout(const struct session *session)
{
	int64_t told = session->server_timeout_ms;

	return session->timeout_ms > told || session->timeout_ms < told - told / 8;
}

/*
 * Tells the server this question's timeout and, the first time, the younger settings. In a transaction of the user's
 * it sets the timeout alone, and by SET LOCAL: a SELECT would take the snapshot, and SET TRANSACTION must come before.
 */
static void set(struct session *session)
{
	struct pinned_words words;
	const char *params[] = { words.names, words.values, words.pid };
	char limit[24];
	char local[64];

	session->setting = true;
	(void)snprintf(limit, sizeof(limit), "%lld", (long long)session->timeout_ms);
	if (conn_in_transaction(session->conn)) {
		(void)snprintf(local, sizeof(local), "SET LOCAL statement_timeout = %s", limit);
		conn_ask(session->conn, local, 0, NULL);
		return;
	}
	(void)pinned_younger(PINNED_FOR_OTHERS, session->set ? 0 : conn_server_version(session->conn),
			     conn_backend_pid(session->conn), &words);
	pinned_add(&words, "statement_timeout", limit);
	session->server_timeout_ms = session->timeout_ms;
	session->set = true;
	conn_ask(session->conn, pinned_sql, 3, params);
}

/* Sends the question, or first the settings that it needs. */
static void ask_or_set(struct session *session)
{
	struct pinned_words words;
	bool younger = !session->set && pinned_younger(PINNED_FOR_OTHERS, conn_server_version(session->conn), 0, &words);

	if (!session->bare && (younger || needs_timeout(session)))
		set(session);
	else
		send_question(session);
}

static void on_dialled(void *data, struct conn *conn, const struct evidence *evidence)
{
	struct session *session = data;

	session->dial = NULL;
	if (conn == NULL) {
		give_up(session, evidence->message);
		return;
	}
	session->conn = conn;
	conn_listen(conn, &session_events, session);
	session->set = false;
	ask_or_set(session);
}

static void dial(struct session *session)
{
	struct dial_target target = {
		.node = &session->node,
		.defaults = session->defaults,
		.options = session->bare ? NULL : session->options,
		.timeout_ms = session->timeout_ms,
		.last_good = session->last_good,
	};

	pinned_options(PINNED_FOR_OTHERS, session->defaults);
	(void)snprintf(session->options, sizeof(session->options), "-c statement_timeout=%lld",
		       (long long)session->timeout_ms);
	session->server_timeout_ms = session->timeout_ms;
	session->dial = dial_start(session->loop, session->resolver, session->deadlines, &target,
				   on_dialled, session);
}

void session_ask(struct session *session, const struct question *question,
		 void (*done)(void *data, const char *error, struct rows *rows), void *data)
{
	session->sql = mem_strdup(question->sql);
	if (question->params != NULL) {
		session->param_count = question->param_count;
		session->params = mem_zalloc((size_t)question->param_count + 1,
					     sizeof(*session->params));
		for (int i = 0; i < question->param_count; i++)
			session->params[i] = mem_strdup(question->params[i]);
	}
	session->timeout_ms = question->timeout_ms > 0 ? question->timeout_ms : 1;
	session->done = done;
	session->data = data;
	timer_start(session->deadline, session->timeout_ms);
	if (session->conn == NULL)
		dial(session);
	else
		ask_or_set(session);
}

struct session *session_new(uv_loop_t *loop, struct resolver *resolver, struct config_node *node,
			    bool bare)
{
	struct session *session = mem_zalloc(1, sizeof(*session));

	session->loop = loop;
	session->resolver = resolver;
	session->deadlines = deadlines_new(loop);
	session->node = *node;
	*node = (struct config_node){ 0 };
	session->bare = bare;
	session->deadline = timer_new(loop, on_deadline, session);
	return session;
}

bool session_is_for(const struct session *session, const struct config_node *node, bool bare)
{
	const struct config_node *own = &session->node;

	return session->bare == bare && text_same(own->host, node->host) && own->port == node->port &&
	       config_node_same_login(own, node);
}

void session_free(struct session **session_p)
{
	struct session *session = *session_p;

	*session_p = NULL;
	if (session == NULL)
		return;
	forget_question(session);
	dial_cancel(&session->dial);
	conn_close(&session->conn);
	timer_free(&session->deadline);
	deadlines_free(&session->deadlines);
	config_node_clear(&session->node);
	free(session);
}
