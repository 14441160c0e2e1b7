/*
 * This monitor's entry among the monitors: the key `monitors/NAME` with its lease. Two processes must not have one name:
 * who finds it taken waits until it goes with its lease, and when it stays says whose it is. An entry of an earlier process
 * of this machine that runs no more is taken over at once. Clerk's loop.
 */
#pragma once

#include "etcd/client.h"

struct reg;

struct reg_events {
	void (*in)(void *data); /* the entry is ours, and stands */
	/* It is another process's, and stays: its value. It is tried again. */
	void (*taken)(void *data, const char *value);
	void *data;
};

struct reg_start {
	struct client *client;
	const char *key;      /* "/plusmoin/main/monitors/NAME" */
	const char *instance; /* this process, as no other is called: stands in each value as "instance" */
	const char *host;     /* of this machine: stands there as "host" */
	const struct reg_events *events;
};

struct reg *reg_new(const struct reg_start *start);

/* From now on it stands with this lease; 0: there is none. */
void reg_has_lease(struct reg *reg, int64_t lease, int64_t ttl_ms);

/* What it says of us from now on, one JSON object; copied. */
void reg_say(struct reg *reg, const char *value);

/* NULL allowed; clears the pointer. */
void reg_free(struct reg **reg);
