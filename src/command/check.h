/* `plusmoin check` says what will work and what will not; `plusmoin init-sql` prints what makes it work. */
#pragma once

#include <stdbool.h>

/*
 * Drops privileges, validates the configuration, asks all nodes at once and prints what it found. Returns the exit
 * status: 1 when something would not work, 3 for a bad configuration. `config_path` is absolute.
 */
int command_check(const char *config_path, bool as_json);

/* Prints the SQL and the pg_hba lines that the configuration needs. Returns the exit status. */
int command_init_sql(const char *config_path);
