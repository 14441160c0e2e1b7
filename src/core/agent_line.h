/*
 * The lines of HAProxy's agent-check: what it sends (`agent-send "db1:5432 replica lag=5\n"`), and what it is told of
 * that node. Pure.
 *
 * HAProxy keeps two states of a server, its health (up, fail) and what it is to do (ready, drain), and `up` ends no
 * drain. So an answer that a node is there says both, and with ready the weight; with drain a weight would make HAProxy
 * (2.6) write a line to its log each time. Words that HAProxy does not know it ignores, and
 * keeps the state that it had; at its start that is up. So a line that asks for nothing gets `fail` with the reason,
 * which HAProxy shows in its statistics, never silence.
 */
#pragma once

#include "base/buf.h"
#include "core/health.h"

#define AGENT_LINE_BYTES 256 /* a longer one is none */

struct agent_line {
	const char *name; /* of the node; in the text that was parsed */
	enum health health;
	int64_t lag_limit_ms;
};

/*
 * Takes the line apart, which is changed: "NAME primary|replica|read-only|health [lag=SECONDS]", as health_parse() has
 * the words. NULL, or what is wrong with it.
 */
const char *agent_line_parse(char *line, struct agent_line *asked);

/* The answer to something that cannot be said of any node, with its end: "fail #why\n". */
void agent_line_refuse(const char *why, struct buf *out);

/*
 * The answer, with its end. "up ready 100%": it is what is asked for; the weight is health_weight()'s.
 * "up drain": it is in its place and is not that, or is too far behind: it gets no new connections, the old ones
 * stay. "fail #why": it is out of its place, or (NULL) no such node is known. So is the second of two masters of one
 * origin for who asks for the primary: connections that stand would go on to write there.
 */
void agent_line_answer(const struct agent_line *asked, const struct node_view *node, struct buf *out);
