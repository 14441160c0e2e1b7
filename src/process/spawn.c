#include "process/spawn.h"

#include <signal.h>
#include <spawn.h>
#include <unistd.h>

static void set_files(posix_spawn_file_actions_t *actions, const char *cwd,
		      const struct spawn_ends *ends)
{
	posix_spawn_file_actions_init(actions);
	posix_spawn_file_actions_addchdir_np(actions, cwd);
	posix_spawn_file_actions_adddup2(actions, ends->in, STDIN_FILENO);
	posix_spawn_file_actions_adddup2(actions, ends->out, STDOUT_FILENO);
	posix_spawn_file_actions_adddup2(actions, ends->err, STDERR_FILENO);
	posix_spawn_file_actions_addclosefrom_np(actions, 3);
}

static void set_attributes(posix_spawnattr_t *attr)
{
	sigset_t all;
	sigset_t none;

	sigfillset(&all);
	sigemptyset(&none);
	posix_spawnattr_init(attr);
	posix_spawnattr_setsigdefault(attr, &all);
	posix_spawnattr_setsigmask(attr, &none);
	posix_spawnattr_setpgroup(attr, 0);
	posix_spawnattr_setflags(attr, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK |
					       POSIX_SPAWN_SETPGROUP);
}

int spawn_process(pid_t *pid, char *const *argv, char *const *environment, const char *cwd,
		  const struct spawn_ends *ends)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attr;
	int error;

	set_files(&actions, cwd, ends);
	set_attributes(&attr);
	error = posix_spawnp(pid, argv[0], &actions, &attr, argv, environment);
	posix_spawnattr_destroy(&attr);
	posix_spawn_file_actions_destroy(&actions);
	return error;
}
