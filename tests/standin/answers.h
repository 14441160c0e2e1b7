/*
 * What a stand-in answers to plusmoin's own statements, which it knows from the table that sends them
 * (pg/questions.h). Results are messages of PostgreSQL's protocol, appended to a buffer.
 */
#pragma once

#include "base/buf.h"
#include "pg/questions.h"
#include "standin/model.h"

#define PARAMS_MOST 8

/* An enum question, or one of these. */
enum { ASK_FACTS = QUESTIONS, ASK_SHAPE, ASK_BEGIN, ASK_LOCAL, ASK_END /* check's */, ASK_UNKNOWN };

#define ROLE_STATEMENT "SELECT pg_is_in_recovery()" /* the default of is_slave_statement */

/* Which question this is; ASK_UNKNOWN: none of plusmoin's. */
int answer_find(const char *sql);

/* RowDescription, or NoData. */
void answer_describe(struct buf *out, int question);

/* The question is done to the model: rows and CommandComplete, or ErrorResponse (then false). */
bool answer_give(struct buf *out, int question, struct model *model, char *const *params,
		 int param_count, int64_t now_ms);

/* A message: its type and body. */
void message_add(struct buf *out, char type, const void *body, size_t len);
void message_add_error(struct buf *out, const char *severity, const char *sqlstate, const char *text);

void add_int16(struct buf *out, unsigned value);
void add_int32(struct buf *out, uint32_t value);

/* With its terminator. */
void add_text(struct buf *out, const char *text);
