/*
 * For verbs that ask the running daemon: sends the request, and prints the answer, as a table or as the error that it
 * is.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>

#include "base/buf.h"

/*
 * Sends the line `request` to the control socket, and puts the answer into `text`, in place of what was there. `*tree`
 * is the answer, a reference for the caller, which may be NULL. False, after a message: there is no answer, or it is
 * an error. Blocking: ASK_MS.
 */
bool dialog_ask(const char *socket, const char *request, struct buf *text, json_t **tree);

/*
 * Prints what this function of require "plusmoin.MODULE" makes of an answer and of the present time (epoch seconds).
 * False, after a message: the answer cannot be shown.
 */
bool dialog_print(const char *module, const char *function, const char *answer);
