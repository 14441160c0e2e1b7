#include "core/agent_line.h"

#include <string.h>

#define SPACES " \t\r"

/* Cuts the last word off the line; NULL: there is none. */
static char *cut_last(char *line)
{
	size_t len = strlen(line);
	char *word;

	while (len > 0 && strchr(SPACES, line[len - 1]) != NULL)
		line[--len] = '\0';
	while (len > 0 && strchr(SPACES, line[len - 1]) == NULL)
		len--;
	word = line + len;
	if (*word == '\0')
		return NULL;
	if (len > 0)
		line[len - 1] = '\0';
	return word;
}

static void trim(char *text)
{
	size_t len = strlen(text);

	while (len > 0 && strchr(SPACES, text[len - 1]) != NULL)
		text[--len] = '\0';
}

const char *agent_line_parse(char *line, struct agent_line *asked)
{
	char *word = cut_last(line);
	bool has_lag = word != NULL && strncmp(word, "lag=", 4) == 0;

	asked->lag_limit_ms = HEALTH_NO_LIMIT;
	if (has_lag && !health_parse_lag(word + 4, &asked->lag_limit_ms))
		return "lag is a number of seconds: lag=5";
	if (has_lag)
		word = cut_last(line);
	trim(line);
	if (word == NULL || word == line || line[0] == '\0' || !health_parse(word, &asked->health))
		return "agent-send has to be \"NODE primary\\n\", or replica, read-only or health in its place";
	asked->name = line + strspn(line, SPACES);
	return NULL;
}

void agent_line_refuse(const char *why, struct buf *out)
{
	buf_addf(out, "fail #%s\n", why);
}

/* Whether clients may stay connected to the node, although it is not what is asked for. */
static bool may_stay(const struct agent_line *asked, const struct node_view *node)
{
	if (asked->health == HEALTH_PRIMARY && node->first != NULL)
		return false;
	return node->state == PLACE_MASTER || node->state == PLACE_SLAVE;
}

void agent_line_answer(const struct agent_line *asked, const struct node_view *node, struct buf *out)
{
	char why[HEALTH_WHY_BYTES];

	if (node == NULL) {
		agent_line_refuse("plusmoin watches no node of this name, or several have it", out);
	} else if (health_is(node, asked->health, asked->lag_limit_ms)) {
		buf_addf(out, "up ready %d%%\n", health_weight(node, asked->lag_limit_ms));
	} else if (may_stay(asked, node)) {
		buf_add_str(out, "up drain\n");
	} else {
		health_say(node, asked->health, asked->lag_limit_ms, why, sizeof(why));
		agent_line_refuse(why, out);
	}
}
