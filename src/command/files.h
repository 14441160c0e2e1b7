/*
 * What `start`, `stop`, `reload` and `status` need of a configuration before or without the rest: the user, the files,
 * the grace. A child process runs the configuration, so that a Lua one does what it does as its owner and not as root,
 * and one that hangs is ended (contract.md, "Privileges and files").
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "script/loader.h"

struct files {
	struct load_report report; /* with errors in it, names are what could be read, else defaults */
	int64_t shutdown_grace_ms;
	bool foreign;    /* we are root, and others can change the file that was read */
	struct buf text; /* what root has read of a JSON configuration; else empty */
};

/*
 * Reads the names from the file at `path` (absolute). Its owner and its content are those of one file, which is opened
 * once, whatever is renamed meanwhile. False, after a message on stderr: no child can be made, or there is no memory.
 * The report says what is wrong with the file. Call with one thread. The names are the caller's to free.
 */
bool files_read(const char *path, struct files *names);
void files_free(struct files *names);

/* Prints the errors, and that plusmoin goes by the names that were read, or by defaults. For all verbs but start. */
void files_say_broken(const struct files *names);
