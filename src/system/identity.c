#include "system/identity.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"

#define ENTRY_BYTES_MAX ((size_t)1 << 20)

/* getpwnam_r or, without a name, getpwuid_r, with as much room as the entry needs. */
static bool look_up(const char *name, uid_t uid, struct identity *out)
{
	struct passwd entry;
	struct passwd *found = NULL;
	char *room = NULL;
	int error = ERANGE;

	for (size_t size = 4096; error == ERANGE && size <= ENTRY_BYTES_MAX; size *= 4) {
		free(room);
		room = mem_zalloc(size, 1);
		error = name != NULL ? getpwnam_r(name, &entry, room, size, &found)
				     : getpwuid_r(uid, &entry, room, size, &found);
	}
	*out = (struct identity){ 0 };
	if (found != NULL)
		*out = (struct identity){
			.user = mem_strdup(entry.pw_name),
			.home = mem_strdup(entry.pw_dir),
			.shell = mem_strdup(entry.pw_shell),
			.uid = entry.pw_uid,
			.gid = entry.pw_gid,
		};
	free(room);
	errno = error;
	return found != NULL;
}

bool identity_find(const char *user, struct identity *out)
{
	return look_up(user, 0, out);
}

bool identity_find_uid(uid_t uid, struct identity *out)
{
	return look_up(NULL, uid, out);
}

void identity_free(struct identity *identity)
{
	free(identity->user);
	free(identity->home);
	free(identity->shell);
	*identity = (struct identity){ 0 };
}

static bool is_for_good(const struct identity *identity)
{
	uid_t real;
	uid_t effective;
	uid_t saved;

	if (getresuid(&real, &effective, &saved) != 0 || real != identity->uid ||
	    effective != identity->uid || saved != identity->uid)
		return false;
	return identity->uid == 0 || (setuid(0) != 0 && seteuid(0) != 0 &&
				      (identity->gid == 0 || setgid(0) != 0));
}

void identity_environment(const struct identity *identity)
{
	(void)setenv("HOME", identity->home, 1);
	(void)setenv("USER", identity->user, 1);
	(void)setenv("LOGNAME", identity->user, 1);
	(void)setenv("SHELL", identity->shell, 1);
}

bool identity_become(const struct identity *identity)
{
	if (initgroups(identity->user, identity->gid) != 0 ||
	    setresgid(identity->gid, identity->gid, identity->gid) != 0 ||
	    setresuid(identity->uid, identity->uid, identity->uid) != 0)
		return false;
	if (!is_for_good(identity)) {
		errno = EPERM;
		return false;
	}
	identity_environment(identity);
	return true;
}

const char *identity_drop_variable(void)
{
	static const char *const names[] = { /* contract.md, "Privileges and files" */
		"PGHOST", "PGHOSTADDR", "PGPORT", "PGSERVICE", "PGSERVICEFILE", "PGOPTIONS",
		"PGDATABASE", "PGUSER", "PGTARGETSESSIONATTRS", "PGCLIENTENCODING",
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (getenv(names[i]) != NULL) {
			(void)unsetenv(names[i]);
			return names[i];
		}
	}
	return NULL;
}
