/*
 * The lines of HAProxy's agent-check: what it sends (`agent-send "db1:5432 replica lag=5\n"`), and what it is told of
 * that node. Pure.
 *
 * HAProxy keeps two states of a server, its health (up, fail) and what it is to do (ready, drain), and `up` ends no
 * drain. So an answer that a node is there says both, and with ready the weight; with drain a weight would make HAProxy
 * (2.6) write a line to its log each time. HAProxy ignores words that it does not know and leaves the server in the
 * state in which it was, which is up when HAProxy starts. So plusmoin answers a line that it cannot parse with `fail`
 * and the reason, which HAProxy shows in its statistics, and leaves no line without an answer.
 */
#pragma once

#include "base/buf.h"
#include "core/health.h"

#define AGENT_LINE_BYTES 256 /* a longer line is refused */

struct agent_line {
	const char *name; /* the node's name, which lies in the parsed line */
	enum health health;
	int64_t lag_limit_ms;
};

/*
 * Parses the line, which is changed by it: "NAME primary|replica|read-only|health [lag=SECONDS]", where health_parse()
 * knows the second word. Returns NULL, or what is wrong with the line.
 */
const char *agent_line_parse(char *line, struct agent_line *asked);

/* Appends the answer to a line that cannot be answered for any node: "fail #why\n". */
void agent_line_refuse(const char *why, struct buf *out);

/*
 * Appends the answer, a line. "up ready 100%": the node is what is asked for; the weight is health_weight()'s.
 * "up drain": the node is in its place, but is not what is asked for or is too far behind; HAProxy gives it no new
 * connections and keeps the old ones. "fail #why": the node is out of its place, or `node` is NULL because plusmoin
 * watches none of this name. The second of two masters of one origin fails for primary, too, because its old
 * connections would go on to write there.
 */
void agent_line_answer(const struct agent_line *asked, const struct node_view *node, struct buf *out);
