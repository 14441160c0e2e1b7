#include "core/kin.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "core/aliases.h"
#include "core/dispute.h"
#include "core/fleet.h"

static void leave_index(struct naming *index, char **name, const struct node *node)
{
	if (*name != NULL)
		naming_remove(index, *name, node);
	free(*name);
	*name = NULL;
}

/* Enters the node in the index under `name`, which it takes over and keeps in `*at`. */
static void enter_index(struct naming *index, char **at, char *name, struct node *node)
{
	*at = name;
	naming_add(index, name, node, false);
}

/* ---- masters ---- */

static void end_reign(struct fleet *fleet, struct node *node)
{
	node->kin.reign = NO_REIGN;
	leave_index(&fleet->masters, &node->kin.system, node);
}

static void reigns(struct fleet *fleet, struct node *node, const struct observation *seen, const struct moment *now)
{
	struct kin *kin = &node->kin;

	if (kin->reign.first_ms == INT64_MAX)
		kin->reign.first_ms = now->steady_ms;
	kin->reign.put_ms = seen->asked_ms;
	if (kin->system == NULL)
		enter_index(&fleet->masters, &kin->system, mem_printf("%" PRId64, kin->origin.system), node);
}

/* ---- entries of one server ---- */

static const char *dbname_of(const struct node *node)
{
	return node->config->dbname != NULL ? node->config->dbname : "";
}

/* Entries of two databases of one server are no twins: each database has its own heartbeat table and so its cluster. */
static char *server_name(const struct node *node, const struct origin *origin)
{
	return mem_printf("%s %" PRId64 " %" PRId64, dbname_of(node), origin->system, origin->started_us);
}

/* Whether the node is in fleet->servers under its present database. */
static bool is_entered(const struct node *node)
{
	const char *dbname = dbname_of(node);
	size_t len = strlen(dbname);
	const char *server = node->kin.server;

	return server != NULL && strncmp(server, dbname, len) == 0 && server[len] == ' ';
}

/* Whether `a`, not `b`, stands for the server of which both are entries. */
static bool stands(const struct node *a, const struct node *b)
{
	return a->kin.moved != b->kin.moved ? b->kin.moved : a->order < b->order;
}

/* Returns the entry that stands for the server of that name; NULL: it has no entry. */
static struct node *who_stands(const struct fleet *fleet, const char *server)
{
	struct node *best = NULL;
	const struct bearer *bearer;

	for (bearer = naming_first(&fleet->servers, server); bearer != NULL; bearer = naming_next(bearer)) {
		if (best == NULL || stands(bearer->node, best))
			best = bearer->node;
	}
	return best;
}

/*
 * Whether an entry has to wait for an answer of its twin. If the server was restarted and this entry was asked first,
 * the twin still shows the server's earlier start. Until it answers, the two are taken for twins as before.
 */
static bool waits_for_twin(const struct kin *kin)
{
	// the analyzer does not know that each bearer has a node
	const struct kin *twin = kin->twin != NULL ? &kin->twin->kin : NULL; // NOLINT(clang-analyzer-core.NullDereference)

	return twin != NULL && twin->answered_ms < kin->since_ms && twin->origin.system == kin->origin.system;
}

/* Notes that `first` stands for the node's server. */
static void set_twin(struct node *node, struct node *first)
{
	if (node != first)
		node->kin.twin = first;
	else if (!waits_for_twin(&node->kin))
		node->kin.twin = NULL;
}

/* Finds the node's twin anew if the old one is another server by now. */
static void look_at_twin(const struct fleet *fleet, struct node *node)
{
	const struct node *twin = node->kin.twin;

	if (twin != NULL && !text_same(twin->kin.server, node->kin.server))
		set_twin(node, who_stands(fleet, node->kin.server));
}

/*
 * Whether the entry led to another server before, and not only to an earlier start of this one. It did if this server
 * was up before `before_ms`, when the earlier one last answered: by its own age, or because another entry of it
 * answered before then. (A server that is restarted starts after its last answer.)
 */
static bool has_moved(const struct fleet *fleet, const struct node *node, int64_t before_ms)
{
	const struct bearer *bearer;

	if (node->kin.origin.up_since_ms != 0 && node->kin.origin.up_since_ms < before_ms)
		return true;
	for (bearer = naming_first(&fleet->servers, node->kin.server); bearer != NULL; bearer = naming_next(bearer)) {
		if (bearer->node != node && bearer->node->kin.since_ms < before_ms)
			return true;
	}
	return false;
}

