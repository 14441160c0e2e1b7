/*
 * Joins the silences in force (quiet.h) with the daemon's other parts, and, with several monitors, with the silences
 * in etcd (council/hush.h). Monitor's loop.
 */
#pragma once

#include "daemon/inside.h"

/* What the shift is given, to be told of the silences in etcd; its data is the daemon. */
extern const struct hush_events hushing_events;

/* Makes the daemon's `quiet`. */
void hushing_begin(struct daemon *daemon);

/* Brings the silences of the state file in force; with several monitors it writes them to etcd, too. */
void hushing_inherit(struct daemon *daemon);

/* Lets requests set and end silences from now on; the control socket must be open. */
void hushing_open(struct daemon *daemon);
