/* The prober of real servers (pg/probe.h). */
#pragma once

#include "monitor/prober.h"

extern const struct prober live_prober;
