/*
 * Becomes the user that a configuration names, from root, for `start`, `check`, `init-sql` and `run-trigger`: they see
 * what the daemon sees (contract.md, "Privileges and files"). Call with one thread.
 */
#pragma once

#include "base/buf.h"
#include "command/files.h"
#include "system/identity.h"

struct become {
	const char *path; /* the caller's */
	struct files names;
	bool drops; /* we are root, and become another user */
	/*
	 * we are root, and others can change the file: what it says is done with its user's rights, but for what root
	 * makes directly in /run, /var/log, /var/lib
	 */
	bool foreign;
	struct identity identity;
};

/*
 * Reads the file names and the user, and as root the text of a JSON file, which the user perhaps cannot read. Returns
 * 0, or an exit status after a message: 1 it failed, 3 bad configuration. Ended by become_free() either way.
 */
int become_read(struct become *become, const char *path);

/* Becomes the user, for good, in "/". False after a message. */
bool become_drop(const struct become *become);

/* Whether a reload by that user will fail to read the configuration. After the drop. */
bool become_lost_file(const struct become *become);

/* How the configuration is to be loaded after the drop. */
struct load_options become_options(const struct become *become);
void become_free(struct become *become);
