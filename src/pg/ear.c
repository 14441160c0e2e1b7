#include "pg/ear.h"

#include <string.h>

#include "pg/result.h"

bool ear_may_ask(const struct config *config, const struct table_known *table)
{
	return config->second_opinion && !table->deaf;
}

bool ear_take(struct table_known *table, const PGresult *result, struct hearing *hearing)
{
	if (hearing_read(result, hearing))
		return true;
	if (strncmp(result_sqlstate(result), "42", 2) == 0)
		table->deaf = true;
	return false;
}
