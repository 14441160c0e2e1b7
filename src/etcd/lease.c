#include "etcd/lease.h"

#include <stdlib.h>

#include "base/mem.h"
#include "loop/clock.h"
#include "loop/timer.h"

#define RETRY_MS 200 /* between two tries to revoke */

struct lease {
	struct client *client;
	int64_t wanted_s;
	int64_t id; /* 0: none */
	int64_t ttl_s;
	struct client_call *call;
	struct timer *next;
	bool (*may_renew)(void *data);
	void (*told)(void *data, const struct lease_news *news);
	void *data;
	int64_t revoke_by_ms; /* steady: when revoking it is given up; 0: it is kept; -1: revoking has ended */
	void (*revoked)(void *data, bool gone);
	void *revoked_data;
};

static int64_t ttl_ms(const struct lease *lease)
{
	return (lease->id != 0 ? lease->ttl_s : lease->wanted_s) * 1000;
}

/* Tells the owner; to be called last, as he may free the lease. */
static void tell(struct lease *lease, enum lease_word word, const struct answer *answer)
{
	const struct lease_news news = {
		.word = word, .id = lease->id, .ttl_s = lease->ttl_s, .sent_ms = answer->sent_ms, .answer = answer,
	};

	if (word == LEASE_GONE) {
		lease->id = 0;
		timer_stop(lease->next);
	}
	lease->told(lease->data, &news);
}

static void on_granted(void *data, struct answer *answer)
{
	struct lease *lease = data;

	lease->call = NULL;
	if (answer->outcome == ETCD_DONE) {
		lease->id = answer->lease;
		lease->ttl_s = answer->ttl_s;
		timer_start(lease->next, answer->sent_ms + ttl_ms(lease) / 3 - clock_steady_ms());
	}
	tell(lease, answer->outcome == ETCD_DONE ? LEASE_GRANTED : LEASE_FAILED, answer);
}

static void on_renewed(void *data, struct answer *answer)
{
	struct lease *lease = data;

	lease->call = NULL;
	if (answer->outcome == ETCD_DONE) {
		lease->ttl_s = answer->ttl_s;
		tell(lease, LEASE_RENEWED, answer);
	} else {
		tell(lease, answer->reason == ETCD_REASON_LEASE_GONE ? LEASE_GONE : LEASE_FAILED, answer);
	}
}

static void ask(struct lease *lease, struct body *body, int64_t timeout_ms,
		void (*done)(void *data, struct answer *answer))
{
	client_cancel(&lease->call); /* there is none, unless the loop stood still for long */
	lease->call = client_ask(lease->client, body, timeout_ms, done, lease);
	body_free(body);
}

static void renew(struct lease *lease)
{
	struct body body = { 0 };

	if (!lease->may_renew(lease->data)) {
		timer_start(lease->next, ttl_ms(lease) / 12);
		return;
	}
	timer_start(lease->next, ttl_ms(lease) / 3);
	body_renew(&body, lease->id);
	ask(lease, &body, ttl_ms(lease) / 4, on_renewed);
}

static void grant(struct lease *lease)
{
	struct body body = { 0 };

	timer_start(lease->next, ttl_ms(lease) / 3);
	body_grant(&body, lease->wanted_s);
	ask(lease, &body, ttl_ms(lease) / 4, on_granted);
}

/* Tells once how revoking it has ended; only from the loop. */
static void end_revoke(struct lease *lease, bool gone)
{
	void (*revoked)(void *data, bool gone) = lease->revoked;

	lease->id = 0;
	lease->revoke_by_ms = -1;
	timer_stop(lease->next);
	revoked(lease->revoked_data, gone);
}

static void on_revoked(void *data, struct answer *answer)
{
	struct lease *lease = data;

	lease->call = NULL;
	if (answer->outcome == ETCD_DONE || answer->reason == ETCD_REASON_LEASE_GONE)
		end_revoke(lease, true);
	else
		timer_start(lease->next, RETRY_MS);
}

static void send_revoke(struct lease *lease)
{
	struct body body = { 0 };
	int64_t left = lease->revoke_by_ms - clock_steady_ms();

	if (left <= 0 || lease->id == 0) {
		end_revoke(lease, lease->id == 0);
		return;
	}
	body_revoke(&body, lease->id);
	ask(lease, &body, left < ttl_ms(lease) / 4 ? left : ttl_ms(lease) / 4, on_revoked);
}

static void on_next(void *data)
{
	struct lease *lease = data;

	if (lease->revoke_by_ms > 0)
		send_revoke(lease);
	else if (lease->id != 0)
		renew(lease);
	else
		grant(lease);
}

struct lease *lease_start(struct client *client, int64_t ttl_s, bool (*may_renew)(void *data),
			  void (*told)(void *data, const struct lease_news *news), void *data)
{
	struct lease *lease = mem_zalloc(1, sizeof(*lease));

	lease->client = client;
	lease->wanted_s = ttl_s;
	lease->may_renew = may_renew;
	lease->told = told;
	lease->data = data;
	lease->next = timer_new(client_loop(client), on_next, lease);
	grant(lease);
	return lease;
}

void lease_revoke(struct lease *lease, int64_t timeout_ms, void (*done)(void *data, bool gone), void *data)
{
	client_cancel(&lease->call);
	lease->revoke_by_ms = clock_steady_ms() + timeout_ms;
	lease->revoked = done;
	lease->revoked_data = data;
	timer_start(lease->next, 0);
}

void lease_free(struct lease **lease_p)
{
	struct lease *lease = *lease_p;

	*lease_p = NULL;
	if (lease == NULL)
		return;
	client_cancel(&lease->call);
	timer_free(&lease->next);
	free(lease);
}
