/*
 * Joins the monitor's jury (monitor/jury.h) with the other monitors (council/polls.h): they are told what the jury
 * asks and sees, and the jury is told what they say. Monitor's loop.
 */
#pragma once

#include "daemon/inside.h"

/* What the council is given, to be told of the other monitors; its data is the daemon. */
extern const struct polls_events voting_polls;

/*
 * Makes the jury, before the first `struct monitor` is made, which is given what it returns. NULL: this monitor is
 * alone.
 */
struct jury *voting_begin(struct daemon *daemon);
void voting_end(struct daemon *daemon);

/* Tells the jury whether this monitor acts, as that may have changed. */
void voting_act(struct daemon *daemon);
