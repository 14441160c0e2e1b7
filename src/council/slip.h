/*
 * Slips are the keys in etcd by which monitors ask each other what they see of a node (monitor/jury.h). The monitor
 * that acts writes the question `ask/NODE`, {"number": 7, "from": "a"}. Each of the others answers with its vote,
 * `see/NAME/NODE`, {"number": 7, "sees": "fails", "reason": "hung", "missing": 1}: the number of the question, what it
 * sees, and how many nodes it does not see in all. Each key has its writer's lease, and is deleted when the question
 * is withdrawn. There is no key for a node that answers, so a healthy fleet of 5,000 nodes has none. Pure.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "core/votes.h"

struct slip {
	char *node;
	char *monitor; /* the writer; NULL: the slip is a question that was deleted */
	bool is_question; /* else it is a vote */
	unsigned long number; /* of the question; 0: the key was deleted */
	struct vote vote;     /* only of a vote; its `monitor` is ours */
	size_t missing;       /* only of a vote: how many nodes its writer does not see */
};

/* Make the key (without the prefix) and the text of a question and of a vote; the caller's. */
char *slip_ask_key(const char *node);
char *slip_ask_text(const char *from, unsigned long number);
char *slip_see_key(const char *name, const char *node);
char *slip_see_text(unsigned long number, const struct vote *vote, size_t missing);

/* Reads a key and its text (NULL: the key was deleted). False: it is no slip's key, or no slip's text. */
bool slip_read(struct slip *slip, const char *key, const char *text);

/* Frees what slip_read() has filled in, also when that returned false. */
void slip_clear(struct slip *slip);
