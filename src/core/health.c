#include "core/health.h"

#include <ctype.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "core/lag.h"
#include "core/rulebook.h"

bool health_parse(const char *word, enum health *health)
{
	static const struct {
		const char *word;
		enum health health;
	} words[] = {
		{ "primary", HEALTH_PRIMARY },
		{ "master", HEALTH_PRIMARY },
		{ "read-write", HEALTH_PRIMARY },
		{ "replica", HEALTH_REPLICA },
		{ "read-only", HEALTH_READ_ONLY },
		{ "health", HEALTH_MEMBER },
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strcmp(words[i].word, word) == 0) {
			*health = words[i].health;
			return true;
		}
	}
	return false;
}

bool health_parse_lag(const char *text, int64_t *lag_limit_ms)
{
	size_t whole = strspn(text, "0123456789");
	const char *at = text + whole;
	int64_t ms = 0;

	if (whole == 0 || whole > 9)
		return false;
	for (size_t i = 0; i < whole; i++)
		ms = ms * 10 + (text[i] - '0');
	ms *= 1000;
	if (*at == '.') {
		at++;
		for (int64_t part = 100; isdigit((unsigned char)*at); at++, part /= 10)
			ms += (*at - '0') * part;
	}
	if (*at != '\0')
		return false;
	*lag_limit_ms = ms;
	return true;
}

static bool is_in_place(const struct node_view *node)
{
	return node->state == PLACE_MASTER || node->state == PLACE_SLAVE;
}

static bool is_primary(const struct node_view *node)
{
	return node->state == PLACE_MASTER && node->first == NULL;
}

static bool is_replica(const struct node_view *node, int64_t lag_limit_ms)
{
	return node->state == PLACE_SLAVE && !lag_is_over(node->lag_bar_ms, lag_limit_ms);
}

static bool answers(const struct node_view *node)
{
	return node->condition != CONDITION_FAILING && node->condition != CONDITION_VOUCHED_FOR;
}

bool health_is(const struct node_view *node, enum health health, int64_t lag_limit_ms)
{
	switch (health) {
	case HEALTH_PRIMARY:
		return is_primary(node);
	case HEALTH_REPLICA:
		return is_replica(node, lag_limit_ms);
	case HEALTH_READ_ONLY:
		return is_primary(node) || is_replica(node, lag_limit_ms);
	case HEALTH_MEMBER:
		break;
	}
	return is_in_place(node) && answers(node);
}

/* ---- words ---- */

static void add_since(struct buf *out, int64_t since_ms)
{
	if (since_ms <= 0)
		return;
	buf_add_str(out, " since ");
	text_add_utc(out, since_ms);
}

/* No rule has put a clusterless node in its place, so the rule that lets it stay is named instead. */
static void add_rule(struct buf *out, const struct node_view *node)
{
	enum rule rule = node->placed_by == RULE_NONE && !is_in_place(node) ? node->ruled : node->placed_by;

	if (rule != RULE_NONE)
		buf_addf(out, " by %s (%s)", rule_name(rule), rule_row(rule)->sentence);
}

static void add_reason(struct buf *out, const struct node_view *node)
{
	if (node->reason != REASON_NONE)
		buf_addf(out, ": %s", reason_name(node->reason));
	if (node->message != NULL && node->message[0] != '\0')
		buf_addf(out, ": %s", node->message);
	if (node->reason == REASON_NONE && node->failing != NULL)
		buf_addf(out, ": %s", node->failing);
}

static double seconds(int64_t ms)
{
	return (double)ms / 1000.0;
}

/* Appends how far behind a slave is, and whether that is too far. */
static void add_lag(struct buf *out, const struct node_view *node, int64_t limit_ms)
{
	if (node->has_lag)
		buf_addf(out, "; %.3g s behind", seconds(node->lag_ms));
	else
		buf_add_str(out, "; how far behind is not known yet");
	if (!lag_is_over(node->lag_bar_ms, limit_ms))
		return;
	if (node->lag_ms > limit_ms)
		buf_addf(out, ", more than %g s", seconds(limit_ms));
	else
		buf_addf(out, ", was more than %g s: it is taken back at %g s", seconds(limit_ms), seconds(limit_ms) / 2);
}

void health_say(const struct node_view *node, enum health health, int64_t lag_limit_ms, char *why, size_t size)
{
	struct buf line = { 0 };
	struct buf escaped = { 0 };

	buf_addf(&line, "%s is %s", node->name, place_name(node->state));
	if (node->condition != CONDITION_WELL)
		buf_addf(&line, " (%s)", condition_name(node->condition));
	if (node->state == PLACE_MASTER && node->first != NULL)
		buf_addf(&line, " (split_brain: %s sat first)", node->first);
	add_since(&line, node->since_ms);
	add_rule(&line, node);
	add_reason(&line, node);
	if (node->state == PLACE_SLAVE && (health == HEALTH_REPLICA || health == HEALTH_READ_ONLY))
		add_lag(&line, node, lag_limit_ms);
	text_add_escaped(&escaped, line.data, line.len);
	text_copy(why, size, buf_text(&escaped));
	buf_free(&line);
	buf_free(&escaped);
}

int health_weight(const struct node_view *node, int64_t lag_limit_ms)
{
	int64_t left_ms = lag_limit_ms - node->judged_lag_ms;
	int64_t weight;

	if (node->state != PLACE_SLAVE || node->judged_lag_ms <= lag_limit_ms / 2)
		return 100;
	weight = left_ms <= 0 ? 0 : left_ms * 100 / (lag_limit_ms - lag_limit_ms / 2);
	return weight < 1 ? 1 : (int)weight;
}
