#include "council/reg.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "loop/clock.h"
#include "loop/timer.h"
#include "system/birth.h"

#define AGAIN_MS 100
#define ASK_PARTS 4   /* a request may take this part of the lease's time */
#define GRACE_MS 1000 /* etcd may end a lease this much after its time is over */

struct reg {
	struct client *client;
	char *key;
	char *instance;
	char *host;
	char *value; /* what the entry has to say; NULL: not known yet */
	struct reg_events events;
	int64_t lease; /* 0: none */
	int64_t ttl_ms;
	int64_t other_ms;       /* steady: since when the entry is another process's; 0: it is not */
	int64_t other_revision; /* the mod_revision of the entry that we may replace; 0: there must be none */
	bool is_in;             /* the entry is ours */
	bool is_told;           /* events.taken was called */
	bool is_new;            /* `value` or the lease is not yet written */
	struct client_call *call; /* the request under way; NULL: none */
	struct timer *again;
};

static void put(struct reg *reg);

static void on_again(void *data)
{
	put(data);
}

static void try_later(struct reg *reg)
{
	timer_start(reg->again, AGAIN_MS);
}

/* What an entry says of the process that wrote it; the texts are the JSON's. */
struct owner {
	const char *host;
	const char *birth; /* NULL: an earlier version wrote none */
	pid_t pid;
	bool is_us; /* it is our own entry, with an earlier lease */
	enum birth_state state;
};

static enum birth_state look(const struct reg *reg, const struct owner *owner)
{
	bool has_our_pid = owner->birth == NULL && owner->pid == getpid(); /* the container was restarted */

	if (owner->is_us)
		return BIRTH_ENDED;
	if (!text_same(owner->host, reg->host) || owner->pid <= 0)
		return BIRTH_UNKNOWN;
	return has_our_pid ? BIRTH_ENDED : birth_look(owner->pid, owner->birth);
}

static struct owner owner_of(const struct reg *reg, const json_t *other)
{
	struct owner owner = {
		.host = json_string_value(json_object_get(other, "host")),
		.birth = json_string_value(json_object_get(other, "birth")),
		.pid = (pid_t)json_integer_value(json_object_get(other, "pid")),
		.is_us = text_same(json_string_value(json_object_get(other, "instance")), reg->instance),
	};

	owner.state = look(reg, &owner);
	return owner;
}

/* Says once what is done about the other's entry, where people have to wait for it or to know of it. */
static void say_owner(const struct reg *reg, const struct owner *owner)
{
	const char *host = owner->host != NULL ? owner->host : "an unknown host";

	if (owner->state == BIRTH_UNKNOWN)
		log_error("this monitor's name is still that of process %ld on host %s: this one waits until the"
			  " lease of that is over, %" PRId64 " s at most",
			  (long)owner->pid, host, (reg->ttl_ms + GRACE_MS) / 1000);
	else if (owner->state == BIRTH_ENDED && !owner->is_us)
		log_error("this monitor takes its name over from process %ld, which has ended", (long)owner->pid);
}

/* Takes what the entry holds after our comparison has failed. */
static void take_other(struct reg *reg, const struct etcd_pair *pair)
{
	json_t *other = json_loadb(pair->value, pair->value_len, 0, NULL);
	struct owner owner = owner_of(reg, other);
	int64_t now_ms = clock_steady_ms();

	if (reg->other_ms == 0) {
		reg->other_ms = now_ms;
		say_owner(reg, &owner);
	}
	reg->other_revision = owner.state == BIRTH_ENDED ? pair->mod_revision : 0;
	if (owner.state != BIRTH_ENDED && !reg->is_told &&
	    (owner.state == BIRTH_LIVES || now_ms - reg->other_ms > reg->ttl_ms + GRACE_MS)) {
		reg->is_told = true;
		reg->events.taken(reg->events.data, pair->value);
	}
	json_decref(other);
}

static void on_answer(void *data, struct answer *answer)
{
	struct reg *reg = data;

	reg->call = NULL;
	if (answer->outcome == ETCD_DONE) {
		bool was_in = reg->is_in;

		reg->is_in = true;
		reg->is_told = false;
		reg->other_ms = 0;
		reg->other_revision = answer->header.revision;
		if (!was_in)
			reg->events.in(reg->events.data);
		if (reg->is_new)
			put(reg);
		return;
	}
	reg->is_new = true;
	if (answer->outcome == ETCD_DIFFERS && answer->part_count > 0 && answer->parts[0].pairs.count > 0)
		take_other(reg, &answer->parts[0].pairs.items[0]);
	else if (answer->outcome == ETCD_DIFFERS)
		reg->other_revision = 0; /* the entry is not there any more */
	try_later(reg);
}

static void put(struct reg *reg)
{
	struct body body;

	if (reg->call != NULL || reg->lease == 0 || reg->value == NULL || !reg->is_new)
		return;
	reg->is_new = false;
	body_txn(&body);
	body_compare(&body, reg->key, BODY_MOD_REVISION, BODY_EQUAL, reg->other_revision);
	body_put(&body, BODY_SUCCESS, reg->key, reg->value, strlen(reg->value), reg->lease);
	body_get(&body, BODY_FAILURE, reg->key, false);
	reg->call = client_ask(reg->client, &body, reg->ttl_ms / ASK_PARTS, on_answer, reg);
	body_free(&body);
}

struct reg *reg_new(const struct reg_start *start)
{
	struct reg *reg = mem_zalloc(1, sizeof(*reg));

	reg->client = start->client;
	reg->key = mem_strdup(start->key);
	reg->instance = mem_strdup(start->instance);
	reg->host = mem_strdup(start->host);
	reg->events = *start->events;
	reg->again = timer_new(client_loop(start->client), on_again, reg);
	return reg;
}

void reg_has_lease(struct reg *reg, int64_t lease, int64_t ttl_ms)
{
	reg->lease = lease;
	reg->ttl_ms = ttl_ms;
	reg->is_in = false; /* the entry was deleted with the earlier lease */
	reg->is_new = true;
	put(reg);
}

void reg_say(struct reg *reg, const char *value)
{
	if (text_same(reg->value, value))
		return;
	free(reg->value);
	reg->value = mem_strdup(value);
	reg->is_new = true;
	put(reg);
}

void reg_free(struct reg **reg_p)
{
	struct reg *reg = *reg_p;

	*reg_p = NULL;
	if (reg == NULL)
		return;
	client_cancel(&reg->call);
	timer_free(&reg->again);
	free(reg->key);
	free(reg->instance);
	free(reg->host);
	free(reg->value);
	free(reg);
}
