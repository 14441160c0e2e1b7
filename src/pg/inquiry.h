/*
 * What is asked over a connection at once: the statements of one batch, made of questions, in the order in which they
 * are added. A value, filled and sent by its owner (lane.h) in one call. Monitor thread.
 */
#pragma once

#include "pg/questions.h"
#include "pg/who.h"

#define INQUIRY_MOST 6 /* questions at once */

/* `conn` and `config` set, all else zero. */
struct inquiry {
	struct conn *conn;
	const struct config *config;
	const struct beat_order *order; /* of ASK_BEAT */
	struct statement statements[INQUIRY_MOST];
	size_t count;
	struct question_words words;
};

void inquiry_begin(struct inquiry *inquiry, struct conn *conn, const struct config *config,
		   const struct beat_order *order);
void inquiry_add(struct inquiry *inquiry, enum question question);

/* What the connection needs set, once. */
void inquiry_add_settings(struct inquiry *inquiry);

/* The limits, of a connection that was made with others. */
void inquiry_add_limits(struct inquiry *inquiry);

/* Who answers here, where that is open; `role`: of the server, OBSERVED_NOTHING where it is not known. */
void inquiry_add_who(struct inquiry *inquiry, struct who *who, enum observation_kind role);

/* Whether a beat may be written, by the catalogue. */
void inquiry_add_check(struct inquiry *inquiry);

/* What a slave hears of its master. */
void inquiry_add_hearing(struct inquiry *inquiry);

/*
 * The role and, with `row`, the row, at once where is_slave_statement is the default one; but where the table was not
 * there, or was not to be read, the catalogue is asked for it instead, until that has said (`ready`) that it is. Whether
 * the row was asked for.
 */
bool inquiry_add_look(struct inquiry *inquiry, const struct table_known *table, bool row, bool ready);

/* Sends what was added; the connection must be idle. */
void inquiry_send(struct inquiry *inquiry);
