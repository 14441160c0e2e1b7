#include "monitor/doubt.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"

#define LOOKED_AT 512 /* nodes, for one to ask: a fleet on few hosts must not be walked for each */
#define SETTLED_MS 50 /* many nodes fail in the same turn: a question put that long before is theirs, too */

struct asked {
	struct doubt *doubt;
	void *knock; /* NULL: it has come to its end */
	char *host;
	bool is_first; /* it was asked when the doubt began, not later, when the network may have come back */
	bool is_anchor;
	bool is_unable; /* we could not knock, for a lack of ours: its silence says nothing */
};

static bool is_open(const struct doubt *doubt)
{
	return doubt->about.count > 0;
}

const char *doubt_host(const struct watch *watch)
{
	const char *address = watch->all->prober->address(watch->probe);

	return address[0] != '\0' ? address : watch->node->config->host;
}

bool doubt_is_away(struct doubt *doubt, const struct watch *watch)
{
	own_read(&doubt->own);
	return !own_has(&doubt->own, doubt_host(watch));
}

bool doubt_has_two_hosts(struct doubt *doubt)
{
	const struct watches *watches = doubt->watches;
	const char *first = NULL;

	for (size_t i = 0; i < watches->count; i++) {
		const char *host = watches->by_order[i]->node->config->host;

		own_read(&doubt->own);
		if (own_has(&doubt->own, host))
			continue;
		if (first != NULL && strcmp(first, host) != 0)
			return true;
		first = host;
	}
	return false;
}

/* ---- the end ---- */

static void free_asked(struct asked *asked)
{
	asked->doubt->watches->prober->knock_end(asked->knock);
	free(asked->host);
	free(asked);
}

void doubt_call_off(struct doubt *doubt)
{
	deadline_stop(&doubt->timer);
	for (size_t i = 0; i < doubt->asked_count; i++)
		free_asked(doubt->asked[i]);
	doubt->asked_count = 0;
	doubt->anchors = 0;
	doubt->step = 0;
	doubt->heard = false;
}

static void end(struct doubt *doubt, enum doubt_verdict verdict)
{
	doubt_call_off(doubt);
	doubt->ended(doubt->data, verdict);
}

/* Whether hosts that had a node in place, two of them or one and an anchor, are silent together. */
static bool is_cut_off(const struct doubt *doubt)
{
	const char *first = doubt_host(doubt->about.items[0]);
	bool has_second = false;
	size_t silent_anchors = 0;

	for (size_t i = 1; i < doubt->about.count && !has_second; i++)
		has_second = strcmp(first, doubt_host(doubt->about.items[i])) != 0;
	for (size_t i = 0; i < doubt->asked_count; i++) {
		const struct asked *asked = doubt->asked[i];

		if (asked->is_unable)
			continue;
		silent_anchors += asked->is_anchor;
		has_second = has_second || (!asked->is_anchor && strcmp(first, asked->host) != 0);
	}
	return has_second || silent_anchors > 0;
}

static void decide(struct doubt *doubt)
{
	if (doubt->heard)
		end(doubt, DOUBT_LATE);
	else
		end(doubt, is_cut_off(doubt) ? DOUBT_CUT_OFF : DOUBT_COUNTS);
}

/* ---- questions ---- */

static void on_answer(void *data, enum knock_answer answer)
{
	struct asked *asked = data;
	struct doubt *doubt = asked->doubt;
	bool soon = asked->is_first && clock_steady_ms() - doubt->began_ms <= DOUBT_SOON_MS;

	asked->knock = NULL;
	asked->is_unable = answer == KNOCK_UNABLE;
	if (answer != KNOCK_ANSWERED)
		return;
	if (!asked->is_anchor)
		text_copy(doubt->friend, sizeof(doubt->friend), asked->host);
	if (soon)
		doubt->proven_ms = doubt->began_ms;
	end(doubt, soon ? DOUBT_COUNTS : DOUBT_LATE);
}

static void ask(struct doubt *doubt, const char *host, int port, bool is_anchor)
{
	struct asked *asked;

	if (doubt->asked_count == DOUBT_ASKS)
		return;
	asked = mem_zalloc(1, sizeof(*asked));
	asked->doubt = doubt;
	asked->host = mem_strdup(host);
	asked->is_anchor = is_anchor;
	asked->is_first = doubt->step == 0;
	doubt->asked[doubt->asked_count++] = asked;
	doubt->anchors += is_anchor;
	asked->knock = doubt->watches->prober->knock(doubt->watches->probes, host, port, on_answer, asked);
}

static bool was_asked(const struct doubt *doubt, const char *host)
{
	for (size_t i = 0; i < doubt->asked_count; i++) {
		if (!doubt->asked[i]->is_anchor && strcmp(doubt->asked[i]->host, host) == 0)
			return true;
	}
	return false;
}

/* Whether the watch's silence would mean something: it is in place, not on this machine, nor on the host of `about`. */
static bool may_be_asked(struct doubt *doubt, const struct watch *watch, const struct watch *about)
{
	return node_is_in_place(watch->node) && doubt_is_away(doubt, watch) &&
	       strcmp(doubt_host(watch), doubt_host(about)) != 0 && !was_asked(doubt, doubt_host(watch));
}

