#include "core/vouch.h"

#include <string.h>

#include "base/hash.h"

static uint64_t sender_of(const struct hearing *hearing)
{
	return hash64_text(HASH64_BEGIN, hearing->sender) ^ (uint64_t)hearing->port;
}

static bool is_at(const struct node *master, const char *address, const struct hearing *hearing)
{
	return hearing->port == master->config->port &&
	       (strcmp(hearing->sender, master->config->host) == 0 ||
		(address[0] != '\0' && strcmp(hearing->sender, address) == 0));
}

struct heard heard_of(const struct hearing *hearing, const struct node *master, const char *address)
{
	struct heard heard = {
		.has_lsn = hearing->has_lsn,
		.streams = hearing->streams,
		.is_told = hearing->is_told,
		.lsn = hearing->lsn,
	};

	if (!hearing->is_told)
		return heard;
	heard.is_from_master = master != NULL && is_at(master, address, hearing);
	heard.sender = sender_of(hearing);
	heard.timeline = hearing->timeline;
	heard.received_us = hearing->received_us;
	heard.now_us = hearing->now_us;
	return heard;
}

/* Whether the slave has replayed a beat that was written after it had said this. */
static bool is_proven(const struct usual *usual, const struct node *slave)
{
	return usual->stamp_ms != 0 && slave->has_shown && usual->stamp_ms <= slave->shown_tstamp;
}

void hearer_note_usual(struct hearer *hearer, const struct heard *heard, const struct node *slave,
		       const struct moment *now)
{
	if (!heard->is_told)
		return;
	if (is_proven(&hearer->newest, slave))
		hearer->proven = hearer->newest;
	hearer->newest = (struct usual){ .heard = *heard, .stamp_ms = now->stamp_ms, .wall_ms = now->wall_ms };
}

/* Returns how the slave received the beats of the present holder; NULL: that is not known. */
static const struct heard *usual_of(const struct hearer *hearer, const struct node *slave)
{
	const struct usual *usual = is_proven(&hearer->newest, slave) ? &hearer->newest : &hearer->proven;
	const struct cluster *cluster = slave->cluster;

	if (!is_proven(usual, slave) || cluster->seat == NULL ||
	    (cluster->holder_count > 0 && usual->wall_ms < cluster->seat->since_ms))
		return NULL; /* nothing is proven, or only for the time of an earlier holder */
	return &usual->heard;
}

static bool has_grown(const struct hearer *hearer, uint64_t highest)
{
	return hearer->has_base && hearer->base.has_lsn && hearer->now.has_lsn &&
	       hearer->now.lsn > hearer->base.lsn && hearer->now.lsn > highest;
}

static bool was_written_to(const struct hearer *hearer)
{
	return hearer->has_base && hearer->base.is_told && hearer->now.is_told && hearer->now.is_from_master &&
	       hearer->now.received_us > hearer->base.now_us;
}

enum vouch hearer_vouches(const struct hearer *hearer, uint64_t highest, const struct node *slave)
{
	const struct heard *usual = usual_of(hearer, slave);
	const struct heard *now = &hearer->now;

	if (!hearer->has_now || !now->streams)
		return VOUCH_NONE;
	if (now->is_told && usual != NULL &&
	    (usual->sender != now->sender || usual->timeline != now->timeline))
		return VOUCH_NONE;
	if (was_written_to(hearer))
		return VOUCH_SURE;
	if (!has_grown(hearer, highest))
		return VOUCH_NONE;
	return now->is_told && (usual != NULL || now->is_from_master) ? VOUCH_SURE : VOUCH_BLIND;
}

/* Returns the time (slave's clock) that the next message must be later than to vouch, so that each one vouches once. */
static int64_t next_clock(const struct hearer *hearer)
{
	if (!hearer->has_base || !hearer->base.is_told)
		return hearer->now.now_us;
	return hearer->now.received_us > hearer->base.now_us ? hearer->now.received_us : hearer->base.now_us;
}

void hearer_settle(struct hearer *hearer, uint64_t *highest)
{
	int64_t clock_us;

	if (!hearer->has_now)
		return;
	clock_us = next_clock(hearer);
	if (hearer->now.has_lsn && hearer->now.lsn > *highest)
		*highest = hearer->now.lsn;
	hearer->base = hearer->now;
	hearer->base.now_us = clock_us;
	hearer->has_base = true;
	hearer->has_now = false;
}

/* ---- in the fleet's state ---- */

void node_vouch(struct node *node, int64_t until_ms, int witnesses)
{
	if ((node->failure.vouched_ms != 0) != (until_ms != 0) || node->failure.witnesses != witnesses)
		node_touch(node);
	node->failure.vouched_ms = until_ms;
	node->failure.witnesses = witnesses;
}

int64_t vouch_until(const struct fleet *fleet, const struct cluster *cluster, int64_t at_ms, bool is_blind)
{
	int64_t until_ms = at_ms + fleet->config->query_timeout_ms;
	int64_t last_ms = cluster->beats.last_steady_ms + fleet->config->max_sync_delay_ms;

	if (!is_blind || (cluster->beats.count > 0 && last_ms > until_ms))
		return until_ms;
	return cluster->beats.count > 0 && last_ms > at_ms ? last_ms : 0;
}

void node_take_votes(struct node *node, const struct votes *votes, bool see)
{
	if (node->failure.others_see != see)
		node_touch(node);
	node->failure.others_see = see;
	votes_free(&node->votes);
	node->votes = votes_copy(votes);
}

int64_t node_vouch_ends(const struct node *node)
{
	if (node->place != PLACE_MASTER)
		return INT64_MIN;
	if (node->failure.others_see)
		return INT64_MAX;
	return node->failure.vouched_ms != 0 ? node->failure.vouched_ms : INT64_MIN;
}

int64_t node_others_end(const struct node *node)
{
	return node->place == PLACE_SLAVE && node->failure.others_see ? INT64_MAX : INT64_MIN;
}

bool node_is_vouched_for(const struct node *node, const struct moment *now)
{
	return node->failure.attempts > 0 && now->steady_ms < node_vouch_ends(node);
}
