/*
 * What a stand-in answers to plusmoin's own statements, which it knows from the table that sends them
 * (pg/questions.h). Results are messages (messages.h), appended to a buffer.
 */
#pragma once

#include "base/buf.h"
#include "pg/questions.h"
#include "standin/model.h"

/* An enum question, or one of these. */
enum { ASK_FACTS = QUESTIONS, ASK_SHAPE, ASK_BEGIN, ASK_LOCAL, ASK_END /* check's */, ASK_UNKNOWN };

#define ROLE_STATEMENT "SELECT pg_is_in_recovery()" /* the default of is_slave_statement */

/* What a transaction has changed and not committed. */
struct transaction {
	bool makes_table;
	bool writes;
	struct row row;
};

struct asked {
	struct model *model;
	struct transaction *transaction; /* the client's */
	char *const *params;             /* NULL: NULL */
	int param_count;
	int64_t now_ms;
};

/* Which question this is; ASK_UNKNOWN: none of plusmoin's, or one that has no answer here. */
int answer_find(const char *sql);

/* RowDescription, or NoData. */
void answer_describe(struct buf *out, int question);

/* The question's rows and CommandComplete, or ErrorResponse (then false); what it changes waits in the transaction. */
bool answer_give(struct buf *out, int question, const struct asked *asked);
