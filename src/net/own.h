/*
 * The addresses of this machine's interfaces: what is reached by them says nothing about the network.
 * Loop's thread.
 */
#pragma once

#include <stdbool.h>
#include <uv.h>

struct own {
	uv_interface_address_t *list;
	int count;
	int64_t read_ms; /* steady; they are read again after OWN_AGE_MS */
};

#define OWN_AGE_MS 1000

/* Reads them, if they are old. Zero-initialised: they were never read. Where they cannot be read, none is known. */
void own_read(struct own *own);

/*
 * Whether `host` is this machine: a socket directory, "localhost", or an address of an interface. A name
 * that was not looked up is another machine's.
 */
bool own_has(const struct own *own, const char *host);
void own_free(struct own *own);
