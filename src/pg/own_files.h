/*
 * Whether a file of ours is why a login has failed. A client certificate, a passfile, or revoked certificates that it
 * cannot read libpq does without, and the server refuses us: after such a refusal the file is looked at. A file that
 * libpq cannot do without it names itself (evidence.h), but it does not always say why the file cannot be read.
 * In the thread that has the login.
 */
#pragma once

#include <time.h>

#include "pg/evidence.h"

#define OWN_FILES 6

struct own_files {
	char *paths[OWN_FILES];      /* NULL: not configured */
	struct timespec began;       /* wall: when the first was taken; a file that has changed since tells nothing */
	char lacking[MESSAGE_BYTES]; /* what one of them lacks, for people; "": nothing */
	char why[128];               /* why one that libpq names cannot be read; "": it can */
};

/* Keeps the file's name if this is the keyword of one. */
void own_files_take(struct own_files *files, const char *keyword, const char *value);

/* A connect has failed with this message of libpq's: notes the file of ours that may be why. It reads the disk. */
void own_files_look(struct own_files *files, const char *message);

/* Puts what own_files_look() has found, if anything, into the evidence of that connect. */
void own_files_explain(const struct own_files *files, struct evidence *evidence);

void own_files_clear(struct own_files *files);
