#include "pg/batch.h"

#include <string.h>

#include "pg/result.h"

/* ---- names ---- */

/* The place of a name among the connection's, from 1; 0: there is no room for it. */
static unsigned char place_of(struct batch *batch, const char *name)
{
	for (unsigned char i = 0; i < BATCH_NAMES; i++) {
		if (batch->names[i] == NULL)
			batch->names[i] = name;
		if (batch->names[i] == name)
			return i + 1;
	}
	return 0;
}

static bool has_name(const struct batch *batch, unsigned char place)
{
	return (batch->known & (1U << (place - 1))) != 0;
}

static void note_name(struct batch *batch, unsigned char place)
{
	batch->known = (unsigned char)(batch->known | (1U << (place - 1)));
}

/* ---- sending ---- */

static bool execute(PGconn *pg, const struct statement *statement, bool by_name)
{
	if (by_name)
		return PQsendQueryPrepared(pg, statement->name, statement->param_count, statement->params, NULL, NULL,
					   0) == 1;
	return PQsendQueryParams(pg, statement->sql, statement->param_count, NULL, statement->params, NULL, NULL, 0) == 1;
}

static bool queue(struct batch *batch, PGconn *pg, const struct statement *statement, size_t at)
{
	if (batch->sent[at].preparing && PQsendPrepare(pg, statement->name, statement->sql, 0, NULL) != 1)
		return false;
	return execute(pg, statement, batch->sent[at].name > 0) && (batch->sent[at].joined || PQpipelineSync(pg) == 1);
}

static void plan(struct batch *batch, const struct statement *statements, size_t count)
{
	unsigned char known = batch->known;

	batch->count = (unsigned char)count;
	for (size_t i = 0; i < count; i++) {
		bool by_name = statements[i].name != NULL && !batch->plain;
		unsigned char name = by_name ? place_of(batch, statements[i].name) : 0;

		batch->sent[i].tag = (int16_t)statements[i].tag;
		batch->sent[i].name = name;
		batch->sent[i].preparing = name > 0 && !has_name(batch, name);
		batch->sent[i].joined = statements[i].joined && i + 1 < count;
		if (name > 0)
			note_name(batch, name); /* a name that stands twice is prepared once */
	}
	batch->known = known;
}

bool batch_send(struct batch *batch, PGconn *pg, const struct statement *statements, size_t count)
{
	bool sent = true;

	batch->at = 0;
	batch->synced = 0;
	batch->is_prepared = false;
	batch->again = false;
	batch->count = 0;
	if (count == 0 || count > BATCH_STATEMENTS)
		return false;
	plan(batch, statements, count);
	batch->pipelined = count > 1 || batch->sent[0].preparing;
	if (!batch->pipelined)
		return execute(pg, &statements[0], batch->sent[0].name > 0);
	if (PQenterPipelineMode(pg) != 1)
		return false;
	for (size_t i = 0; i < count && sent; i++)
		sent = queue(batch, pg, &statements[i], i);
	return sent;
}

/* ---- results ---- */

/*
 * Forgets all prepared statements. None is prepared any more where the server loses them twice in a row, or has
 * those of other clients: a connection pool lies between.
 */
static void lose(struct batch *batch, bool for_ever)
{
	batch->known = 0;
	batch->plain = for_ever || batch->is_lost;
	batch->is_lost = true;
	batch->again = true;
}

/* Whether the error is about the prepared statement, not about what it does. */
static bool is_about_name(struct batch *batch, const PGresult *result)
{
	const char *sqlstate = result_sqlstate(result);
	const char *function = PQresultErrorField(result, PG_DIAG_SOURCE_FUNCTION);
	bool is_unknown = strcmp(sqlstate, "26000") == 0;   /* invalid_sql_statement_name */
	bool is_duplicate = strcmp(sqlstate, "42P05") == 0; /* duplicate_prepared_statement */
	/* "cached plan must not change result type": a column has another type than when it was prepared */
	bool is_stale = strcmp(sqlstate, "0A000") == 0 && function != NULL &&
			strcmp(function, "RevalidateCachedQuery") == 0;

	if (!is_unknown && !is_duplicate && !is_stale)
		return false;
	lose(batch, !is_unknown);
	return true;
}

/* Takes the result of a statement, or of its preparing. */
static enum batch_step take_answer(struct batch *batch, const PGresult *result, int *tag)
{
	bool was_prepared_here;
	bool is_preparing;
	unsigned char name;

	if (batch->at >= batch->count)
		return BATCH_MORE;
	name = batch->sent[batch->at].name;
	was_prepared_here = batch->sent[batch->at].preparing;
	is_preparing = was_prepared_here && !batch->is_prepared;
	batch->is_prepared = is_preparing;
	*tag = batch->sent[batch->at].tag;
	if (!is_preparing)
		batch->at++;
	if (PQresultStatus(result) == PGRES_PIPELINE_ABORTED)
		return BATCH_MORE;
	if (name > 0 && !result_is_ok(result) && is_about_name(batch, result))
		return BATCH_MORE;
	if (name > 0 && !was_prepared_here)
		batch->is_lost = false;
	if (name == 0 || !is_preparing || !result_is_ok(result))
		return BATCH_RESULT;
	note_name(batch, name);
	return BATCH_MORE;
}

/* Takes the answer to a Sync: the statements before it are done, whether or not they have failed. */
static enum batch_step take_sync(struct batch *batch)
{
	while (batch->synced < batch->count && batch->sent[batch->synced].joined)
		batch->synced++;
	batch->synced++;
	batch->at = batch->synced;
	batch->is_prepared = false;
	return batch->synced < batch->count ? BATCH_MORE : BATCH_DONE;
}

enum batch_step batch_take(struct batch *batch, const PGresult *result, int *tag)
{
	if (PQresultStatus(result) == PGRES_PIPELINE_SYNC)
		return take_sync(batch);
	return take_answer(batch, result, tag);
}

bool batch_is_to_repeat(const struct batch *batch)
{
	return batch->again;
}