static void enter(struct fleet *fleet, struct node *node, char *server, bool changed, int64_t now_ms)
{
	struct kin *kin = &node->kin;
	int64_t before_ms = kin->answered_ms;
	const struct bearer *bearer;
	struct node *first;

	leave_index(&fleet->servers, &kin->server, node);
	enter_index(&fleet->servers, &kin->server, server, node);
	if (changed) {
		end_reign(fleet, node);
		kin->since_ms = now_ms;
		kin->moved = kin->moved || has_moved(fleet, node, before_ms);
	}
	first = who_stands(fleet, server);
	for (bearer = naming_first(&fleet->servers, server); bearer != NULL; bearer = naming_next(bearer))
		set_twin(bearer->node, first);
}

/* ---- what an answer tells ---- */

static void forget_server(struct fleet *fleet, struct node *node)
{
	node->kin.system_before = node->kin.origin.system;
	node->has_shown = false;
	node->shown_tstamp = 0;
	node->master_name[0] = '\0';
	fleet_forget_aliases(fleet, node);
	dispute_end_all(fleet, node);
}

static void untold(struct fleet *fleet, struct node *node)
{
	node->kin.is_told = false;
	leave_index(&fleet->servers, &node->kin.server, node);
	end_reign(fleet, node);
}

static void take_role(struct fleet *fleet, struct node *node, const struct observation *seen,
		      const struct moment *now)
{
	if (seen->kind == OBSERVED_MASTER) {
		if (node->kin.is_told)
			reigns(fleet, node, seen, now);
		return;
	}
	end_reign(fleet, node);
	dispute_end_all(fleet, node);
}

/* Notes the origin; returns whether it is another server than before, another start of it or another database. */
static bool take_origin(struct fleet *fleet, struct node *node, const struct origin *origin, int64_t now_ms)
{
	struct kin *kin = &node->kin;
	bool is_known = kin->origin.system != 0;
	bool changed = !is_known || kin->origin.started_us != origin->started_us ||
		       kin->origin.system != origin->system;
	uint32_t timeline = origin->timeline != 0 || changed ? origin->timeline : kin->origin.timeline;

	if (is_known && kin->origin.system != origin->system)
		forget_server(fleet, node);
	kin->origin = *origin;
	kin->origin.timeline = timeline;
	kin->is_told = true;
	if (!changed && is_entered(node))
		return false;
	enter(fleet, node, server_name(node, origin), changed, now_ms);
	return true;
}

bool kin_take(struct fleet *fleet, struct node *node, const struct observation *seen, const struct moment *now)
{
	bool is_new = false;

	if (seen->kind != OBSERVED_MASTER && seen->kind != OBSERVED_SLAVE)
		return false;
	if (seen->origin.system == 0)
		untold(fleet, node);
	else
		is_new = take_origin(fleet, node, &seen->origin, now->steady_ms);
	if (node->kin.is_told) {
		node->kin.answered_ms = now->steady_ms;
		look_at_twin(fleet, node);
	}
	take_role(fleet, node, seen, now);
	return is_new;
}

const struct bearer *kin_next_twin(const struct fleet *fleet, const struct node *node, const struct bearer *before)
{
	const struct bearer *bearer = before != NULL ? naming_next(before) : NULL;

	if (before == NULL && node->kin.server != NULL)
		bearer = naming_first(&fleet->servers, node->kin.server);
	while (bearer != NULL && bearer->node->kin.twin != node)
		bearer = naming_next(bearer);
	return bearer;
}

void kin_fail(const struct node *node, const struct observation *seen, struct observation *failure)
{
	const struct node *twin = node->kin.twin;
	char *message = mem_printf("it is the same server as %s: remove one of the two from nodes", twin->config->name);

	*failure = (struct observation){
		.kind = OBSERVED_FAILURE,
		.reason = REASON_SAME_SERVER,
		.harmless = true,
		.kept = seen != NULL ? seen->kept : node->kept,
		.kept_ended_ms = seen != NULL ? seen->kept_ended_ms : INT64_MIN,
		.server_version = seen != NULL ? seen->server_version : 0,
	};
	text_copy(failure->message, sizeof(failure->message), message);
	free(message);
}

/* ---- nodes that leave ---- */

static void leave(struct fleet *fleet, struct node *node)
{
	untold(fleet, node);
	dispute_end_all(fleet, node);
	if (node->kin.is_wanted)
		list_remove(&fleet->wanted, node);
	node->kin.is_gone = true;
}

void kin_reload(struct fleet *fleet, const struct list *removed)
{
	for (size_t i = 0; i < removed->count; i++)
		leave(fleet, removed->items[i]);
	for (size_t i = 0; i < fleet->node_count; i++) {
		struct node *node = fleet->nodes[i];

		if (node->kin.twin != NULL && node->kin.twin->kin.is_gone)
			node->kin.twin = NULL;
		if (node->config->ignore_system_id)
			dispute_end_all(fleet, node);
	}
}
