#include "pg/hearing.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"

#define MICROSECONDS(time) "(EXTRACT(epoch FROM " time ") * 1000000)::bigint"

#define HEARING_SQL(sender, port) \
	"SELECT pg_catalog.pg_wal_lsn_diff(pg_catalog.pg_last_wal_receive_lsn(), '0/0')," \
	" r.pid IS NOT NULL, " sender ", " port ", r.received_tli, " MICROSECONDS("r.last_msg_receipt_time") "," \
	" " MICROSECONDS("pg_catalog.clock_timestamp()") \
	" FROM (SELECT) one LEFT JOIN pg_catalog.pg_stat_wal_receiver r ON true"

const char hearing_sql[] = HEARING_SQL("r.sender_host", "r.sender_port");
const char hearing_sql_10[] =
	HEARING_SQL("pg_catalog.substring(r.conninfo, '(?:^| )host=([^ ]+)')",
		    "pg_catalog.substring(r.conninfo, '(?:^| )port=([0-9]+)')");

enum { COLUMN_LSN, COLUMN_STREAMS, COLUMN_SENDER, COLUMN_PORT, COLUMN_TIMELINE, COLUMN_RECEIVED, COLUMN_NOW, COLUMNS };

static int64_t number(const PGresult *result, int column)
{
	return strtoll(PQgetvalue(result, 0, column), NULL, 10);
}

bool hearing_read(const PGresult *result, struct hearing *hearing)
{
	*hearing = (struct hearing){ 0 };
	if (PQresultStatus(result) != PGRES_TUPLES_OK || PQntuples(result) != 1 || PQnfields(result) != COLUMNS)
		return false;
	hearing->has_lsn = !PQgetisnull(result, 0, COLUMN_LSN);
	hearing->lsn = strtoull(PQgetvalue(result, 0, COLUMN_LSN), NULL, 10);
	hearing->streams = strcmp(PQgetvalue(result, 0, COLUMN_STREAMS), "t") == 0;
	hearing->is_told = !PQgetisnull(result, 0, COLUMN_SENDER) && !PQgetisnull(result, 0, COLUMN_TIMELINE);
	text_copy(hearing->sender, sizeof(hearing->sender), PQgetvalue(result, 0, COLUMN_SENDER));
	hearing->port = (int)number(result, COLUMN_PORT);
	hearing->timeline = (int)number(result, COLUMN_TIMELINE);
	hearing->received_us = number(result, COLUMN_RECEIVED);
	hearing->now_us = number(result, COLUMN_NOW);
	return true;
}
