#include "pg/who.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "loop/clock.h"
#include "pg/evidence.h"
#include "pg/result.h"

#define TIMELINE_DIGITS 8 /* hexadecimal: a WAL file's name begins with them */

const char who_may_sql[] =
	"SELECT pg_catalog.bool_and(coalesce(pg_catalog.has_function_privilege("
	"pg_catalog.to_regprocedure(f)::pg_catalog.oid, 'EXECUTE'), false)) FROM unnest(ARRAY["
	"'pg_catalog.pg_control_system()', 'pg_catalog.pg_postmaster_start_time()', 'pg_catalog.pg_is_in_recovery()',"
	" 'pg_catalog.pg_current_wal_lsn()', 'pg_catalog.pg_walfile_name(pg_catalog.pg_lsn)']) f";

/* A slave has no current LSN: to ask it for one is an error. */
const char who_sql[] =
	"SELECT system_identifier, (extract(epoch FROM pg_catalog.pg_postmaster_start_time()) * 1000000)::bigint,"
	" (extract(epoch FROM pg_catalog.clock_timestamp() - pg_catalog.pg_postmaster_start_time()) * 1000)::bigint,"
	" CASE WHEN pg_catalog.pg_is_in_recovery() THEN NULL"
	" ELSE pg_catalog.pg_walfile_name(pg_catalog.pg_current_wal_lsn()) END"
	" FROM pg_catalog.pg_control_system()";

static enum who_next what_is_open(const struct who *who, enum observation_kind kind)
{
	if (who->origin.system != 0)
		return kind == OBSERVED_MASTER && !who->as_master ? WHO_ASK : WHO_NOTHING;
	if (who->known->may)
		return WHO_ASK;
	return who->looked ? WHO_NOTHING : WHO_MAY;
}

enum who_next who_ask(struct who *who, int server_version, enum observation_kind kind)
{
	enum who_next next;

	if (server_version < WHO_VERSION || who->known == NULL || who->known->refuses || who->failed)
		return WHO_NOTHING;
	if (kind == OBSERVED_SLAVE) /* if it becomes a master it is asked anew */
		who->as_master = who->origin.timeline != 0;
	next = what_is_open(who, kind);
	if (next == WHO_ASK && kind == OBSERVED_MASTER)
		who->as_master = true;
	return next;
}

void who_take_may(struct who *who, const PGresult *result)
{
	who->looked = true;
	who->known->may = PQresultStatus(result) == PGRES_TUPLES_OK && PQntuples(result) == 1 &&
			  strcmp(PQgetvalue(result, 0, 0), "t") == 0;
}

static uint32_t timeline_of(const char *file)
{
	char digits[TIMELINE_DIGITS + 1] = "";

	strncpy(digits, file, TIMELINE_DIGITS);
	return (uint32_t)strtoul(digits, NULL, 16);
}

/* Notes a refusal, so that it does not happen each time: it is an error in the server's log. */
static void who_refused(struct who *who, const PGresult *result)
{
	who->failed = true;
	if (sqlstate_is_locked(result_sqlstate(result)))
		return;
	who->known->may = false; /* the right was taken away: the next connection asks for it first */
	who->known->refuses = who->looked;
}

void who_take(struct who *who, const PGresult *result)
{
	if (PQresultStatus(result) != PGRES_TUPLES_OK || PQntuples(result) != 1 || PQnfields(result) != 4) {
		who_refused(who, result);
		return;
	}
	who->origin = (struct origin){
		.system = strtoll(PQgetvalue(result, 0, 0), NULL, 10),
		.started_us = strtoll(PQgetvalue(result, 0, 1), NULL, 10),
		.up_since_ms = clock_steady_ms() - strtoll(PQgetvalue(result, 0, 2), NULL, 10),
		.timeline = timeline_of(PQgetvalue(result, 0, 3)),
	};
	who->as_master = who->as_master || who->origin.timeline != 0;
}

void who_is_pooled(struct who *who)
{
	*who = (struct who){ 0 };
}
