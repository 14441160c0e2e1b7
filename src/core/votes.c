#include "core/votes.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

const char *vote_says_name(enum vote_says says)
{
	static const char *const names[VOTE_SAYS + 1] = {
		[VOTE_OPEN] = "open",
		[VOTE_ANSWERS] = "answers",
		[VOTE_FAILS] = "fails",
		[VOTE_CANNOT] = "cannot say",
		[VOTE_SAYS] = "",
	};

	return names[says];
}

enum vote_says vote_says_parse(const char *name)
{
	for (int says = VOTE_OPEN; name != NULL && says < VOTE_SAYS; says++) {
		if (strcmp(vote_says_name((enum vote_says)says), name) == 0)
			return (enum vote_says)says;
	}
	return VOTE_SAYS;
}

struct votes *votes_new(void)
{
	return mem_zalloc(1, sizeof(struct votes));
}

struct votes *votes_copy(const struct votes *votes)
{
	struct votes *copy;

	if (votes == NULL)
		return NULL;
	copy = votes_new();
	for (size_t i = 0; i < votes->count; i++)
		votes_add(copy, votes->items[i].monitor, votes->items[i].says, votes->items[i].reason);
	return copy;
}

void votes_free(struct votes **votes_p)
{
	struct votes *votes = *votes_p;

	*votes_p = NULL;
	if (votes == NULL)
		return;
	for (size_t i = 0; i < votes->count; i++)
		free(votes->items[i].monitor);
	free(votes->items);
	free(votes);
}

void votes_add(struct votes *votes, const char *monitor, enum vote_says says, enum reason reason)
{
	votes->items = mem_grow(votes->items, votes->count + 1, sizeof(*votes->items));
	votes->items[votes->count++] = (struct vote){ .monitor = mem_strdup(monitor), .says = says, .reason = reason };
}

bool votes_take(struct votes *votes, const char *monitor, enum vote_says says, enum reason reason)
{
	for (size_t i = 0; i < votes->count; i++) {
		if (strcmp(votes->items[i].monitor, monitor) != 0)
			continue;
		votes->items[i].says = says;
		votes->items[i].reason = reason;
		return true;
	}
	return false;
}

size_t votes_count(const struct votes *votes, enum vote_says says)
{
	size_t count = 0;

	for (size_t i = 0; i < votes->count; i++)
		count += votes->items[i].says == says;
	return count;
}

/* Returns for how many of the `can` monitors that can say the node must fail to be lost. */
static size_t bar(size_t can, int need)
{
	if (need == VOTES_MAJORITY)
		return can / 2 + 1;
	return (size_t)need < can ? (size_t)need : can;
}

enum votes_verdict votes_judge(const struct votes *votes, int need, bool is_over)
{
	size_t fails = votes_count(votes, VOTE_FAILS);
	size_t can = fails + votes_count(votes, VOTE_ANSWERS);
	size_t open = is_over ? 0 : votes_count(votes, VOTE_OPEN);

	/* it is lost whatever the others say: each of them can at most raise the bar, by saying that the node answers */
	if (fails > 0 && fails >= bar(can + open, need))
		return VOTES_LOST;
	/* it is open if the node would be lost by some number of open votes that say that it fails; else it is seen */
	for (size_t more = 0; more <= open; more++) {
		if (fails + more >= bar(can + more, need) && fails + more > 0)
			return VOTES_OPEN;
	}
	return VOTES_SEEN;
}

void votes_render(const struct votes *votes, struct json *json)
{
	jsonw_begin_array(json);
	for (size_t i = 0; votes != NULL && i < votes->count; i++) {
		const struct vote *vote = &votes->items[i];

		jsonw_begin_object(json);
		jsonw_key(json, "monitor");
		jsonw_string(json, vote->monitor);
		jsonw_key(json, "sees");
		jsonw_string(json, vote_says_name(vote->says));
		jsonw_key(json, "reason");
		jsonw_string(json, vote->says == VOTE_FAILS ? reason_name(vote->reason) : NULL);
		jsonw_end_object(json);
	}
	jsonw_end_array(json);
}
