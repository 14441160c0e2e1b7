/*
 * Second opinions (rule P6, `second_opinion`): when the way to a sitting master fails, and the monitor is not
 * isolated, its slaves are asked whether they still hear it. First when its answer is late, then when the failure would
 * count, and as long as they vouch for it, again and again. Nothing is asked while all is well, nor of a master that has
 * crashed or hangs. Monitor thread.
 */
#pragma once

#include "core/vouch.h"
#include "monitor/node.h"

#define WITNESS_PATIENCE_MS 100 /* a slave that is silent for so long has no opinion */
#define WITNESS_APART_MS 200    /* the second look begins so long after the first */
#define WITNESS_PACE 4          /* looks in the time for which a vouch holds, each */
#define WITNESS_SOONEST_MS 100  /* so often at most, */
#define WITNESS_LATEST_MS 1000  /* and at least */

/* It becomes a gate of the watches', behind isolation's; before the first of them looks. */
void witness_open(struct watches *watches);
