/*
 * What runs and what waits, for who asks over the control socket, and the end of one of these by hand. With several
 * monitors these are the runs of the one that acts; another one has only what it runs alone, or still ends. Monitor's
 * loop.
 */
#pragma once

#include "daemon/inside.h"

#define RUNLIST_ROWS 1000 /* listed at the most: what runs first, then what waits, the oldest first */
#define RUNLIST_NAMED 10  /* ids that are named to who asks for one that is not there */

/* Puts in what answers when the control socket is asked for runs, or to end one; `data` is the daemon. */
void runlist_answers(struct requests *requests);
