/* Where what the monitors share stands in etcd, behind the prefix (`monitors.prefix`). The state's keys are core/saved_keys.h's. */
#pragma once

#define KEY_LEAD "lead"          /* who acts, with its lease; its create_revision is the term */
#define KEY_MONITORS "monitors/" /* a monitor's name follows: who there is, each with its lease */
#define KEY_STATE "state/"
#define KEY_ASK "ask/"           /* a node's id follows: who acts asks what the others see of it (slip.h) */
#define KEY_SEE "see/"           /* a monitor's name, a slash and a node's id follow: what it sees of it */
#define KEY_EVENTS "events/"     /* twelve digits follow */
#define KEY_SILENCES "silences/" /* what one is about follows (core/silences.h), without a lease */
