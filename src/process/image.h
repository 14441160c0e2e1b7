/*
 * What the kernel makes of a program's first bytes: an ELF program, a script with an interpreter
 * (`#!`), or nothing that it starts. Pure.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#define IMAGE_BYTES 256 /* so many the kernel looks at (BINPRM_BUF_SIZE) */

enum image_kind {
	IMAGE_NOTHING, /* ENOEXEC */
	IMAGE_EMPTY,   /* likewise */
	IMAGE_MARKED,  /* a byte order mark before the #!: likewise */
	IMAGE_SCRIPT,
	IMAGE_ELF
};

struct image {
	enum image_kind kind;
	bool is_text;  /* no NUL byte in it */
	bool has_cr;   /* of a script: its first line ends in a carriage return, which belongs to the last word */
	/* of a script; "" : none. Relative to the directory that it is started in */
	char interpreter[IMAGE_BYTES + 1];
	char argument[IMAGE_BYTES + 1]; /* the rest of the line */
};

/* Reads the first bytes of a file: IMAGE_BYTES, or all of a smaller one. */
void image_read(struct image *image, const char *bytes, size_t len);
