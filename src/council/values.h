/*
 * The values of pm.state in etcd. Each has a key of its own, `pm.state/NAME`, in which bytes of the name other than
 * letters, digits, underscores, dots and hyphens are %XX; it holds the value as script/packed.h writes it. Pure.
 */
#pragma once

#include "council/commit.h"
#include "script/assignments.h"

/* Has the commit write the value, or delete its key if it was removed. */
void values_put(struct commit *commit, const struct assignment *value);

/*
 * Returns the value that this key (without the prefix of `monitors`) holds, the caller's; NULL: it is no key of a
 * value, or holds none.
 */
struct assignment *values_read(const char *key, const char *bytes, size_t len);
