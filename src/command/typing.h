/*
 * Lines that somebody types in a terminal: editing, history and completion by libedit. Only one at a time. For verbs;
 * blocking.
 */
#pragma once

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

struct typing;

/* Appends the words that could stand in place of `word` to `words`, a line each. */
typedef void typing_complete(void *data, const char *word, struct buf *words);

enum typed { TYPED_LINE, TYPED_INTERRUPT, TYPED_END };

/*
 * On stdin and stdout, which are a terminal. `history` (NULL: none): the file that keeps what was typed. `interrupted`
 * is set by the caller's handler of SIGINT. NULL: libedit cannot.
 */
struct typing *typing_new(const char *history, volatile sig_atomic_t *interrupted, typing_complete *complete, void *data);

/* Shows `prompt` and reads a line, without its end, into `line`; or Ctrl-C was typed, or Ctrl-D. */
enum typed typing_read(struct typing *typing, const char *prompt, struct buf *line);

/* Keeps this in the history. */
void typing_remember(struct typing *typing, const char *text);

/* Writes the history; clears the pointer. */
void typing_free(struct typing **typing);
