/*
 * What a slave hears of its master (rule P6): the statements that ask for it, and the reading of their
 * results. Pure but for libpq's result objects.
 */
#pragma once

#include <libpq-fe.h>

#include "core/vouch.h"

/*
 * They return one row: LSN, whether there is a WAL receiver, then what only pg_monitor may read (sender, port,
 * timeline, when the last message came), and the server's clock. They do so without an error on any server, also on a
 * master, a subscriber, and a slave that follows an archive.
 */
extern const char hearing_sql[];
extern const char hearing_sql_10[]; /* before PostgreSQL 11, whose sender is to be read from its primary_conninfo */

#define PG_SENDERS 110000 /* hearing_sql is for servers from this version on */

/* Reads that row. False: the result is an error, as where the role may not execute a function. */
bool hearing_read(const PGresult *result, struct hearing *hearing);
