/* A verb that asks the running daemon and shows what it says: the request, the answer or what is wrong, a table of it. */
#pragma once

#include <jansson.h>
#include <stdbool.h>

#include "base/buf.h"

/*
 * Sends the line `request` to the control socket. The answer's text in `text`, whatever was there; false, after a
 * message: there is none, or it is an error. `*tree`, of which it is a reference for the caller anyway, may be NULL.
 * Blocking: ASK_MS.
 */
bool dialog_ask(const char *socket, const char *request, struct buf *text, json_t **tree);

/*
 * Prints what this function of require "plusmoin.MODULE" makes of an answer and of the present time (epoch
 * seconds); false, after a message: it cannot be shown.
 */
bool dialog_print(const char *module, const char *function, const char *answer);
