/*
 * What stands in etcd while monitors ask each other what they see of a node (monitor/jury.h), each key with the lease of
 * who wrote it: `ask/NODE`, of the monitor that acts, {"number": 7, "from": "a"}, and `see/NAME/NODE`,
 * {"number": 7, "sees": "fails", "reason": "hung", "missing": 1}, of each of the others: to which question, what, and how
 * many nodes it does not see in all. Both go when the question does. There is none of a node that answers, so that a fleet
 * of 5,000 that is well has no key of the kind. Pure.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "core/votes.h"

struct slip {
	char *node;
	char *monitor; /* who has written it; NULL: a question that goes */
	bool is_question;
	unsigned long number; /* 0: it is gone */
	struct vote vote;     /* of a vote; its name is `monitor` */
	size_t missing;
};

/* Key (behind the prefix) and text; the caller's. */
char *slip_ask_key(const char *node);
char *slip_ask_text(const char *from, unsigned long number);
char *slip_see_key(const char *name, const char *node);
char *slip_see_text(unsigned long number, const struct vote *vote, size_t missing);

/* Reads what stands at the key (NULL: nothing any more). False: it is no such key, or no such text. */
bool slip_read(struct slip *slip, const char *key, const char *text);

/* After slip_read(), whatever that said. */
void slip_clear(struct slip *slip);
