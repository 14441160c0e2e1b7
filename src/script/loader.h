/*
 * From a file to struct config: runs plusmoin.config in an engine's Lua state.
 * Blocking; on the script host's thread, or in a short-lived program
 * (`plusmoin status`).
 */
#pragma once

#include "core/config.h"

/* How a load differs from an ordinary one; all zero: not at all. */
struct load_options {
	const char *text; /* the file's content, when the caller has read it */
	size_t text_len;
	bool names_only; /* the files of Lua triggers are not run: for the file names alone */
	bool programs_unseen; /* nor are the programs of triggers looked at: the caller does, or does not care */
	bool reload;     /* files that cannot be read are errors, not warnings */
	const char *trigger; /* a Lua file that is every event's only trigger, with the settings that it
				has in the configuration; NULL: none */
};

/* What is needed before and without the rest (contract.md, "Privileges and files"). */
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
	struct load_files names; /* what could be read of them, else the defaults */
};

struct engine;

/*
 * The configuration, or NULL when `report` has errors, one of which may be that
 * it took longer than `ms`. The report is the caller's to free. `options` NULL:
 * an ordinary load.
 */
struct config *load_config(struct engine *engine, const char *path,
			   const struct load_options *options, int64_t ms,
			   struct load_report *report);

/* "PATH: WHAT" is the report's only error from now on. */
void load_report_fail(struct load_report *report, const char *path, const char *what);
void load_report_free(struct load_report *report);

/* The names of a configuration at `path` that says nothing; the caller's to free. */
bool load_default_names(struct engine *engine, const char *path, struct load_files *names);
void load_names_free(struct load_files *names);
