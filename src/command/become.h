/*
 * From root to the user that a configuration names, for `start`, `check` and
 * `init-sql`: they see what the daemon sees (contract.md, "Privileges and files").
 * Call with one thread.
 */
#pragma once

#include "base/buf.h"
#include "command/files.h"
#include "system/identity.h"

struct become {
	const char *path; /* the caller's */
	struct files names;
	bool drops; /* root, to become somebody else */
	bool foreign; /* root, and others can change the file: what it says is done with its user's rights, but for
			 what root makes directly in /run, /var/log, /var/lib */
	struct identity identity;
};

/*
 * Reads names and user, and as root the text of a JSON file, which its user perhaps cannot. 0, or an exit status after a message:
 * 1 it failed, 3 bad configuration. Ended by become_free() either way.
 */
int become_read(struct become *become, const char *path);

/* Becomes the user, for good, in "/". False after a message. */
bool become_drop(const struct become *become);

/* Whether a reload as that user will not be able to read the configuration. After the drop. */
bool become_lost_file(const struct become *become);

/* How the configuration is to be loaded after the drop. */
struct load_options become_options(const struct become *become);
void become_free(struct become *become);
