#include "monitor/juror.h"

#include "base/mem.h"
#include "core/aliases.h"
#include "core/cut_off.h"

#define COUNTED_MS 200 /* the nodes that are not seen are counted so often at most: that walks over all nodes */

static void on_time(void *data)
{
	struct question *question = data;

	if (question->number == 0)
		watch_look(question->watch);
	else
		question->jury->over(question);
}

struct question *juror_question(struct jury *jury, struct watch *watch)
{
	if (watch->question == NULL) {
		watch->question = mem_zalloc(1, sizeof(*watch->question));
		watch->question->jury = jury;
		watch->question->watch = watch;
		deadline_init(&watch->question->timer, watch->all->deadlines, on_time, watch->question);
	}
	return watch->question;
}

size_t juror_missing(struct jury *jury)
{
	const struct fleet *fleet = jury->watches->fleet;
	int64_t now_ms = clock_steady_ms();

	if (jury->counted_ms != 0 && now_ms - jury->counted_ms < COUNTED_MS)
		return jury->missing;
	jury->missing = 0;
	for (size_t i = 0; i < fleet->node_count; i++)
		jury->missing += !fleet->nodes[i]->known || fleet->nodes[i]->failure.attempts > 0;
	jury->counted_ms = now_ms;
	return jury->missing;
}

static void tell(struct question *question, enum vote_says says, enum reason reason)
{
	struct jury *jury = question->jury;
	struct vote vote = { .monitor = jury->name, .says = says, .reason = reason };

	if (question->told == says)
		return;
	question->told = says;
	jury->peers->see(jury->data, question->watch->node->config->id, question->theirs, &vote, juror_missing(jury));
}

void juror_saw(struct question *question, const struct observation *seen)
{
	if (question->theirs == 0)
		return;
	switch (seen->kind) {
	case OBSERVED_NOTHING:
		tell(question, VOTE_CANNOT, REASON_NONE);
		break;
	case OBSERVED_FAILURE:
		tell(question, VOTE_FAILS, seen->reason);
		break;
	case OBSERVED_MASTER:
	case OBSERVED_SLAVE:
		if (question->is_new && question->number == 0)
			deadline_start(&question->timer, 0); /* asks the node anew, when this look is over */
		else
			tell(question, VOTE_ANSWERS, REASON_NONE);
		break;
	}
	question->is_new = false;
}

static void answer_unknown(struct jury *jury, const char *node, unsigned long number)
{
	struct vote vote = { .monitor = jury->name, .says = number != 0 ? VOTE_CANNOT : VOTE_OPEN };

	jury->peers->see(jury->data, node, number, &vote, 0);
}

void juror_asked(struct jury *jury, const char *node, unsigned long number)
{
	struct node *found = jury->watches != NULL ? fleet_named(jury->watches->fleet, NULL, node) : NULL;
	struct watch *watch = found != NULL ? watch_of(jury->watches, found) : NULL;
	struct question *question;

	if (number == 0 && watch != NULL && (watch->question == NULL || watch->question->theirs == 0))
		return;
	if (watch == NULL || number == 0)
		answer_unknown(jury, node, number);
	if (watch == NULL)
		return;
	question = juror_question(jury, watch);
	question->theirs = number;
	question->told = VOTE_OPEN;
	question->is_new = number != 0 && watch_is_busy(watch);
	if (number == 0)
		return;
	if (fleet_is_cut_off(watch->all->fleet))
		tell(question, VOTE_CANNOT, REASON_NONE);
	else
		watch_look(watch);
}

void juror_cut_off(struct jury *jury)
{
	for (size_t i = 0; i < jury->watches->count; i++) {
		struct question *question = jury->watches->by_order[i]->question;

		if (question != NULL && question->theirs != 0)
			tell(question, VOTE_CANNOT, REASON_NONE);
	}
}
