/* Whether the nodes of a configuration and all else fit into the descriptors that we may have. */
#pragma once

#include "core/config.h"

/* Makes the reserve that the configuration needs: for its commands, and for the window where there is one. */
void fits_reserve(const struct config *config);

/* Makes the reserve that the configuration needs (descriptors.h); one error when nodes do not fit. */
void fits_say(const struct config *config);
