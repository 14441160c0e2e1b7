/*
 * Asks the members of etcd that `monitors` names, for `check`: version, health, login, the smallest lease, and whether
 * this monitor may read and write below the prefix. Loop's thread.
 */
#pragma once

#include <uv.h>

#include "base/json.h"
#include "core/config.h"

struct members;

/*
 * Asks all members at once, each by one request after another; `done` is called once, never from inside this call.
 * `config` outlives it, and names members. A key `check/NAME` below the prefix, with a lease of seconds, is put and
 * deleted. Call it before the first thread, as it initialises libcurl.
 */
struct members *members_ask(uv_loop_t *loop, const struct config *config, void (*done)(void *data), void *data);

/*
 * Writes "monitors" into an open object: name, prefix, ttl and user of the setting, and of each of "members" url, and
 * what is known of version, clock (seconds it is ahead of ours), latency_us (of a read that the majority agrees to),
 * leader, alarms, cluster, least (seconds of the smallest lease), and "steps": what was asked, with reason and words,
 * which are null where it was done. `members` NULL: writes null.
 */
void members_render(const struct members *members, struct json *json);

/* Ends the asking; before the loop is closed. NULL allowed. */
void members_stop(struct members *members);

/* NULL allowed; clears the pointer. After members_stop(). */
void members_free(struct members **members);
