#include "monitor/listener.h"

#include <stdlib.h>

#include "base/mem.h"

enum asked {
	ASKED_NOT,
	ASKED_SOON, /* when its look has ended */
	ASKED_NOW,
	ASKED_LATE  /* in a look that is over: its answer says nothing */
};

/* A slave, as it speaks of its master. */
struct listener {
	struct hearer hearer;
	enum asked asked;
	int64_t base_ms; /* steady: when the answer came that the next is compared with */
};

static struct listener *listener_of(struct watch *watch)
{
	if (watch->listener == NULL)
		watch->listener = mem_zalloc(1, sizeof(*watch->listener));
	return watch->listener;
}

/* The next slave of the cluster from `*at` on; NULL: there is none. */
static struct watch *next_slave(const struct watch *master, size_t *at)
{
	const struct cluster *cluster = master->node->cluster;

	while (cluster != NULL && *at < cluster->members.count) {
		const struct node *node = cluster->members.items[(*at)++];

		if (node->place == PLACE_SLAVE)
			return watch_of(master->all, node);
	}
	return NULL;
}

/* Whether it is asked, at once or soon. */
static bool ask(struct watch *watch)
{
	struct listener *listener = listener_of(watch);

	if (watch->all->prober->hear(watch->probe))
		listener->asked = ASKED_NOW;
	else if (watch_is_busy(watch) && watch->node->kept) /* else it waits for a connect */
		listener->asked = ASKED_SOON;
	return listener->asked == ASKED_NOW || listener->asked == ASKED_SOON;
}

size_t listeners_ask(const struct watch *master, int64_t since_ms)
{
	struct watch *slave;
	size_t count = 0;
	size_t at = 0;

	while ((slave = next_slave(master, &at)) != NULL) {
		struct listener *listener = listener_of(slave);

		listener->hearer.has_now = false;
		if (listener->base_ms < since_ms) /* it came in another failure */
			listener->hearer.has_base = false;
		count += ask(slave);
	}
	return count;
}

int listeners_count(const struct watch *master, uint64_t highest, bool *is_blind)
{
	struct watch *slave;
	size_t at = 0;
	int count = 0;

	*is_blind = true;
	while ((slave = next_slave(master, &at)) != NULL) {
		struct hearer *hearer = &listener_of(slave)->hearer;
		enum vouch vouch = hearer_vouches(hearer, highest, slave->node);

		hearer->vouches = vouch != VOUCH_NONE;
		count += hearer->vouches;
		*is_blind = *is_blind && vouch != VOUCH_SURE;
	}
	return count;
}

bool listeners_settle(const struct watch *master, uint64_t *highest)
{
	struct watch *slave;
	size_t at = 0;
	bool any = false;

	while ((slave = next_slave(master, &at)) != NULL) {
		struct listener *listener = listener_of(slave);

		if (listener->asked != ASKED_NOT)
			listener->asked = listener->asked == ASKED_SOON ? ASKED_NOT : ASKED_LATE;
		if (listener->hearer.has_now)
			listener->base_ms = clock_steady_ms();
		hearer_settle(&listener->hearer, highest);
		any = any || (listener->hearer.has_base &&
			      (listener->hearer.base.has_lsn || listener->hearer.base.is_told));
	}
	return any;
}

void listeners_list(const struct watch *master, struct list *witnesses)
{
	struct watch *slave;
	size_t at = 0;

	while ((slave = next_slave(master, &at)) != NULL) {
		if (slave->listener != NULL && slave->listener->hearer.vouches)
			list_add(witnesses, slave->node);
	}
}

void listener_is_free(struct watch *slave)
{
	if (slave->listener != NULL && slave->listener->asked == ASKED_SOON)
		(void)ask(slave);
}

static void note_usual(struct watch *slave, const struct hearing *hearing)
{
	struct moment now = clock_now(slave->all->clock);
	struct heard heard = heard_of(hearing, NULL, "");

	hearer_note_usual(&listener_of(slave)->hearer, &heard, slave->node, &now);
}

bool listener_heard(struct watch *slave, const struct watch *master, const struct hearing *hearing)
{
	struct listener *listener = slave->listener;
	enum asked asked = listener != NULL ? listener->asked : ASKED_NOT;

	if (asked == ASKED_NOT && hearing->is_told)
		note_usual(slave, hearing);
	if (asked == ASKED_NOT)
		return false;
	listener->asked = ASKED_NOT;
	if (asked == ASKED_LATE || master == NULL)
		return false;
	listener->hearer.now = heard_of(hearing, master->node, slave->all->prober->address(master->probe));
	listener->hearer.has_now = true;
	return true;
}

void listener_free(struct watch *watch)
{
	free(watch->listener);
	watch->listener = NULL;
}
