/*
 * What the daemon itself adds to the meters (core/meters.h): loads of the configuration, the memory of the script host,
 * and whether this monitor acts. Monitor's loop.
 */
#pragma once

#include "core/meters.h"
#include "council/council.h"
#include "script/hosts.h"

/* A load of the configuration has ended; `good`: it is in force now. */
void measured_load(struct meters *meters, bool good);

/* Who acts has changed, or whether etcd can be asked. Not called where this monitor is alone. */
void measured_stand(struct meters *meters, const struct council *council);

/* Measures the script host's memory; called now and then. */
void measured_beat(struct meters *meters, const struct hosts *hosts);
