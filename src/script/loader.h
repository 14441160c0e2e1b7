/*
 * The loader makes struct config from a file: it runs plusmoin.config in an engine's
 * Lua state. Blocking; on the script host's thread, or in a short-lived program
 * (`plusmoin status`).
 */
#pragma once

#include "core/config.h"

/* How a load differs from an ordinary one; all zero: not at all. */
struct load_options {
	const char *text; /* the file's content, when the caller has read it */
	size_t text_len;
	bool names_only; /* only the files' names are wanted, so the files of Lua triggers are not run */
	bool programs_unseen; /* the programs of triggers are not looked at, as the caller does that or needs it not */
	bool reload;     /* files that cannot be read are errors, not warnings */
	const char *trigger; /* a Lua file that is the only trigger of every event, with the settings that
				it has in the configuration; NULL: none */
};

/* The settings that are needed even if the rest has errors (contract.md, "Privileges and files"). */
struct load_files {
	char *daemon_user;
	char *pid_file;
	char *status_file;
	char *log_file;
	char *control_socket;
};

struct load_report {
	char **errors; /* complete lines */
	size_t error_count;
	char **warnings;
	size_t warning_count;
	struct load_files names; /* those that could be read; the others are the defaults */
};

struct engine;

/*
 * Loads the configuration; NULL: `report` has errors, one of which may be that the
 * load took longer than `ms`. The report is the caller's to free. `options` NULL: an
 * ordinary load.
 */
struct config *load_config(struct engine *engine, const char *path,
			   const struct load_options *options, int64_t ms,
			   struct load_report *report);

/* Makes "PATH: WHAT" the report's only error. */
void load_report_fail(struct load_report *report, const char *path, const char *what);
void load_report_free(struct load_report *report);

/* The names that a configuration at `path` has when it sets none; the caller's to free. False: they cannot be had. */
bool load_default_names(struct engine *engine, const char *path, struct load_files *names);
void load_names_free(struct load_files *names);
