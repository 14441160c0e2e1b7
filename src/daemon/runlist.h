/*
 * Lists what runs and what waits for who asks over the control socket, and ends one of these by hand. With several
 * monitors the one that acts has the runs of triggers; another one has only code at its own console, and what is
 * still ending. Monitor's loop.
 */
#pragma once

#include "daemon/inside.h"

#define RUNLIST_ROWS 1000 /* rows that are listed at most: what runs first, then what waits, the oldest first */
#define RUNLIST_NAMED 10  /* ids that are named to who asks for a run that is not there */

/* Sets the functions that answer "runs" and "runs_kill"; their data is the daemon. */
void runlist_answers(struct requests *requests);
