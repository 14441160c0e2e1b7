/* Whether the nodes of a configuration and all else fit into the descriptors that we may have. */
#pragma once

#include "core/config.h"

/* Makes the reserve that the configuration needs (descriptors.h); one error when nodes do not fit. */
void fits_say(const struct config *config);
