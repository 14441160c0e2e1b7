#include "pg/inquiry.h"

#include <string.h>

#include "pg/conn.h"
#include "pg/hearing.h"

void inquiry_begin(struct inquiry *inquiry, struct conn *conn, const struct config *config,
		   const struct beat_order *order)
{
	inquiry->conn = conn;
	inquiry->config = config;
	inquiry->order = order;
	inquiry->count = 0;
}

void inquiry_add(struct inquiry *inquiry, enum question question)
{
	inquiry->statements[inquiry->count++] =
		question_ask(question, inquiry->config, inquiry->order, &inquiry->words);
}

static void add_with_words(struct inquiry *inquiry, enum question question)
{
	(void)pinned_younger(PINNED_FOR_US, conn_server_version(inquiry->conn), conn_backend_pid(inquiry->conn),
			     &inquiry->words.pinned);
	inquiry_add(inquiry, question);
}

void inquiry_add_settings(struct inquiry *inquiry)
{
	add_with_words(inquiry, ASK_SETTINGS);
}

void inquiry_add_limits(struct inquiry *inquiry)
{
	add_with_words(inquiry, ASK_LIMITS);
}

void inquiry_add_who(struct inquiry *inquiry, struct who *who, enum observation_kind role)
{
	enum who_next next = who_ask(who, conn_server_version(inquiry->conn), role);

	if (next != WHO_NOTHING)
		inquiry_add(inquiry, next == WHO_ASK ? ASK_WHO : ASK_MAY);
}

void inquiry_add_check(struct inquiry *inquiry)
{
	inquiry_add(inquiry, conn_server_version(inquiry->conn) >= PG_SCHEMA_PUBLICATIONS ? ASK_CHECK_15 : ASK_CHECK);
}

void inquiry_add_hearing(struct inquiry *inquiry)
{
	inquiry_add(inquiry, conn_server_version(inquiry->conn) >= PG_SENDERS ? ASK_HEARING : ASK_HEARING_10);
}

/* Adds role and row; they share a Sync (`at_once`) where the row was read the last time. */
static void add_both(struct inquiry *inquiry, bool at_once)
{
	if (at_once && strcmp(inquiry->config->is_slave_statement, QUESTION_ROLE_SQL) == 0) {
		inquiry_add(inquiry, ASK_LOOK);
		return;
	}
	inquiry_add(inquiry, ASK_ROLE);
	inquiry->statements[inquiry->count - 1].joined = at_once;
	inquiry_add(inquiry, ASK_ROW);
}

bool inquiry_add_look(struct inquiry *inquiry, const struct table_known *table, bool row, bool ready)
{
	if (row && table->there && (!table->row_failed || ready)) {
		add_both(inquiry, !table->row_failed);
		return true;
	}
	inquiry_add(inquiry, ASK_ROLE);
	if (row)
		inquiry_add(inquiry, table->row_failed ? ASK_READABLE : ASK_THERE);
	return false;
}

void inquiry_send(struct inquiry *inquiry)
{
	conn_send(inquiry->conn, inquiry->statements, inquiry->count);
}
