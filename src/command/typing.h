/*
 * Reads lines that somebody types in a terminal, with editing, history and completion by libedit. There is one at a
 * time. For verbs; blocking.
 */
#pragma once

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

struct typing;

/* Appends the words that could stand in place of `word` to `words`, one a line. */
typedef void typing_complete(void *data, const char *word, struct buf *words);

enum typed { TYPED_LINE, TYPED_INTERRUPT, TYPED_END };

/*
 * Begins on stdin and stdout, which are a terminal. `history` (NULL: none) is the file that keeps what was typed.
 * `interrupted` is set by the caller's handler of SIGINT. NULL: libedit cannot use the terminal.
 */
struct typing *typing_new(const char *history, volatile sig_atomic_t *interrupted, typing_complete *complete, void *data);

/*
 * Shows `prompt` and reads a line, without its end, into `line`. TYPED_INTERRUPT: Ctrl-C was typed; TYPED_END: Ctrl-D.
 */
enum typed typing_read(struct typing *typing, const char *prompt, struct buf *line);

/* Adds the text to the history. */
void typing_remember(struct typing *typing, const char *text);

/* Writes the history; clears the pointer. */
void typing_free(struct typing **typing);
