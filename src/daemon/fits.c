#include "daemon/fits.h"

#include "base/log.h"
#include "system/descriptors.h"

void fits_say(const struct config *config)
{
	size_t fit;

	descriptors_reserve(config->trigger_parallel);
	fit = descriptors_fit();
	if (config->node_count > fit)
		log_error("about %zu of %zu nodes fit into %zu descriptors: the others cannot be asked;"
			  " cure: a greater limit (LimitNOFILE= of the unit, ulimit -Hn)",
			  fit, config->node_count, descriptors_limit());
}
