#include "monitor/live.h"

#include <stdlib.h>

#include "base/mem.h"
#include "loop/workers.h"
#include "pg/login.h"

struct live {
	struct probe_context context;
	struct resolver *resolver;
	struct findings_pool pool;
	struct drain *drain; /* of connections that were given up */
};

static void *open_live(uv_loop_t *loop, struct deadlines *deadlines)
{
	struct live *live = mem_zalloc(1, sizeof(*live));

	live->resolver = resolver_new(loop);
	live->drain = drain_new(loop);
	live->context = (struct probe_context){
		.loop = loop, .resolver = live->resolver, .drain = live->drain, .pool = &live->pool,
		.deadlines = deadlines,
	};
	return live;
}

static void close_live(void *all)
{
	struct live *live = all;

	workers_close(live->context.loop); /* before the drain, which they may use */
	drain_free(&live->drain);
	findings_pool_clear(&live->pool);
	(void)resolver_free(&live->resolver);
	free(live);
}

static void *make(void *all, const struct config *config, const struct config_node *node,
		  const void *before, const struct probe_events *events, void *data)
{
	struct live *live = all;

	return probe_new(&live->context, config, node, before, events, data);
}

static void end(void *one)
{
	struct probe *probe = one;

	probe_free(&probe);
}

static void look(void *probe, const struct beat_order *order, bool at_stake)
{
	probe_look(probe, order, at_stake);
}

static void beat(void *probe, const struct beat_order *order)
{
	probe_beat(probe, order);
}

static bool hear(void *probe)
{
	return probe_hear(probe);
}

static void refresh(void *probe)
{
	probe_refresh(probe);
}

static void dial_anew(void *probe)
{
	probe_dial_anew(probe);
}

static const char *address(const void *probe)
{
	return probe_address(probe);
}

static bool is_busy(const void *probe)
{
	return probe_is_busy(probe);
}

static bool is_logging_in(const void *probe)
{
	return probe_is_logging_in(probe);
}

static bool needs_connect(const void *probe)
{
	return probe_needs_connect(probe);
}

static void *knock(void *all, const char *host, int port, void (*done)(void *data, enum knock_answer answer),
		   void *data)
{
	const struct live *live = all;

	return knock_start(live->context.loop, live->resolver, host, port, done, data);
}

static void knock_end(void *one)
{
	struct knock *knock = one;

	knock_cancel(&knock);
}

static void set_config(void *probe, const struct config *config, const struct config_node *node)
{
	probe_set_config(probe, config, node);
}

const struct prober live_prober = {
	.open = open_live,
	.close = close_live,
	.make = make,
	.end = end,
	.look = look,
	.beat = beat,
	.hear = hear,
	.refresh = refresh,
	.dial_anew = dial_anew,
	.address = address,
	.is_busy = is_busy,
	.is_logging_in = is_logging_in,
	.needs_connect = needs_connect,
	.login_cost_us = login_cost_us,
	.knock = knock,
	.knock_end = knock_end,
	.set_config = set_config,
};
