/*
 * Signals as whoever starts us has left them. A mask and what is ignored go through exec: with
 * SIGTERM blocked nothing could end us, with SIGCHLD blocked or ignored no trigger would ever
 * have ended.
 */
#pragma once

#include <stdbool.h>

/*
 * Nothing is blocked, and all have their default dispositions; but for SIGHUP, SIGINT and SIGQUIT
 * that are ignored, which is meant for a program in the background (nohup, &), unless `all`. The
 * first thing in a program, with one thread.
 */
void signals_reset(bool all);
