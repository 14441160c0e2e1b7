/*
 * A monitor that is fed: a prober (monitor/prober.h) whose servers are played in this process, without
 * sockets. What is asked is answered in later turns of the loop, a few at a time, as sockets would.
 * Masters keep the row that beats write; a slave shows its upstream's. One fleet a program at a time.
 */
#pragma once

#include <string.h>
#include <time.h>

#include "base/mem.h"
#include "monitor/monitor.h"
#include "support/kit.h"

#define FED_ANSWERS 64 /* a turn of the loop */

enum fed_role { FED_MASTER, FED_SLAVE, FED_DOWN, FED_FULL /* its kept connection stands, and nobody gets in */ };

struct fed_server {
	enum fed_role role;
	size_t upstream; /* of a slave; its own index: a server that nobody knows */
	struct row row;
};

struct fed_probe {
	const struct probe_events *events;
	void *data;
	size_t at; /* its server */
	bool busy;
	bool beats; /* what is under way is a beat, or a look with one */
	bool looks;
	char master[NAME_BYTES];
	int64_t tstamp;
};

static struct {
	struct config *config;
	struct fed_server *servers;
	struct fed_probe **queue; /* a ring of those that are to be answered */
	size_t queue_size;
	size_t queue_first;
	size_t queue_count;
	size_t asked; /* in all */
	struct fed_probe **probes; /* by server */
	void (*on_asked)(size_t at); /* a server is asked; NULL: nobody wants to know */
	uv_loop_t *loop;
	uv_idle_t idle;
} fed;

static inline struct row *fed_row(size_t at)
{
	const struct fed_server *server = &fed.servers[at];

	return server->role == FED_SLAVE && server->upstream != at ? &fed.servers[server->upstream].row
								   : &fed.servers[at].row;
}

static inline struct beat_result fed_beat(struct fed_probe *probe)
{
	struct fed_server *server = &fed.servers[probe->at];
	struct beat_result beat = kit_beat(BEAT_WRITTEN, probe->tstamp);

	beat.replaced = server->row.master[0] != '\0';
	beat.before = server->row;
	if (server->row.tstamp >= beat.tstamp)
		beat.tstamp = server->row.tstamp + 1;
	server->row.tstamp = beat.tstamp;
	text_copy(server->row.master, sizeof(server->row.master), probe->master);
	return beat;
}

static inline struct observation fed_look(struct fed_probe *probe)
{
	const struct fed_server *server = &fed.servers[probe->at];
	struct observation seen;

	if (server->role == FED_DOWN)
		return kit_failure(REASON_REFUSED, false);
	if (server->role == FED_FULL) {
		seen = kit_failure(REASON_FULL, false);
		seen.kept = true;
		return seen;
	}
	if (server->role == FED_MASTER) {
		seen = kit_master();
		if (probe->beats)
			seen.beat = fed_beat(probe);
	} else {
		const struct row *row = fed_row(probe->at);

		seen = kit_slave(row->master[0] != '\0' ? row->master : NULL, row->tstamp);
	}
	seen.kept = true;
	seen.asked_ms = clock_steady_ms();
	seen.kept_ended_ms = INT64_MIN;
	seen.origin = (struct origin){
		.system = (int64_t)(server->role == FED_SLAVE ? server->upstream : probe->at) + 1,
		.started_us = (int64_t)probe->at + 1,
		.timeline = server->role == FED_MASTER,
	};
	return seen;
}

static inline void fed_answer(struct fed_probe *probe)
{
	probe->busy = false;
	if (probe->looks) {
		struct observation seen = fed_look(probe);

		probe->events->seen(probe->data, &seen);
	} else {
		struct beat_result beat = fed.servers[probe->at].role == FED_MASTER
						  ? fed_beat(probe)
						  : kit_beat(BEAT_FAILED, 0);

		probe->events->beaten(probe->data, &beat);
	}
}

static inline void fed_on_idle(uv_idle_t *idle)
{
	for (int i = 0; i < FED_ANSWERS && fed.queue_count > 0; i++) {
		struct fed_probe *probe = fed.queue[fed.queue_first];

		fed.queue_first = (fed.queue_first + 1) % fed.queue_size;
		fed.queue_count--;
		fed_answer(probe);
	}
	if (fed.queue_count == 0)
		uv_idle_stop(idle);
}

static inline void fed_ask(struct fed_probe *probe, bool looks, const struct beat_order *order)
{
	probe->busy = true;
	probe->looks = looks;
	probe->beats = order != NULL;
	if (order != NULL) {
		text_copy(probe->master, sizeof(probe->master), order->master);
		probe->tstamp = order->tstamp;
	}
	fed.queue[(fed.queue_first + fed.queue_count++) % fed.queue_size] = probe;
	fed.asked++;
	if (fed.on_asked != NULL)
		fed.on_asked(probe->at);
	uv_idle_start(&fed.idle, fed_on_idle);
}

