/*
 * The pid file: locked through a descriptor that stays open while the daemon
 * lives. An unlocked or empty one is stale (contract.md, "Privileges and files").
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "system/identity.h"

/*
 * Locks the file, made for `owner` when it is missing (NULL: it stays ours), and
 * empties it. Returns the descriptor, or -1: then `*holder` is the pid of who holds
 * it (0 if not known), or errno says what is wrong and `*holder` is -1; EEXIST: the
 * file is no pid file, and is left alone.
 */
int pidfile_lock(const char *path, const struct identity *owner, pid_t *holder);

/* Writes our pid into the locked file. Returns false and errno on an error. */
bool pidfile_write(int fd);

/* Removes the file (truncates it if that fails) and closes the descriptor. */
void pidfile_release(const char *path, int fd);

/*
 * Returns the pid of who holds the file; 0 when somebody does whose pid is not in it
 * (yet); -1 when nobody does (errno 0, or why the file cannot be read).
 */
pid_t pidfile_holder(const char *path);
