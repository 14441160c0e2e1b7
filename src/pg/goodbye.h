/*
 * The goodbye is what a server says of its own accord (57P01, 57P02) before it ends a connection. It comes as a
 * notice on an idle connection, as a result on a busy one. A value: goodbye_begin(), then its owner's until
 * goodbye_end(). Pure.
 */
#pragma once

#include <libpq-fe.h>
#include <stdbool.h>

#include "pg/evidence.h"

struct goodbye {
	char sqlstate[6]; /* "": it has said nothing */
	char *words; /* its text (base/words.h) */
	bool going; /* the server itself stops, not this connection alone */
};

/* Makes it a goodbye in which nothing was said yet. */
void goodbye_begin(struct goodbye *goodbye);
void goodbye_end(struct goodbye *goodbye);

/* Takes `result` if it is a goodbye; another one changes nothing. */
void goodbye_take(struct goodbye *goodbye, const PGresult *result);

/* Takes these words as the goodbye, where plusmoin itself ends the connection. */
void goodbye_say(struct goodbye *goodbye, const char *sqlstate, const char *words);
