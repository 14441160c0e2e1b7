/*
 * The keys of what the monitors share in etcd, without the prefix (`monitors.prefix`). Those below KEY_STATE are in
 * core/saved_keys.h.
 */
#pragma once

#define KEY_LEAD "lead"          /* the monitor that acts, with its lease; the key's create_revision is the term */
#define KEY_MONITORS "monitors/" /* and a monitor's name: that monitor's entry, with its lease */
#define KEY_STATE "state/"
#define KEY_ASK "ask/"           /* and a node's id: the acting monitor's question what the others see of it (slip.h) */
#define KEY_SEE "see/"           /* and a monitor's name, a slash, a node's id: what that monitor sees of that node */
#define KEY_VALUES "pm.state/"   /* and the name of a value of pm.state (values.h) */
#define KEY_EVENTS "events/"     /* and twelve digits, the event's number */
#define KEY_SILENCES "silences/" /* and the silence's target (core/silences.h), without a lease */
