/*
 * From a file to struct config: runs plusmoin.config in an engine's Lua state.
 * Blocking; on the script host's thread, or in a short-lived program
 * (`plusmoin status`).
 */
#pragma once

#include "core/config.h"

struct load_report {
	char **errors; /* complete lines */
	size_t error_count;
	char **warnings;
	size_t warning_count;
	/* what could be read of these, else the defaults; the contract's `stop`, `status` */
	char *status_file;
	char *control_socket;
};

/*
 * The configuration, or NULL when `report` has errors, one of which may be that
 * it took longer than `ms`. The report is the caller's to free.
 */
struct engine;
struct config *load_config(struct engine *engine, const char *path, int64_t ms,
			   struct load_report *report);
void load_report_free(struct load_report *report);
