/*
 * What the kernel makes of a program's first bytes: an ELF program, a script with an interpreter
 * (`#!`), or nothing that it starts. Pure.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#define IMAGE_BYTES 256 /* how many bytes the kernel looks at (BINPRM_BUF_SIZE) */

enum image_kind {
	IMAGE_NOTHING, /* exec fails with ENOEXEC */
	IMAGE_EMPTY,   /* exec fails with ENOEXEC, because there is nothing in it */
	IMAGE_MARKED,  /* exec fails with ENOEXEC, because a byte order mark stands before the #! */
	IMAGE_SCRIPT,
	IMAGE_ELF
};

struct image {
	enum image_kind kind;
	bool is_text;  /* no NUL byte in it */
	bool has_cr;   /* of a script: its first line ends in a carriage return, which belongs to the last word */
	char interpreter[IMAGE_BYTES + 1]; /* of a script, relative to the directory in which it is started; "": none */
	char argument[IMAGE_BYTES + 1]; /* of a script, the rest of the line */
};

/* Reads the first bytes of a file: IMAGE_BYTES, or all of a smaller one. */
void image_read(struct image *image, const char *bytes, size_t len);
