#include "monitor/rivals.h"

#include "monitor/measure.h"

#define SOON_MS 20        /* how soon open rounds are looked at again */
#define PATIENCE_MS 2000  /* how long an event waits for what may still found a cluster */
#define REMINDER_MS 60000

static struct watches *watches_of(const struct rivals *rivals)
{
	return rivals->clusters->seats->watches;
}

static struct group *group_of(const struct rivals *rivals, const struct node *node)
{
	return clusters_group(rivals->clusters, node->cluster);
}

/* Whether the start is over for the node: what happens to it is told. */
static bool has_begun(const struct rivals *rivals, const struct node *node)
{
	return rivals->founding->phase == FOUNDING_OVER && (node->cluster == NULL || !node->cluster->starting);
}

/* ---- nodes that are asked anew ---- */

/* Whether the node may be asked now: not while its group's round is open, which may be about to send it a beat. */
static bool may_be_asked(const struct rivals *rivals, const struct node *node)
{
	return has_begun(rivals, node) && !group_of(rivals, node)->open;
}

static void ask_wanted(struct rivals *rivals)
{
	struct fleet *fleet = watches_of(rivals)->fleet;
	size_t kept = 0;

	for (size_t i = 0; i < fleet->wanted.count; i++) {
		struct node *node = fleet->wanted.items[i];

		if (!may_be_asked(rivals, node)) {
			fleet->wanted.items[kept++] = node;
			continue;
		}
		node->kin.is_wanted = false;
		if (!watches_of(rivals)->quiet)
			watch_look(watch_of(watches_of(rivals), node));
	}
	fleet->wanted.count = kept;
}

/* ---- what is told ---- */

/* Whether its group's changes were told; `patient`: and no open or due round may found a cluster for the node. */
static bool is_settled(const struct rivals *rivals, const struct node *node, bool patient)
{
	const struct group *group = group_of(rivals, node);

	if (!has_begun(rivals, node) || group_is_judging(group))
		return false;
	return !patient || node->place == PLACE_MASTER || !(group->open || group->again || timer_is_set(group->early));
}

static bool may_be_told(const struct rivals *rivals, const struct dispute *dispute, int64_t now_ms)
{
	bool patient = now_ms - dispute->found_ms < PATIENCE_MS;

	return is_settled(rivals, dispute->newer, patient) && is_settled(rivals, dispute->older, patient);
}

/* Fires split_brain for disputes that may be told. Returns whether some still wait. */
static bool tell_new(struct rivals *rivals, int64_t now_ms)
{
	const struct list *disputes = &watches_of(rivals)->fleet->disputes;
	bool waits = false;

	for (size_t i = 0; i < disputes->count; i++) {
		struct dispute *dispute = disputes->items[i];
		struct change change;

		if (dispute->told)
			continue;
		if (!may_be_told(rivals, dispute, now_ms)) {
			waits = true;
			continue;
		}
		dispute->told = true;
		rivals->reminded_ms = now_ms;
		change = tell_split(dispute->newer, dispute->older);
		publish_event(rivals->publisher, EVENT_SPLIT_BRAIN, dispute->newer->cluster, &change);
	}
	return waits;
}

/* Whether a dispute that was told still lasts: both nodes answer. What a silent one is nobody knows. */
static bool lasts(const struct dispute *dispute)
{
	return dispute->told && dispute->newer->failure.attempts == 0 && dispute->older->failure.attempts == 0;
}

static void remind(struct rivals *rivals, int64_t now_ms)
{
	const struct list *disputes = &watches_of(rivals)->fleet->disputes;
	const struct dispute *first = NULL;
	size_t count = 0;

	if (now_ms - rivals->reminded_ms < REMINDER_MS)
		return;
	for (size_t i = 0; i < disputes->count; i++) {
		if (!lasts(disputes->items[i]))
			continue;
		if (count++ == 0)
			first = disputes->items[i];
	}
	if (first != NULL)
		tell_split_lasts(first->newer, first->older, count - 1);
	rivals->reminded_ms = now_ms;
}

static void on_time(void *data)
{
	struct rivals *rivals = data;
	const struct fleet *fleet = watches_of(rivals)->fleet;
	int64_t now_ms = clock_steady_ms();

	ask_wanted(rivals);
	rivals->is_soon = tell_new(rivals, now_ms) || fleet->wanted.count > 0;
	remind(rivals, now_ms);
	if (rivals->is_soon)
		timer_start(rivals->timer, SOON_MS);
	else if (fleet->disputes.count > 0)
		timer_start(rivals->timer, rivals->reminded_ms + REMINDER_MS - now_ms);
}

void rivals_open(struct rivals *rivals, const struct founding *founding, struct clusters *clusters,
		 struct publisher *publisher)
{
	*rivals = (struct rivals){ .founding = founding, .clusters = clusters, .publisher = publisher };
	rivals->timer = timer_new(watches_of(rivals)->loop, on_time, rivals);
}

void rivals_close(struct rivals *rivals)
{
	timer_free(&rivals->timer);
}

void rivals_saw(struct rivals *rivals, struct node *node, const struct moment *now)
{
	struct fleet *fleet = watches_of(rivals)->fleet;
	size_t before = fleet->disputes.count;

	if (node->kin.system != NULL)
		dispute_find(fleet, node, now);
	measure_splits(watches_of(rivals));
	if (rivals->is_soon || (fleet->disputes.count == before && fleet->wanted.count == 0))
		return;
	rivals->is_soon = true;
	timer_start(rivals->timer, 0);
}
