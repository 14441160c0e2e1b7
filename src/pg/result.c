#include "pg/result.h"

#include <stdlib.h>

#include "base/secret.h"
#include "base/text.h"
#include "pg/evidence.h"

const char *result_sqlstate(const PGresult *result)
{
	const char *sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);

	return sqlstate != NULL ? sqlstate : "";
}

bool result_is_ok(const PGresult *result)
{
	ExecStatusType status = PQresultStatus(result);

	return status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK;
}

void result_words(const PGresult *result, char *out, size_t size)
{
	const char *words = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
	char *clean = words != NULL ? secret_scrub(words, size)
				    : evidence_words(PQresultErrorMessage(result));

	text_copy(out, size, clean);
	free(clean);
}
