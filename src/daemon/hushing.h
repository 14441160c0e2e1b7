/* What silences mean for the daemon's other parts, and with several monitors for the others. Monitor's loop. */
#pragma once

#include "daemon/inside.h"

/* For the shift. */
extern const struct hush_events hushing_events;

/* Makes the daemon's `quiet`. */
void hushing_begin(struct daemon *daemon);

/* What the state file held is in force; with several monitors it is written to etcd, too. */
void hushing_inherit(struct daemon *daemon);

/* From now on requests set and end silences; the control socket is there. */
void hushing_open(struct daemon *daemon);
