/* Whether the nodes of a configuration and all else fit into the descriptors that we may have. */
#pragma once

#include "core/config.h"

/*
 * Reserves the descriptors (descriptors.h) that the configuration's commands need, and its window where there is one.
 */
void fits_reserve(const struct config *config);

/* Reserves them, too, and logs one error when not all nodes fit beside them. */
void fits_say(const struct config *config);