static void *fed_open(uv_loop_t *loop, struct deadlines *deadlines)
{
	(void)deadlines;
	fed.loop = loop;
	fed.queue_size = fed.config->node_count + 1;
	fed.queue = mem_zalloc(fed.queue_size, sizeof(*fed.queue));
	fed.probes = mem_zalloc(fed.queue_size, sizeof(*fed.probes));
	fed.queue_first = fed.queue_count = 0;
	uv_idle_init(loop, &fed.idle);
	return &fed;
}

static void fed_close(void *all)
{
	(void)all;
	uv_close((uv_handle_t *)&fed.idle, NULL);
	free(fed.queue);
	free(fed.probes);
}

static void *fed_make(void *all, const struct config *config, const struct config_node *node,
		      const void *before, const struct probe_events *events, void *data)
{
	struct fed_probe *probe = mem_zalloc(1, sizeof(*probe));

	(void)all;
	(void)before;
	probe->events = events;
	probe->data = data;
	probe->at = (size_t)(node - config->nodes);
	fed.probes[probe->at] = probe;
	return probe;
}

static void fed_look_at(void *probe, const struct beat_order *order, bool at_stake)
{
	(void)at_stake;
	fed_ask(probe, true, order);
}

static void fed_beat_through(void *probe, const struct beat_order *order)
{
	fed_ask(probe, false, order);
}

static bool fed_hear(void *probe)
{
	(void)probe;
	return false;
}

static void fed_refresh(void *probe)
{
	(void)probe;
}

static bool fed_is_busy(const void *probe)
{
	return ((const struct fed_probe *)probe)->busy;
}

static bool fed_is_logging_in(const void *probe)
{
	(void)probe;
	return false;
}

/* All of its servers are here: no way fails, and nobody is asked about it. */
static void fed_dial_anew(void *probe)
{
	(void)probe;
}

static const char *fed_address(const void *probe)
{
	(void)probe;
	return "";
}

static bool fed_needs_connect(const void *probe)
{
	(void)probe;
	return false;
}

static int64_t fed_login_cost_us(void)
{
	return 0;
}

static void *fed_knock(void *all, const char *host, int port, void (*done)(void *data, enum knock_answer answer),
		       void *data)
{
	(void)all;
	(void)host;
	(void)port;
	(void)done;
	(void)data;
	return NULL;
}

static void fed_knock_end(void *knock)
{
	(void)knock;
}

static void fed_set_config(void *probe, const struct config *config, const struct config_node *node)
{
	((struct fed_probe *)probe)->at = (size_t)(node - config->nodes);
}

static const struct prober fed_prober = {
	.open = fed_open,
	.close = fed_close,
	.make = fed_make,
	.end = free,
	.look = fed_look_at,
	.beat = fed_beat_through,
	.hear = fed_hear,
	.refresh = fed_refresh,
	.is_busy = fed_is_busy,
	.dial_anew = fed_dial_anew,
	.address = fed_address,
	.is_logging_in = fed_is_logging_in,
	.needs_connect = fed_needs_connect,
	.login_cost_us = fed_login_cost_us,
	.knock = fed_knock,
	.knock_end = fed_knock_end,
	.set_config = fed_set_config,
};

/*
 * `count` servers in clusters of `size`, the first of each its master; size 0: slaves that nobody
 * knows a master of. Each row names its master as another monitor does: "other-<n>".
 */
static inline void fed_fleet(size_t count, size_t size)
{
	char **ids = mem_zalloc(count, sizeof(char *));

	fed.servers = mem_zalloc(count, sizeof(*fed.servers));
	for (size_t i = 0; i < count; i++) {
		struct fed_server *server = &fed.servers[i];

		ids[i] = mem_printf("db%zu.example.com:5432", i);
		server->role = size > 0 && i % size == 0 ? FED_MASTER : FED_SLAVE;
		server->upstream = size > 0 ? i - i % size : i;
		server->row.tstamp = 1;
		(void)snprintf(server->row.master, sizeof(server->row.master), "other-%zu", i);
	}
	fed.config = kit_config((const char *const *)ids, count);
	for (size_t i = 0; i < count; i++)
		free(ids[i]);
	free(ids);
	fed.config->connect_timeout_ms = 10000;
	fed.asked = 0;
}

static inline void fed_end(void)
{
	config_unref(&fed.config);
	free(fed.servers);
	fed.servers = NULL;
}
