/*
 * From a file to struct config: runs plusmoin.config in a Lua state. Blocking;
 * on the script host's thread, or in a short-lived program (`plusmoin status`).
 */
#pragma once

#include "core/config.h"
#include "script/state.h"

struct load_report {
	char **errors; /* complete lines */
	size_t error_count;
	char **warnings;
	size_t warning_count;
	/* what could be read of these, else the defaults; the contract's `stop`, `status` */
	char *status_file;
	char *control_socket;
};

/* The configuration, or NULL when `report` has errors. The report is the caller's to free. */
struct config *load_config(lua_State *L, const char *path, struct load_report *report);
void load_report_free(struct load_report *report);
