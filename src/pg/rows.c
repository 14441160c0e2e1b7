#include "pg/rows.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define NO_VALUE UINT32_MAX

static void take_columns(struct rows *rows, const PGresult *result)
{
	rows->column_count = (size_t)PQnfields(result);
	rows->columns = mem_zalloc(rows->column_count, sizeof(*rows->columns));
	for (size_t i = 0; i < rows->column_count; i++) {
		rows->columns[i].name = mem_strdup(PQfname(result, (int)i));
		rows->columns[i].type = PQftype(result, (int)i);
	}
}

static void take_row(struct rows *rows, const PGresult *result, int row)
{
	for (size_t i = 0; i < rows->column_count; i++) {
		bool is_null = PQgetisnull(result, row, (int)i) != 0;
		uint32_t len = is_null ? NO_VALUE : (uint32_t)PQgetlength(result, row, (int)i);

		buf_add(&rows->values, &len, sizeof(len));
		if (!is_null) /* with its terminating zero */
			buf_add(&rows->values, PQgetvalue(result, row, (int)i), (size_t)len + 1);
	}
	rows->count++;
}

bool rows_take(struct rows *rows, const PGresult *result)
{
	const char *command = PQcmdStatus((PGresult *)result);
	int count = PQntuples(result);

	if (rows->complete)
		rows_free(rows);
	if (rows->columns == NULL && PQnfields(result) > 0)
		take_columns(rows, result);
	for (int row = 0; row < count; row++) {
		take_row(rows, result, row);
		if (rows->values.len > ROWS_BYTES)
			return false;
	}
	if (PQresultStatus(result) == PGRES_SINGLE_TUPLE)
		return true;
	rows->complete = true;
	rows->command = mem_strdup(command);
	if (rows->column_count == 0)
		rows->count = strtoul(PQcmdTuples((PGresult *)result), NULL, 10);
	return true;
}

struct value rows_next(const struct rows *rows, size_t *at)
{
	struct value value = { 0 };
	uint32_t len;

	memcpy(&len, rows->values.data + *at, sizeof(len));
	*at += sizeof(len);
	if (len == NO_VALUE)
		return value;
	value.text = rows->values.data + *at;
	value.len = len;
	*at += (size_t)len + 1;
	return value;
}

void rows_free(struct rows *rows)
{
	for (size_t i = 0; i < rows->column_count; i++)
		free(rows->columns[i].name);
	free(rows->columns);
	free(rows->command);
	buf_free(&rows->values);
	*rows = (struct rows){ 0 };
}
