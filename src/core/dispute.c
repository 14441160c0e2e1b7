#include "core/dispute.h"

#include <stdlib.h>

#include "base/json.h"
#include "base/mem.h"

bool reign_overlaps(const struct reign *a, const struct reign *b)
{
	return a->put_ms > b->first_ms && b->put_ms > a->first_ms;
}

const struct node *dispute_rival(const struct dispute *dispute, const struct node *node)
{
	return dispute->newer == node ? dispute->older : dispute->newer;
}

const struct node *dispute_first(const struct node *node)
{
	for (size_t i = 0; i < node->kin.disputes.count; i++) {
		const struct dispute *dispute = node->kin.disputes.items[i];

		if (dispute->second == node)
			return dispute_rival(dispute, node);
	}
	return NULL;
}

static void end(struct fleet *fleet, struct dispute *dispute)
{
	list_remove(&fleet->disputes, dispute);
	fleet->dispute_count++;
	list_remove(&dispute->newer->kin.disputes, dispute);
	list_remove(&dispute->older->kin.disputes, dispute);
	node_touch(dispute->newer);
	node_touch(dispute->older);
	free(dispute);
}

void dispute_end_all(struct fleet *fleet, struct node *node)
{
	while (node->kin.disputes.count > 0) // the analyzer does not know that end() takes it out of the list
		end(fleet, node->kin.disputes.items[0]); // NOLINT(clang-analyzer-unix.Malloc)
}

static bool are_in_dispute(const struct node *a, const struct node *b)
{
	for (size_t i = 0; i < a->kin.disputes.count; i++) {
		if (dispute_rival(a->kin.disputes.items[i], a) == b)
			return true;
	}
	return false;
}

static bool is_newer(const struct node *a, const struct node *b)
{
	const struct kin *left = &a->kin;
	const struct kin *right = &b->kin;

	if (left->origin.timeline != right->origin.timeline && left->origin.timeline != 0 && right->origin.timeline != 0)
		return left->origin.timeline > right->origin.timeline;
	if (left->reign.first_ms != right->reign.first_ms)
		return left->reign.first_ms > right->reign.first_ms;
	return a->order > b->order;
}

/*
 * Returns the second of the two. The first is the one that sits in a seat, or has sat there for longer, because clients
 * write there. That may be the newer one: an old master that comes back after a failover is the older one and sits
 * later. Where neither sits, the older one is the first.
 */
static struct node *second_of(struct node *newer, struct node *older)
{
	bool sits = newer->place == PLACE_MASTER;

	if (sits != (older->place == PLACE_MASTER))
		return sits ? older : newer;
	return sits && newer->since_ms < older->since_ms ? older : newer;
}

static void begin(struct fleet *fleet, struct node *a, struct node *b, const struct moment *now)
{
	struct dispute *dispute = mem_zalloc(1, sizeof(*dispute));
	bool newer = is_newer(a, b);

	dispute->newer = newer ? a : b;
	dispute->older = newer ? b : a;
	dispute->second = second_of(dispute->newer, dispute->older);
	dispute->found_ms = now->steady_ms;
	list_add(&fleet->disputes, dispute);
	fleet->dispute_count++;
	list_add(&a->kin.disputes, dispute);
	list_add(&b->kin.disputes, dispute);
	node_touch(a);
	node_touch(b);
}

/* Whether the next answer of `node` may show that it and `other` are masters together. */
static bool must_be_asked(const struct node *node, const struct node *other)
{
	return node->kin.reign.put_ms <= other->kin.reign.first_ms && node->failure.attempts == 0;
}

static void want(struct fleet *fleet, struct node *node)
{
	if (!node->kin.is_wanted)
		list_add(&fleet->wanted, node);
	node->kin.is_wanted = true;
}

static bool is_comparable(const struct node *node)
{
	return node->kin.system != NULL && node->kin.twin == NULL && !node->config->ignore_system_id;
}

static void compare(struct fleet *fleet, struct node *node, struct node *other, const struct moment *now)
{
	if (node->kin.origin.started_us == other->kin.origin.started_us || !is_comparable(other) ||
	    are_in_dispute(node, other))
		return;
	if (reign_overlaps(&node->kin.reign, &other->kin.reign)) {
		if (node->kin.disputes.count < DISPUTES_MOST && other->kin.disputes.count < DISPUTES_MOST)
			begin(fleet, node, other, now);
		return;
	}
	if (must_be_asked(node, other))
		want(fleet, node);
	if (must_be_asked(other, node))
		want(fleet, other);
}

void dispute_find(struct fleet *fleet, struct node *node, const struct moment *now)
{
	const struct bearer *bearer;
	int compared = 0;

	if (!is_comparable(node))
		return;
	for (bearer = naming_first(&fleet->masters, node->kin.system); bearer != NULL && compared < DISPUTES_MOST;
	     bearer = naming_next(bearer)) {
		if (bearer->node == node)
			continue;
		compared++;
		compare(fleet, node, bearer->node, now);
	}
}

void dispute_render(const struct fleet *fleet, struct json *json)
{
	jsonw_begin_array(json);
	for (size_t i = 0; i < fleet->disputes.count && i < DISPUTES_SHOWN; i++) {
		const struct dispute *dispute = fleet->disputes.items[i];

		jsonw_begin_array(json);
		jsonw_string(json, dispute->newer->config->name);
		jsonw_string(json, dispute->older->config->name);
		jsonw_end_array(json);
	}
	jsonw_end_array(json);
}
