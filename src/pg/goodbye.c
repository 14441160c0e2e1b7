#include "pg/goodbye.h"

#include <string.h>

#include "base/secret.h"
#include "base/text.h"
#include "base/words.h"

void goodbye_begin(struct goodbye *goodbye)
{
	*goodbye = (struct goodbye){ .words = words_none };
}

void goodbye_end(struct goodbye *goodbye)
{
	words_forget(&goodbye->words);
}

void goodbye_say(struct goodbye *goodbye, const char *sqlstate, const char *words)
{
	char clean[MESSAGE_BYTES];

	text_copy(goodbye->sqlstate, sizeof(goodbye->sqlstate), sqlstate);
	secret_copy(clean, sizeof(clean), words);
	words_keep(&goodbye->words, clean, sizeof(clean));
}

void goodbye_take(struct goodbye *goodbye, const PGresult *result)
{
	const char *sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);
	const char *function = PQresultErrorField(result, PG_DIAG_SOURCE_FUNCTION);

	if (sqlstate == NULL || (strcmp(sqlstate, "57P01") != 0 && strcmp(sqlstate, "57P02") != 0))
		return;
	goodbye_say(goodbye, sqlstate, PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY));
	/* a backend says 57P01 (in secure_read, secure_write) also when its postmaster was killed: that is no stop */
	goodbye->going = strcmp(sqlstate, "57P02") == 0 || function == NULL ||
			 strncmp(function, "secure_", strlen("secure_")) != 0;
}
