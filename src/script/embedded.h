/* The Lua modules of lua/plusmoin, embedded at build time; an entry without a name ends the list. */
#pragma once

#include <stddef.h>

struct embedded_module {
	const char *name; /* "plusmoin.config" */
	const char *path; /* for messages */
	const unsigned char *text;
	size_t size;
};

extern const struct embedded_module embedded_modules[];
