/*
 * What a server says of its own accord before it ends a connection. It comes as a notice on an idle
 * connection, as a result on a busy one. Zero-initialised: nothing. Pure.
 */
#pragma once

#include <libpq-fe.h>
#include <stdbool.h>

#include "pg/evidence.h"

struct goodbye {
	char sqlstate[6]; /* "": it has said nothing */
	char words[MESSAGE_BYTES];
	bool going; /* the server itself goes, not this connection alone */
};

/* Takes the goodbye that `result` is; any other changes nothing. */
void goodbye_take(struct goodbye *goodbye, const PGresult *result);

/* Takes these words in its place: an end that we make ourselves. */
void goodbye_say(struct goodbye *goodbye, const char *sqlstate, const char *words);
