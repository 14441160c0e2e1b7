/*
 * The configured passwords, which are blanked in what is quoted from servers, triggers and scripts:
 * those of every load of the configuration that is still referenced. No lock is held while a text is
 * searched. Any thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* The passwords of one load of the configuration; counted. */
struct secrets;

/*
 * Has these passwords blanked from now on, until the last reference is dropped. Copies them; empty
 * ones are no passwords. Returns one reference, the caller's.
 */
struct secrets *secrets_new(char *const *passwords, size_t count);
struct secrets *secrets_ref(struct secrets *secrets);

/* Drops one reference; NULL allowed, clears the pointer. */
void secrets_unref(struct secrets **secrets);

/*
 * Returns a copy of the first `bytes` bytes of `text` (of all, if it is shorter; cut at a character) in which
 * every password that begins there and is a whole word is replaced by "***". The caller frees it.
 * A caller that keeps a part of a text gives the length of the part here and does not cut the text itself,
 * because half a password would not be blanked.
 */
char *secret_scrub(const char *text, size_t bytes);

/* The same into `out` of `size` bytes, as text_copy(); NULL gives "". */
void secret_copy(char *out, size_t size, const char *text);

/* Whether `value` equals a configured password. */
bool secret_is(const char *value);
