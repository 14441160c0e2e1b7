#include "council/clerk.h"

#include <stdlib.h>

#include "base/mem.h"
#include "council/office.h"
#include "system/thread.h"

#define SECOND_MS 1000

static void on_missive(void *data, void *message)
{
	office_take(data, message);
}

static void drop_missive(void *message)
{
	struct missive *missive = message;

	missive_free(&missive);
}

void clerk_tell(struct clerk *clerk, struct missive *missive)
{
	mailbox_send(clerk->mailbox, missive);
}

static void close_loop(struct clerk *clerk)
{
	client_free(&clerk->client);
	timer_free(&clerk->again);
	mailbox_free(&clerk->mailbox, drop_missive);
	(void)uv_run(&clerk->loop, UV_RUN_DEFAULT);
	(void)uv_loop_close(&clerk->loop);
}

static void *run(void *data)
{
	struct clerk *clerk = data;

	(void)pthread_setname_np(pthread_self(), "clerk");
	office_open(clerk);
	(void)uv_run(&clerk->loop, UV_RUN_DEFAULT);
	office_close(clerk);
	close_loop(clerk);
	return NULL;
}

static void forget(struct clerk *clerk)
{
	free(clerk->prefix);
	free(clerk->name);
	free(clerk->instance);
	free(clerk->host);
	free(clerk->value);
	away_free(&clerk->away);
	free(clerk);
}

struct clerk *clerk_new(const struct clerk_start *start)
{
	struct clerk *clerk = mem_zalloc(1, sizeof(*clerk));

	clerk->prefix = mem_strdup(start->prefix);
	clerk->name = mem_strdup(start->name);
	clerk->instance = mem_strdup(start->instance);
	clerk->host = mem_strdup(start->host);
	clerk->value = mem_strdup(start->value);
	clerk->ttl_ms = start->ttl_s * SECOND_MS;
	clerk->turned_ms = start->turned_ms;
	clerk->sure = start->sure;
	clerk->say = start->say;
	clerk->data = start->data;
	if (uv_loop_init(&clerk->loop) != 0) {
		forget(clerk);
		return NULL;
	}
	clerk->mailbox = mailbox_new(&clerk->loop, on_missive, clerk);
	clerk->client = client_new(&clerk->loop, &start->etcd);
	clerk->again = timer_new(&clerk->loop, office_again, clerk);
	if (thread_start(&clerk->thread, run, clerk) == 0)
		return clerk;
	close_loop(clerk);
	forget(clerk);
	return NULL;
}

bool clerk_free(struct clerk **clerk_p, int64_t ms)
{
	struct clerk *clerk = *clerk_p;

	*clerk_p = NULL;
	if (clerk == NULL)
		return true;
	if (!thread_join_within(clerk->thread, ms))
		return false;
	forget(clerk);
	return true;
}