/* The next to be asked; one that fails itself only when no other is there. NULL: none. */
static const struct watch *find(struct doubt *doubt, const struct watch *about)
{
	const struct watches *watches = doubt->watches;
	size_t most = watches->count < LOOKED_AT ? watches->count : LOOKED_AT;
	const struct watch *failing = NULL;

	for (size_t i = 0; i < most; i++) {
		const struct watch *watch = watches->by_order[doubt->cursor++ % watches->count];

		if (!may_be_asked(doubt, watch, about))
			continue;
		if (!node_is_failing(watch->node) && !watch->is_doubted)
			return watch;
		failing = failing != NULL ? failing : watch;
	}
	return failing;
}

/* Asks so many more hosts. Returns whether there was one. */
static bool ask_hosts(struct doubt *doubt, int count)
{
	const struct watch *about = doubt->about.items[0];

	for (int i = 0; i < count; i++) {
		const struct watch *watch = find(doubt, about);

		if (watch == NULL)
			return i > 0;
		ask(doubt, doubt_host(watch), watch->node->config->port, false);
	}
	return true;
}

/* Asks the host that answered last, unless the doubt is about it. */
static void ask_friend(struct doubt *doubt)
{
	const struct watches *watches = doubt->watches;
	size_t most = watches->count < LOOKED_AT ? watches->count : LOOKED_AT;

	for (size_t i = 0; doubt->friend[0] != '\0' && i < most; i++) {
		const struct watch *watch = watches->by_order[i];

		if (strcmp(doubt_host(watch), doubt->friend) == 0 && may_be_asked(doubt, watch, doubt->about.items[0])) {
			ask(doubt, doubt->friend, watch->node->config->port, false);
			return;
		}
	}
}

static int64_t time_left(const struct doubt *doubt)
{
	return doubt->began_ms + doubt->watches->config->query_timeout_ms - clock_steady_ms();
}

/* More hosts are asked in quick steps; after the last one all have the rest of the time. */
static void plan_step(struct doubt *doubt)
{
	int64_t step_ms = doubt->watches->config->query_timeout_ms / DOUBT_STEPS;

	if (step_ms > DOUBT_STEP_MS)
		step_ms = DOUBT_STEP_MS;
	if (doubt->step >= DOUBT_STEPS - 1)
		step_ms = time_left(doubt);
	deadline_start(&doubt->timer, step_ms > 0 ? step_ms : 1);
}

static void on_step(void *data)
{
	struct doubt *doubt = data;

	if (doubt->stalls != deadlines_stalls(doubt->watches->deadlines)) { /* silence means nothing then (P4) */
		end(doubt, DOUBT_LATE);
		return;
	}
	if (time_left(doubt) <= 0) {
		decide(doubt);
		return;
	}
	if (++doubt->step < DOUBT_STEPS)
		(void)ask_hosts(doubt, 2 << doubt->step);
	plan_step(doubt);
}

static bool begin(struct doubt *doubt)
{
	const struct config *config = doubt->watches->config;
	bool any;

	doubt->began_ms = clock_steady_ms();
	doubt->stalls = deadlines_stalls(doubt->watches->deadlines);
	doubt->step = 0;
	doubt->heard = false;
	ask_friend(doubt);
	any = ask_hosts(doubt, 2) || doubt->asked_count > 0 || config->anchor_count > 0;
	for (size_t i = 0; i < config->anchor_count; i++)
		ask(doubt, config->anchors[i].host, config->anchors[i].port, true);
	if (any)
		plan_step(doubt);
	return any;
}

bool doubt_raise(struct doubt *doubt, struct watch *watch)
{
	bool was_open = is_open(doubt);

	if (watch->is_doubted)
		return true;
	list_add(&doubt->about, watch);
	watch->is_doubted = true;
	if (was_open || begin(doubt))
		return true;
	doubt_forget(doubt, watch);
	return false;
}

bool doubt_is_settled(const struct doubt *doubt, int64_t since_ms)
{
	return doubt->proven_ms != INT64_MIN && doubt->proven_ms >= since_ms - SETTLED_MS;
}

void doubt_hear(struct doubt *doubt, int64_t asked_ms)
{
	if (is_open(doubt) && asked_ms >= doubt->began_ms)
		doubt->heard = true;
}

void doubt_forget(struct doubt *doubt, struct watch *watch)
{
	if (!watch->is_doubted)
		return;
	watch->is_doubted = false;
	list_remove(&doubt->about, watch);
	if (!is_open(doubt))
		doubt_call_off(doubt);
}

const struct watch *doubt_other(struct doubt *doubt, const struct watch *watch)
{
	return find(doubt, watch);
}

void doubt_open(struct doubt *doubt, struct watches *watches, void (*ended)(void *data, enum doubt_verdict verdict),
		void *data)
{
	*doubt = (struct doubt){ .watches = watches, .ended = ended, .data = data, .proven_ms = INT64_MIN };
	deadline_init(&doubt->timer, watches->deadlines, on_step, doubt);
}

void doubt_close(struct doubt *doubt)
{
	doubt_call_off(doubt);
	list_free(&doubt->about);
	own_free(&doubt->own);
}
