#include "council/belief.h"

#define MARGIN_MS 100

/* Until when the term is sure by a renewal that was sent at `sent_ms`. */
static int64_t sure_until(const struct belief *belief, int64_t sent_ms)
{
	return sent_ms + belief->ttl_ms - belief->ttl_ms / 10 - MARGIN_MS;
}

void belief_begin(struct belief *belief, int64_t term, int64_t ttl_ms, int64_t sent_ms)
{
	*belief = (struct belief){ .term = term, .ttl_ms = ttl_ms, .renewed_ms = sent_ms };
	belief->sure_ms = sure_until(belief, sent_ms);
}

bool belief_renewed(struct belief *belief, int64_t sent_ms, int64_t now_ms)
{
	if (belief->term == 0)
		return false;
	if (sent_ms > belief->renewed_ms)
		belief->renewed_ms = sent_ms;
	if (!belief_is_sure(belief, now_ms))
		return true;
	belief->sure_ms = sure_until(belief, belief->renewed_ms);
	return false;
}

bool belief_read(struct belief *belief, int64_t term, int64_t sent_ms, int64_t now_ms)
{
	if (belief->term == 0)
		return true;
	if (term != belief->term) {
		belief->term = 0;
		belief->sure_ms = 0;
		return false;
	}
	if (!belief_is_sure(belief, now_ms) && sent_ms > belief->sure_ms)
		belief->sure_ms = sure_until(belief, belief->renewed_ms);
	return true;
}

bool belief_is_sure(const struct belief *belief, int64_t now_ms)
{
	return belief->term != 0 && now_ms < belief->sure_ms;
}
