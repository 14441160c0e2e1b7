/*
 * The configured passwords, which are blanked in what is quoted from servers, triggers and scripts:
 * those of every load that somebody still holds. A change makes a new matcher, which is never changed
 * again; who looks at a text takes a reference of it and holds no lock meanwhile. Any thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* The passwords of one load of the configuration; counted. */
struct secrets;

/*
 * These passwords are blanked from now on, until the last reference is dropped. Copies them; empty
 * ones are no passwords. The caller holds one reference.
 */
struct secrets *secrets_new(char *const *passwords, size_t count);
struct secrets *secrets_ref(struct secrets *secrets);

/* Drops one reference; NULL allowed, clears the pointer. */
void secrets_unref(struct secrets **secrets);

/*
 * A copy of the first `bytes` bytes of `text` (or of all, if it is shorter; cut at a character) in which
 * every password that begins there and stands as a whole word is replaced by "***". The caller frees it.
 * What lies behind costs nothing: who keeps a part of a text says so here and does not cut it before,
 * since half a password is not blanked.
 */
char *secret_scrub(const char *text, size_t bytes);

/* The same into `out` of `size` bytes, as text_copy(); NULL is no text. */
void secret_copy(char *out, size_t size, const char *text);

/* Whether `value` equals a configured password. */
bool secret_is(const char *value);
