#include "pg/batch.h"

#include <string.h>

#include "pg/result.h"

/* ---- names ---- */

static bool has_name(const struct batch *batch, const char *name)
{
	for (size_t i = 0; i < BATCH_NAMES; i++) {
		if (batch->names[i] == name)
			return true;
	}
	return false;
}

static bool has_room(const struct batch *batch)
{
	return has_name(batch, NULL);
}

static void note_name(struct batch *batch, const char *name)
{
	for (size_t i = 0; i < BATCH_NAMES && !has_name(batch, name); i++) {
		if (batch->names[i] == NULL)
			batch->names[i] = name;
	}
}

static void forget_names(struct batch *batch)
{
	memset(batch->names, 0, sizeof(batch->names));
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
	bool by_name = batch->sent[at].name != NULL;

	if (batch->sent[at].preparing && PQsendPrepare(pg, statement->name, statement->sql, 0, NULL) != 1)
		return false;
	return execute(pg, statement, by_name) && (batch->sent[at].joined || PQpipelineSync(pg) == 1);
}

/* A name that stands twice in a batch is prepared before the first of them. */
static bool is_prepared_before(const struct batch *batch, const char *name, size_t at)
{
	for (size_t i = 0; i < at; i++) {
		if (batch->sent[i].name == name)
			return true;
	}
	return has_name(batch, name);
}

static void plan(struct batch *batch, const struct statement *statements, size_t count)
{
	batch->count = (unsigned char)count;
	for (size_t i = 0; i < count; i++) {
		const char *name = statements[i].name;

		if (batch->plain || (name != NULL && !has_name(batch, name) && !has_room(batch)))
			name = NULL;
		batch->sent[i].tag = statements[i].tag;
		batch->sent[i].name = name;
		batch->sent[i].preparing = name != NULL && !is_prepared_before(batch, name, i);
		batch->sent[i].joined = statements[i].joined && i + 1 < count;
	}
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
		return execute(pg, &statements[0], batch->sent[0].name != NULL);
	if (PQenterPipelineMode(pg) != 1)
		return false;
	for (size_t i = 0; i < count && sent; i++)
		sent = queue(batch, pg, &statements[i], i);
	return sent;
}

/* ---- results ---- */

/* A server that loses prepared statements twice in a row, or has some of other clients, is a pool's: none from now on. */
static void lose(struct batch *batch, bool for_ever)
{
	forget_names(batch);
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

/* The result of a statement, or of its preparing. */
static enum batch_step take_answer(struct batch *batch, const PGresult *result, int *tag)
{
	bool was_prepared_here;
	bool is_preparing;
	const char *name;

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
	if (name != NULL && !result_is_ok(result) && is_about_name(batch, result))
		return BATCH_MORE;
	if (name != NULL && !was_prepared_here)
		batch->is_lost = false;
	if (!is_preparing || !result_is_ok(result))
		return BATCH_RESULT;
	note_name(batch, name);
	return BATCH_MORE;
}

/* A Sync was answered: the statements up to it are done, whatever came of them. */
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
