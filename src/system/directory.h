/*
 * Directories and files that a start makes when they are missing, for the user
 * that the daemon becomes (contract.md, "Privileges and files"). What exists is
 * never chowned. Symbolic links are not followed in the last component.
 */
#pragma once

#include <stdbool.h>

#include "system/identity.h"

/*
 * Makes the directory of `path` (its last component only), mode 0755, unless it
 * exists. `owner` NULL: it stays ours. Returns false and errno on an error.
 */
bool directory_make_of(const char *path, const struct identity *owner);

/* Makes an empty file, mode `mode`, unless it exists. Returns false and errno on an error. */
bool directory_make_file(const char *path, mode_t mode, const struct identity *owner);

/* Whether `path` names something directly in /run (or /var/run), /var/log or /var/lib. */
bool directory_is_for_daemons(const char *path);

/* Returns the directory that the file at `path` lies in ("." where `path` names none), which the caller frees. */
char *directory_of(const char *path);

/* Returns `path` made absolute by the working directory, which the caller frees; NULL and errno on an error. */
char *directory_absolute(const char *path);
