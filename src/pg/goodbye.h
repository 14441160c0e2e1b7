/*
 * What a server says of its own accord before it ends a connection. It comes as a notice on an idle
 * connection, as a result on a busy one. A value: goodbye_begin(), then its owner's until goodbye_end(). Pure.
 */
#pragma once

#include <libpq-fe.h>
#include <stdbool.h>

#include "pg/evidence.h"

struct goodbye {
	char sqlstate[6]; /* "": it has said nothing */
	char *words; /* words.h */
	bool going; /* the server itself goes, not this connection alone */
};

/* Nothing was said. */
void goodbye_begin(struct goodbye *goodbye);
void goodbye_end(struct goodbye *goodbye);

/* Takes the goodbye that `result` is; any other changes nothing. */
void goodbye_take(struct goodbye *goodbye, const PGresult *result);

/* Takes these words in its place: an end that we make ourselves. */
void goodbye_say(struct goodbye *goodbye, const char *sqlstate, const char *words);
