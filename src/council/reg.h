/*
 * The reg keeps this monitor's entry among the monitors: the key `monitors/NAME` with its lease. Two processes must
 * not have one name. When the entry is another process's, the reg waits until the lease of that has ended, and tells
 * whose entry it is when it stays: at once where that process runs on this machine. It replaces at once the entry of a
 * process of this machine that has ended. Clerk's loop.
 */
#pragma once

#include "etcd/client.h"

struct reg;

struct reg_events {
	void (*in)(void *data); /* our entry is written */
	/* The entry is another process's, and stays; `value` is what it holds. The reg keeps trying. */
	void (*taken)(void *data, const char *value);
	void *data;
};

struct reg_start {
	struct client *client;
	const char *key;      /* "/plusmoin/main/monitors/NAME" */
	const char *instance; /* a name of this process that no other process has: "instance" in each value */
	const char *host;     /* the name of this machine: "host" in each value */
	const struct reg_events *events;
};

struct reg *reg_new(const struct reg_start *start);

/* Writes the entry with this lease from now on; 0: there is none. */
void reg_has_lease(struct reg *reg, int64_t lease, int64_t ttl_ms);

/* Makes this value, one JSON object, our entry; copied. */
void reg_say(struct reg *reg, const char *value);

/* NULL allowed; clears the pointer. */
void reg_free(struct reg **reg);
