/*
 * One look at a node for `plusmoin check`: a connection as the daemon makes it, its
 * role, its row, and the facts that say whether all will work. It writes nothing, takes no lock that
 * others could notice, and sets nothing that outlives its transaction. All of it ends within
 * `query_timeout`. Loop's thread.
 */
#pragma once

#include "core/config.h"
#include "core/observation.h"
#include "net/resolve.h"

struct survey_answer {
	bool reached;
	enum reason reason; /* why it was not reached, or its role is not known */
	char message[MESSAGE_BYTES];
	bool has_role;
	bool is_slave;
	int server_version;
	int backend_pid; /* conn_backend_pid(); the facts name another where a connection pool lies between */
	int64_t age_ms;  /* from our first step towards it to its facts: an older session is a connection pool's */
	enum row_state row_state;
	struct row row;
	char row_error[MESSAGE_BYTES]; /* why the row cannot be read; "": it can, or there is none */
	/* JSON objects, which live for the callback only; NULL: the server did not tell */
	const char *facts;
	const char *table; /* what of the beats' table could refuse a beat */
	int64_t rtt_ms;    /* of the question */
	int64_t asked_ms;  /* our wall clock half-way through it */
};

/*
 * What it asks besides the user's statement and ASK_ROW (questions.h), and the begin and end of the transaction around
 * each question: it reads only, has an isolation level that a hot standby has, too, and is rolled back.
 */
extern const char survey_facts_sql[];
extern const char survey_facts_15_sql[]; /* from PostgreSQL 15 on */
extern const char survey_table_sql[];
extern const char survey_begin_sql[];
extern const char survey_end_sql[];

struct survey;

/* `done` is called once, not from inside; then the survey is freed. All arguments outlive it. */
struct survey *survey_start(uv_loop_t *loop, struct resolver *resolver, const struct config *config,
			    const struct config_node *node,
			    void (*done)(void *data, const struct survey_answer *answer),
			    void *data);
