/*
 * The silences (core/silences.h) that are in force in this daemon. Each ends by itself when its time is over, and is
 * logged when it begins and when it ends; who shows or stores silences is told. Monitor's loop.
 */
#pragma once

#include <uv.h>

#include "core/meters.h"
#include "core/silences.h"

struct quiet;

/* Calls `changed` when other silences are in force than before. The meters outlive it. */
struct quiet *quiet_new(uv_loop_t *loop, struct meters *meters, void (*changed)(void *data), void *data);

/* Brings the silences of an earlier run in force; those that are over are left out. */
void quiet_inherit(struct quiet *quiet, const struct silences *silences);

/* Puts `silences` in the place of all that are in force; those that are over are left out. */
void quiet_take(struct quiet *quiet, const struct silences *silences);

/* Brings a copy of the silence in force, in the place of one of the same target. False: there are too many. */
bool quiet_put(struct quiet *quiet, const struct silence *silence);

/*
 * Ends the silence of this target; the log says that `by` has (NULL: this monitor does not know who). False: there is
 * none.
 */
bool quiet_drop(struct quiet *quiet, const struct silence *like, const char *by);

/* All that are in force, and perhaps some that are over; they live as long as `quiet`. */
const struct silences *quiet_all(const struct quiet *quiet);

/* A number that changes when other silences are in force. */
unsigned long quiet_generation(const struct quiet *quiet);

/* Notes in an event that has fired in which silence it falls, if it is in one. */
void quiet_mark(const struct quiet *quiet, struct event *event);

/* Ends no more silences by their time, so that nobody is told any more. Those in force stay. */
void quiet_stop(struct quiet *quiet);

/* NULL allowed; clears the pointer. */
void quiet_free(struct quiet **quiet);
