/*
 * Reads the text of a scenario (README.md in tests/scenarios): numbers, what a
 * node does, and what must have happened.
 */
#pragma once

#include <ctype.h>

#include "support/stage.h"

static inline char *line_trim(char *text)
{
	size_t len;

	while (isspace((unsigned char)*text))
		text++;
	len = strlen(text);
	while (len > 0 && isspace((unsigned char)text[len - 1]))
		text[--len] = '\0';
	return text;
}

/* Seconds, perhaps fractional, as milliseconds. */
static inline bool line_ms(struct play *play, const char *text, int64_t *ms)
{
	char *end;
	double seconds = strtod(text, &end);

	if (end == text || *end != '\0')
		return play_fail(play, "'%s' is no number of seconds", text);
	*ms = (int64_t)(seconds * 1000.0 + (seconds < 0 ? -0.5 : 0.5));
	return true;
}

static inline enum rule line_rule(const char *text)
{
	for (int rule = RULE_M1; rule < RULES; rule++) {
		if (strcmp(rule_name((enum rule)rule), text) == 0)
			return (enum rule)rule;
	}
	return RULE_NONE;
}

static inline bool line_reason(const char *text, enum reason *reason)
{
	for (int i = REASON_REFUSED; i < REASONS; i++) {
		if (strcmp(reason_name((enum reason)i), text) == 0) {
			*reason = (enum reason)i;
			return true;
		}
	}
	return false;
}

/* "a@60": the row that names a, of its beat at 60 s; "a@60+130": 130 s more. */
static inline bool line_row(struct play *play, char *text, struct row *row)
{
	char *at = strchr(text, '@');
	char *more = at != NULL ? strchr(at, '+') : NULL;
	int64_t at_ms = play->steady_ms;
	int64_t more_ms = 0;

	if (at == NULL)
		return play_fail(play, "'%s' is no row: NAME@SECONDS", text);
	*at++ = '\0';
	if (more != NULL)
		*more++ = '\0';
	if (strcmp(at, "now") != 0 && !line_ms(play, at, &at_ms))
		return false;
	if (more != NULL && !line_ms(play, more, &more_ms))
		return false;
	text_copy(row->master, sizeof(row->master), text);
	row->tstamp = play_tstamp(play, text, at_ms) + more_ms;
	return true;
}

/* "shut full", "shut full 2": a fresh connection (two in a row) failed while the kept one, which this came over, stood. */
static inline bool line_shut(struct play *play, char **rest, struct observation *seen)
{
	const char *word = strtok_r(NULL, " \t", rest);

	seen->kept = true;
	if (word == NULL || !line_reason(word, &seen->door.reason))
		return play_fail(play, "shut for what reason?");
	text_copy(seen->door.message, sizeof(seen->door.message), word);
	seen->door.attempts = 1;
	return true;
}

static inline bool line_master(struct play *play, struct part *part, char **rest,
			       struct observation *seen)
{
	char *word;

	*seen = kit_master();
	while ((word = strtok_r(NULL, " \t", rest)) != NULL) {
		if (strcmp(word, "locked") == 0) {
			part->beat = BEAT_LOCKED;
		} else if (strcmp(word, "refused") == 0) {
			part->beat = BEAT_FAILED;
		} else if (strcmp(word, "table") == 0) {
			part->beat = BEAT_FAILED;
			part->beat_reason = REASON_TABLE;
			seen->kept = true;
		} else if (strcmp(word, "shut") == 0) {
			if (!line_shut(play, rest, seen))
				return false;
		} else if (seen->door.attempts > 0 && word[0] >= '1' && word[0] <= '9') {
			seen->door.attempts = word[0] - '0';
		} else if (strcmp(word, "late") == 0) {
			part->late = true;
		} else if (strcmp(word, "unsaid") == 0) {
			part->beat = BEAT_NONE;
		} else if (strcmp(word, "over") == 0) {
			word = strtok_r(NULL, " \t", rest);
			if (word == NULL || !line_row(play, word, &part->over))
				return play_fail(play, "over what row?");
			part->has_over = true;
		} else {
			return play_fail(play, "a master does not do '%s'", word);
		}
	}
	return true;
}

static inline bool line_slave(struct play *play, char **rest, struct observation *seen)
{
	char *word = strtok_r(NULL, " \t", rest);

	*seen = kit_slave(NULL, 0);
	if (word == NULL)
		return true;
	if (strcmp(word, "locked") == 0) {
		seen->row_state = ROW_LOCKED;
		return true;
	}
	seen->row_state = ROW_SHOWN;
	if (!line_row(play, word, &seen->row))
		return false;
	word = strtok_r(NULL, " \t", rest);
	if (word == NULL)
		return true;
	if (strcmp(word, "shut") != 0)
		return play_fail(play, "'%s' after a row: only 'shut'", word);
	if (!line_shut(play, rest, seen))
		return false;
	word = strtok_r(NULL, " \t", rest);
	if (word != NULL)
		seen->door.attempts = word[0] - '0';
	return word == NULL || (word[0] >= '1' && word[0] <= '9') ||
	       play_fail(play, "'%s' is no number of attempts", word);
}

static inline bool line_failure(struct play *play, struct part *part, const char *word, char **rest,
				struct observation *seen)
{
	const char *more = strtok_r(NULL, " \t", rest);
	enum reason reason;

	if (!line_reason(word, &reason))
		return play_fail(play, "'%s' is neither master, slave nor a reason", word);
	*seen = kit_failure(reason, more != NULL && strcmp(more, "going") == 0);
	if (more == NULL || seen->going)
		return true;
	seen->path = strncmp(more, "vouched@", 8) == 0;
	if (seen->path)
		return line_ms(play, more + 8, &part->vouched_ms);
	part->others = strcmp(more, "others") == 0;
	if (part->others)
		return true;
	if (strcmp(more, "kept") == 0)
		seen->kept = true;
	else if (strncmp(more, "gone@", 5) != 0)
		return play_fail(play, "'%s' after a reason: only 'going', 'kept', 'gone@S', 'vouched@S', 'others'", more);
	return seen->kept || line_ms(play, more + 5, &seen->kept_ended_ms);
}

/* "b slave a@60": what one node does. */
static inline bool line_part(struct play *play, char *text)
{
	char *rest = NULL;
	const char *name = strtok_r(text, " \t", &rest);
	struct node *node = name != NULL ? kit_node(play->fleet, name) : NULL;
	const char *word = strtok_r(NULL, " \t", &rest);
	struct observation seen;
	struct part *part;
	bool read;

	if (node == NULL || word == NULL)
		return play_fail(play, "'%s': a node and what it does", name != NULL ? name : "");
	if (strcmp(word, "login") == 0) {
		play->logging_in = true;
		return true;
	}
	part = &play->parts[node->order];
	*part = (struct part){ .beat = BEAT_WRITTEN };
	if (strcmp(word, "master") == 0)
		read = line_master(play, part, &rest, &seen);
	else if (strcmp(word, "slave") == 0)
		read = line_slave(play, &rest, &seen);
	else
		read = line_failure(play, part, word, &rest, &seen);
	if (read && part->late)
		node->in_time = true;
	if (read)
		stage_observe(play, node, seen);
	return read;
}

static inline bool line_parts(struct play *play, char *text)
{
	char *rest = NULL;

	for (char *part = strtok_r(text, ",", &rest); part != NULL;
	     part = strtok_r(NULL, ",", &rest)) {
		part = line_trim(part);
		if (*part != '\0' && !line_part(play, part))
			return false;
	}
	return true;
}
