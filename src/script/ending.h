/* Says in words for people how a run ended that failed or was stopped. Host's thread. */
#pragma once

#include "script/run.h"

/*
 * `what` ended the run, with a traceback, passwords blanked. `what` NULL: the error object on top of the run's
 * coroutine, whose text may be made by the user's __tostring. The caller frees it.
 */
char *ending_text(struct run *run, const char *what);

/* Does the same for a run that must not go on; run->doom says why. */
char *ending_of_doom(struct run *run);

/*
 * Where the hook stopped the run ("file:line"). A run that was refused memory may not have come to the hook; then where
 * it is. The run's.
 */
const char *ending_place(struct run *run);
