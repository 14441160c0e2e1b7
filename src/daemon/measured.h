/*
 * What the daemon itself adds to the meters (core/meters.h): loads of the configuration, and the memory of the script
 * host. Monitor's loop.
 */
#pragma once

#include "core/meters.h"
#include "script/hosts.h"

/* A load of the configuration has ended; `good`: it is in force now. */
void measured_load(struct meters *meters, bool good);

/* Measures the script host's memory; called now and then. */
void measured_beat(struct meters *meters, const struct hosts *hosts);
