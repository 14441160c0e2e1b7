/* `plusmoin silence` sets, lists and ends silences. */
#pragma once

#include "command/verbs.h"

/*
 * Has the running daemon set a silence, list those that there are, or end one, as the call says. Returns the exit status: 1
 * without a daemon, or when it refuses; 2, wrong usage.
 */
int command_silence(const struct verb_call *call);
