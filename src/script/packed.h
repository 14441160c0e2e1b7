/*
 * A value of pm.state as bytes, the same on every machine, because a monitor reads from etcd what another one wrote:
 *
 *   f t 0                  false, true, pm.json.null
 *   i-12;  d0x1.8p+1;      an integer; a float, as C's %a writes it
 *   s3:abc                 a string, after the number of its bytes
 *   {KEY VALUE KEY VALUE}  a table, without the spaces
 */
#pragma once

#include <lua.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

#define PACKED_DEPTH 100 /* how deep tables may be nested; a table that contains itself is deeper than that */

/*
 * Appends the value at the top of the stack, which stays there. Raises when it is no plain value, is nested too deep,
 * or takes more than `most` bytes; `out` then holds a part. Host's thread.
 */
void packed_add(lua_State *L, struct buf *out, size_t most);

/* Pushes the value of bytes that packed_add() wrote or packed_is_sound() found sound. Host's thread. */
void packed_push(lua_State *L, const char *bytes, size_t len);

/* Whether these bytes are one whole value. Any thread. */
bool packed_is_sound(const char *bytes, size_t len);
