/*
 * Between the monitor's jury (monitor/jury.h) and the other monitors (council/polls.h): what the one asks or sees the others
 * are told, and what they say the jury is told. Monitor's loop.
 */
#pragma once

#include "daemon/inside.h"

/* What the council is given; its data is the daemon. */
extern const struct polls_events voting_polls;

/* Before the first monitor is made. What it returns is for the monitor; NULL: there is one monitor. */
struct jury *voting_begin(struct daemon *daemon);
void voting_end(struct daemon *daemon);

/* Whether this monitor acts may have changed. */
void voting_act(struct daemon *daemon);
