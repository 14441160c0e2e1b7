/*
 * What `start`, `stop`, `reload` and `status` need of a configuration before or
 * without the rest: the user, the files, the grace. The configuration is run in
 * a child, so that a Lua one does what it does as its owner and not as root, and
 * one that hangs is ended (contract.md, "Privileges and files").
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "script/loader.h"

struct files {
	struct load_report report; /* errors: the names are what could be read, else defaults */
	int64_t shutdown_grace_ms;
	bool foreign;    /* as root: others can change the file that was read */
	struct buf text; /* as root, of a JSON configuration: what was read; else empty */
};

/*
 * Reads them from the file at `path` (absolute). Whose it is and what it says are of one file,
 * which was opened once, whatever is renamed meanwhile. False, after a message on stderr,
 * when there is no child or memory; what is wrong with the file is in the report.
 * Call with one thread. The names are the caller's to free.
 */
bool files_read(const char *path, struct files *names);
void files_free(struct files *names);

/* Prints the errors, and that the defaults or what was read is taken. For all but start. */
void files_say_broken(const struct files *names);
