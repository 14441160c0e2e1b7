/*
 * The addresses of this machine's interfaces: an answer from one of them says nothing about the network.
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

/* Reads them again if they are too old; zero-initialised they were never read. If it cannot, no address is known. */
void own_read(struct own *own);

/*
 * Whether `host` is this machine: a socket directory, "localhost", or an address of an interface. No name is
 * looked up, so any other name counts as another machine's.
 */
bool own_has(const struct own *own, const char *host);
void own_free(struct own *own);
