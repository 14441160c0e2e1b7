/*
 * What a slave hears of its master (rule P6): the statements that ask for it, and the reading of their
 * results. Pure but for libpq's result objects.
 */
#pragma once

#include <libpq-fe.h>

#include "core/vouch.h"

/*
 * LSN, whether there is a WAL receiver, then what only pg_monitor may read: sender, port, timeline, when the last
 * message came, and the server's clock. Of any server they make a row without an error: of a master, of a
 * subscriber, and of one that follows an archive, too.
 */
extern const char hearing_sql[];
extern const char hearing_sql_10[]; /* before PostgreSQL 11, which names no sender: by its primary_conninfo */

#define PG_SENDERS 110000 /* from this version on the first one is right */

/* False: it is none, as where a function was taken from the role. */
bool hearing_read(const PGresult *result, struct hearing *hearing);
