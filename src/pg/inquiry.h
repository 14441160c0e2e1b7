/*
 * What is asked over a connection at once: the statements of one batch, made of questions, in the order in which they
 * are added. A value, filled and sent by its owner (lane.h) in one call. Monitor thread.
 */
#pragma once

#include "pg/questions.h"
#include "pg/who.h"

#define INQUIRY_MOST 6 /* questions at once */

/* inquiry_begin() makes it empty. */
struct inquiry {
	struct conn *conn;
	const struct config *config;
	const struct beat_order *order; /* what ASK_BEAT writes; not read else */
	struct statement statements[INQUIRY_MOST];
	size_t count;
	struct question_words words;
};

void inquiry_begin(struct inquiry *inquiry, struct conn *conn, const struct config *config,
		   const struct beat_order *order);
void inquiry_add(struct inquiry *inquiry, enum question question);

/* Adds the settings that a connection needs once. */
void inquiry_add_settings(struct inquiry *inquiry);

/* Adds the limits, for a connection that was made with others. */
void inquiry_add_limits(struct inquiry *inquiry);

/* Adds the question which server answers, if that is not known; `role`: the server's, OBSERVED_NOTHING: not known. */
void inquiry_add_who(struct inquiry *inquiry, struct who *who, enum observation_kind role);

/* Adds the question to the catalogue whether a beat may be written. */
void inquiry_add_check(struct inquiry *inquiry);

/* Adds the question what a slave hears of its master (P6). */
void inquiry_add_hearing(struct inquiry *inquiry);

/*
 * Adds the question for the role and, with `row`, for the row; they are one statement where is_slave_statement is the
 * default one. Where the table was missing, or could not be read, the catalogue is asked in place of the row, until it
 * has said that the row can be read (`ready`). Returns whether the row itself is asked for.
 */
bool inquiry_add_look(struct inquiry *inquiry, const struct table_known *table, bool row, bool ready);

/* Sends what was added; the connection must be idle. */
void inquiry_send(struct inquiry *inquiry);
