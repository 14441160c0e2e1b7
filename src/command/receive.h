/* Receives bytes from a descriptor that does not block, with poll(): for verbs, which have no loop. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

/*
 * Waits until `end_ms` (steady) for bytes and appends what has come. False: the other end has closed,
 * there is an error, or the time is up.
 */
bool receive_more(int fd, int64_t end_ms, struct buf *in);
