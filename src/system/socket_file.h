/* A Unix socket that listens at a path, and the file there. Any thread. */
#pragma once

#include <sys/stat.h>

struct socket_file {
	char *path;       /* NULL: none was made */
	struct stat made; /* the file as we made it */
};

/*
 * Makes the socket and its file (mode 0660); an old socket file on which nobody listens
 * is replaced. Returns 0 and the bound socket, which is the caller's and does not block, or
 * libuv's error. In both cases socket_file_remove() ends it.
 */
int socket_file_make(struct socket_file *file, const char *path, int *fd);

/* Removes the file if it is still the one that was made; another daemon's file stays. */
void socket_file_remove(struct socket_file *file);
