/* The requests of the control socket, read with jansson. */
#pragma once

#include <stddef.h>

/* The value of "request" in a line of JSON; NULL if there is none. The caller frees it. */
char *request_name(const char *line, size_t len);
