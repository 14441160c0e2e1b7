#include "daemon/fits.h"

#include "base/log.h"
#include "system/descriptors.h"

/* 256 connections; 32 for its loop, its listeners, and what it accepts only to refuse it */
#define OF_WINDOW (256 + 32)

void fits_reserve(const struct config *config)
{
	bool has_window = config->http.listen_count > 0 || config->http.agent != NULL;

	descriptors_reserve(config->trigger_parallel, has_window ? OF_WINDOW : 0);
}

void fits_say(const struct config *config)
{
	size_t fit;

	fits_reserve(config);
	fit = descriptors_fit();
	if (config->node_count > fit)
		log_error("about %zu of %zu nodes fit into %zu descriptors: the others cannot be asked;"
			  " cure: a greater limit (LimitNOFILE= of the unit, ulimit -Hn)",
			  fit, config->node_count, descriptors_limit());
}
