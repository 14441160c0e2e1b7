/*
 * The silences (core/silences.h) that this daemon goes by: each is logged when it begins and when it is over, and ends by
 * itself; whoever shows or stores them is told. Monitor's loop.
 */
#pragma once

#include <uv.h>

#include "core/meters.h"
#include "core/silences.h"

struct quiet;

/* `changed` is called when others are in force. The meters outlive it. */
struct quiet *quiet_new(uv_loop_t *loop, struct meters *meters, void (*changed)(void *data), void *data);

/* Those that an earlier run knew; what is over is left out. */
void quiet_inherit(struct quiet *quiet, const struct silences *silences);

/* From now on these, all of them, are in force, but for those that are over. */
void quiet_take(struct quiet *quiet, const struct silences *silences);

/* One more, copied; one of the same target goes. False: there are too many. */
bool quiet_put(struct quiet *quiet, const struct silence *silence);

/* That of this target ends, as `by` says (NULL: nobody here knows who). False: there is none. */
bool quiet_drop(struct quiet *quiet, const struct silence *like, const char *by);

/* All that are in force, and perhaps some that are over. They live as long as this. */
const struct silences *quiet_all(const struct quiet *quiet);

/* Another number: others are in force. */
unsigned long quiet_generation(const struct quiet *quiet);

/* Notes in the event that has fired in which silence it falls, if it is in one. */
void quiet_mark(const struct quiet *quiet, struct event *event);

/* Nobody is told any more. The silences stay. */
void quiet_stop(struct quiet *quiet);

/* NULL allowed; clears the pointer. */
void quiet_free(struct quiet **quiet);
