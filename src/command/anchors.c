#include "command/anchors.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "loop/timer.h"
#include "net/knock.h"
#include "net/own.h"

#define HOSTS_COUNTED 3 /* with three of them, each has two others that can be asked about it */

struct visit {
	struct anchors *anchors;
	struct knock *knock;
	bool heard;
};

struct anchors {
	const struct config *config;
	struct visit *visits;
	size_t awaited;
	struct timer *deadline;
	void (*done)(void *data);
	void *data;
};

static void on_deadline(void *data)
{
	struct anchors *anchors = data;

	anchors->done(anchors->data);
}

static void on_answer(void *data, enum knock_answer answer)
{
	struct visit *visit = data;
	struct anchors *anchors = visit->anchors;

	visit->knock = NULL;
	visit->heard = answer == KNOCK_ANSWERED;
	if (--anchors->awaited > 0)
		return;
	timer_stop(anchors->deadline);
	anchors->done(anchors->data);
}

struct anchors *anchors_ask(uv_loop_t *loop, struct resolver *resolver, const struct config *config,
			    void (*done)(void *data), void *data)
{
	struct anchors *anchors = mem_zalloc(1, sizeof(*anchors));

	anchors->config = config;
	anchors->done = done;
	anchors->data = data;
	anchors->awaited = config->anchor_count;
	anchors->visits = mem_zalloc(config->anchor_count, sizeof(*anchors->visits));
	anchors->deadline = timer_new(loop, on_deadline, anchors);
	timer_start(anchors->deadline, config->anchor_count > 0 ? config->query_timeout_ms : 0);
	for (size_t i = 0; i < config->anchor_count; i++) {
		anchors->visits[i].anchors = anchors;
		anchors->visits[i].knock = knock_start(loop, resolver, config->anchors[i].host,
						       config->anchors[i].port, on_answer, &anchors->visits[i]);
	}
	return anchors;
}

/* Counts the other machines that the nodes are on, by their configured hosts, up to HOSTS_COUNTED. */
static int count_hosts(const struct config *config)
{
	const char *hosts[HOSTS_COUNTED];
	struct own own = { 0 };
	int count = 0;

	own_read(&own);
	for (size_t i = 0; i < config->node_count && count < HOSTS_COUNTED; i++) {
		const char *host = config->nodes[i].host;
		bool is_new = !own_has(&own, host);

		for (int j = 0; j < count; j++)
			is_new = is_new && strcmp(hosts[j], host) != 0;
		if (is_new)
			hosts[count++] = host;
	}
	own_free(&own);
	return count;
}

void anchors_render(const struct anchors *anchors, struct json *json)
{
	const struct config *config = anchors->config;

	jsonw_key(json, "hosts");
	jsonw_int(json, count_hosts(config));
	jsonw_key(json, "acts_on_master_down");
	jsonw_bool(json, config->triggers[EVENT_MASTER_DOWN].count > 0);
	jsonw_key(json, "acts_on_isolated");
	jsonw_bool(json, config->triggers[EVENT_MONITOR_ISOLATED].count > 0);
	jsonw_key(json, "anchors");
	jsonw_begin_array(json);
	for (size_t i = 0; i < config->anchor_count; i++) {
		jsonw_begin_object(json);
		jsonw_key(json, "text");
		jsonw_string(json, config->anchors[i].text);
		jsonw_key(json, "heard");
		jsonw_bool(json, anchors->visits[i].heard);
		jsonw_end_object(json);
	}
	jsonw_end_array(json);
}

void anchors_stop(struct anchors *anchors)
{
	for (size_t i = 0; i < anchors->config->anchor_count; i++)
		knock_cancel(&anchors->visits[i].knock);
	timer_free(&anchors->deadline);
}

void anchors_free(struct anchors **anchors_p)
{
	struct anchors *anchors = *anchors_p;

	*anchors_p = NULL;
	if (anchors == NULL)
		return;
	free(anchors->visits);
	free(anchors);
}
