/*
 * Second opinions (rule P6, `second_opinion`): when the way to a sitting master fails, and the monitor is not
 * isolated, its slaves are asked whether they still hear it. One look asks them all: the first when the master's answer
 * is late, the second when the failure would count, and more as long as they vouch for it. Nothing is asked while all
 * is well, nor of a master that has crashed or hangs. Monitor thread.
 */
#pragma once

#include "core/vouch.h"
#include "monitor/node.h"

#define WITNESS_PATIENCE_MS 100 /* a slave that is silent for so long has no opinion */
#define WITNESS_APART_MS 200    /* the second look begins so long after the first */
#define WITNESS_PACE 4          /* how many looks begin in the time for which a vouch holds */
#define WITNESS_SOONEST_MS 100  /* the shortest time between two of them */
#define WITNESS_LATEST_MS 1000  /* the longest time between two of them */

/* Adds it to the watches as a gate, behind isolation's; to be called before the first look. */
void witness_open(struct watches *watches);
