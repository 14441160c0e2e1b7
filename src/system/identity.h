/*
 * Who this process is: the user it becomes for good, and what of the
 * environment it may not take over (contract.md, "Privileges and files").
 * Called while the process has one thread.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

struct identity {
	char *user;
	char *home;
	char *shell;
	uid_t uid;
	gid_t gid;
};

/* Find the user of this name or uid; false: errno, which is 0 when there is none. identity_free() frees it. */
bool identity_find(const char *user, struct identity *out);
bool identity_find_uid(uid_t uid, struct identity *out);
void identity_free(struct identity *identity);

/*
 * Becomes that user for good: groups, gid, uid, and makes sure that there is no
 * way back. Then HOME, USER, LOGNAME, SHELL are that user's. Returns false and errno
 * on an error. Only root can.
 */
bool identity_become(const struct identity *identity);

/* Sets HOME, USER, LOGNAME, SHELL alone, for a process that is that user already. */
void identity_environment(const struct identity *identity);

/*
 * Removes the next variable that would lead libpq elsewhere than the
 * configuration says, and returns its name; NULL when there is none left.
 */
const char *identity_drop_variable(void);
