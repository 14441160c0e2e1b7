/*
 * What the addresses of a node that a dial has tried have said: of several failures the one that tells
 * most, and whether anything of the host was heard. Zero-initialised: none was tried. Pure.
 */
#pragma once

#include "pg/evidence.h"

struct tried {
	bool reached;         /* the TCP of one address has answered */
	bool has_failed;      /* an address has failed */
	struct evidence best; /* the failure that tells most; of equals the first */
};

/* Notes that an address has failed; `address` NULL: libpq had the host alone. */
void tried_note(struct tried *tried, const struct evidence *evidence, const char *address);

/*
 * Whether `evidence`, the end of the dial, is a failure of the way to the host (P7): its name is not
 * found, the network says that it leads nowhere, or TCP is silent, at each address.
 */
bool tried_is_of_path(const struct tried *tried, const struct evidence *evidence);
