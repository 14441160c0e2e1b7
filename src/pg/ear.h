/*
 * Whether a slave may be asked what it hears of its master (P6), and the taking of its answer. Monitor thread.
 */
#pragma once

#include "core/config.h"
#include "pg/hearing.h"
#include "pg/table.h"

/* False, too, where a server has refused it: each refusal is an error in the server's log. */
bool ear_may_ask(const struct config *config, const struct table_known *table);

/* Reads the answer. False: it is an error; one for want of a right (42501, ...) is noted in `table`. */
bool ear_take(struct table_known *table, const PGresult *result, struct hearing *hearing);
