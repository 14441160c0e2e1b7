/*
 * Passes on what the daemon's parts tell each other while it watches: the monitor's events go to people and to the
 * dispatch, with several monitors by way of the shift (shift.h). Monitor's loop.
 */
#pragma once

#include "daemon/inside.h"

/* Makes the dispatch and the monitor, and joins the other monitors. False: it cannot join them. */
bool watching_begin(struct daemon *daemon);

/* Sets the functions that answer requests about several monitors; their data is the daemon. There must be a shift. */
void watching_answers(struct requests *requests);

/*
 * Tells who has started the daemon that it is up; with several monitors only when etcd has confirmed its name, or
 * after a time.
 */
void watching_is_up(struct daemon *daemon);
