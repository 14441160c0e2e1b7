/*
 * What the daemon's parts tell each other while it watches: the monitor's events go to people, to the dispatch, or, with
 * several monitors, by the shift. Monitor's loop.
 */
#pragma once

#include "daemon/inside.h"

/* Makes the dispatch and the monitor, and joins the other monitors. False: it cannot join them. */
bool watching_begin(struct daemon *daemon);

/* Puts in what answers when the control socket is asked for the monitors; `data` is the daemon. There is a shift. */
void watching_answers(struct requests *requests);

/* All is there: says so to who has started us, when our name is known to be ours. */
void watching_is_up(struct daemon *daemon);
