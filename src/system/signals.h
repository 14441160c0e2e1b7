/*
 * The signals that whoever started us has blocked or ignored, which passes through exec: with
 * SIGTERM blocked nothing could end us, with SIGCHLD blocked or ignored no trigger would ever
 * be seen to end.
 */
#pragma once

#include <stdbool.h>

/*
 * Unblocks all signals and gives them their default dispositions. Unless `all` is set, SIGHUP, SIGINT and
 * SIGQUIT stay ignored where they are, because that is meant for a program in the background (nohup, &).
 * Called first in a program, while it has one thread.
 */
void signals_reset(bool all);
