/* The pid file: locked through a descriptor that stays open while the daemon lives. */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

/*
 * Locks and writes the pid file. The descriptor, or -1: then `*owner` is the pid
 * of who holds it (0 if not known), or errno says what is wrong and `*owner` is -1.
 */
int pid_file_lock(const char *path, pid_t *owner);

/* Removes the file (truncates it if that fails) and closes the descriptor. */
void pid_file_release(const char *path, int fd);
