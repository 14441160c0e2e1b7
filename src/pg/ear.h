/*
 * Whether a slave may be asked what it hears of its master (P6), and the taking of its answer. Monitor thread.
 */
#pragma once

#include "core/config.h"
#include "pg/hearing.h"
#include "pg/table.h"

/* What was refused once is not asked again: it would be an error in the server's log each time. */
bool ear_may_ask(const struct config *config, const struct table_known *table);

/* Reads the answer. False: there is none, and where the server refused it that is noted. */
bool ear_take(struct table_known *table, const PGresult *result, struct hearing *hearing);
