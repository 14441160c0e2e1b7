/* How a run has ended that did not end well, in words for people. Host's thread. */
#pragma once

#include "script/run.h"

/*
 * What ended the run, with a traceback, passwords blanked; `what` NULL: the error object on top of its coroutine,
 * whose text users' code may make. The caller frees it.
 */
char *ending_text(struct run *run, const char *what);

/* The same of a run that must not go on. */
char *ending_of_doom(struct run *run);

/*
 * Where the hook stopped it ("file:line"). Where it was refused memory no hook has run: then where it is. The run's.
 */
const char *ending_place(struct run *run);
