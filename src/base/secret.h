/*
 * The configured passwords, which are blanked in what is quoted from servers, triggers and scripts.
 * One list for the process, under a lock of its own. Any thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/*
 * The passwords of the configuration, blanked from now on in what secret_scrub()
 * is given. Replaces the earlier ones; copies. Any thread.
 */
void secret_set(char *const *passwords, size_t count);

/*
 * A copy of `text` in which every configured password that stands as a whole
 * word is replaced by "***". The caller frees it. Any thread.
 */
char *secret_scrub(const char *text);

/* Whether `value` equals a configured password. Any thread. */
bool secret_is(const char *value);
