/* Where what the monitors share stands in etcd, behind the prefix (`monitors.prefix`). The state's keys are core/saved_keys.h's. */
#pragma once

#define PLACE_LEAD "lead"          /* who acts, with its lease; its create_revision is the term */
#define PLACE_MONITORS "monitors/" /* a monitor's name follows: who there is, each with its lease */
#define PLACE_STATE "state/"
#define PLACE_EVENTS "events/"     /* twelve digits follow */
