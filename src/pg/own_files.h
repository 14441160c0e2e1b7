/*
 * The files of ours that libpq does without when it cannot read them (client certificate, passfile, revoked
 * certificates), so that it is the server who refuses us: after such a refusal they are looked at. Those without
 * which libpq makes no connection it names itself (evidence.h), but does not always say why they cannot be read.
 * In the worker thread that has the login.
 */
#pragma once

#include <time.h>

#include "pg/evidence.h"

#define OWN_FILES 6

struct own_files {
	char *paths[OWN_FILES];      /* NULL: not configured */
	struct timespec began;       /* wall: when the first of them was taken; one that has changed since tells nothing */
	char lacking[MESSAGE_BYTES]; /* what one of them lacks, for people; "": nothing */
	char why[128];               /* why one that libpq names cannot be read; "": it can */
};

/* Keeps the file's name if this is the keyword of one. */
void own_files_take(struct own_files *files, const char *keyword, const char *value);

/* A connect has failed with these words of libpq's: sets what it failed for if that is a file that is not fit. Reads. */
void own_files_look(struct own_files *files, const char *message);

/* What was looked at, if anything, in the evidence of that connect. */
void own_files_explain(const struct own_files *files, struct evidence *evidence);

void own_files_clear(struct own_files *files);
