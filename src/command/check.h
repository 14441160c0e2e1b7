/* `plusmoin check` and `plusmoin init-sql`: what will work, and what makes it work. */
#pragma once

#include <stdbool.h>

/*
 * Drops privileges, validates the configuration, asks all nodes at once and prints
 * what it found. The exit status: 1 when something would not work, 3 a bad
 * configuration. `config_path` is absolute.
 */
int command_check(const char *config_path, bool as_json);

/* Prints the SQL and the pg_hba lines that the configuration needs. The exit status. */
int command_init_sql(const char *config_path);
