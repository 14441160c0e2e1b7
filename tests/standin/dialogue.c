#include "standin/dialogue.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "standin/messages.h"

#define TYPE_TEXT 25 /* said to be that of each parameter */

struct prepared {
	char *name;
	int question;
	unsigned param_count;
};

/* What a message is about. */
struct turn {
	struct dialogue *dialogue;
	struct server *server;
	struct buf *out;
};

/* ---- prepared statements ---- */

static struct prepared *find(const struct dialogue *dialogue, const char *name)
{
	for (size_t i = 0; i < dialogue->prepared.count; i++) {
		struct prepared *prepared = dialogue->prepared.items[i];

		if (strcmp(prepared->name, name) == 0)
			return prepared;
	}
	return NULL;
}

static void forget(struct dialogue *dialogue, struct prepared *prepared)
{
	if (prepared == NULL)
		return;
	if (dialogue->portal == prepared)
		dialogue->portal = NULL;
	(void)list_remove(&dialogue->prepared, prepared);
	free(prepared->name);
	free(prepared);
}

void dialogue_forget(struct dialogue *dialogue)
{
	while (dialogue->prepared.count > 0)
		forget(dialogue, dialogue->prepared.items[dialogue->prepared.count - 1]);
}

void dialogue_free(struct dialogue *dialogue)
{
	dialogue_forget(dialogue);
	list_free(&dialogue->prepared);
	buf_free(&dialogue->words);
}

static void refuse(const struct turn *turn, const char *sqlstate, const char *text)
{
	message_add_error(turn->out, "ERROR", sqlstate, text);
	turn->dialogue->failed = true;
}

/* The statement of this name; NULL: it was refused. */
static const struct prepared *find_or_refuse(const struct turn *turn, const char *name)
{
	const struct prepared *prepared = find(turn->dialogue, name);

	if (prepared == NULL)
		refuse(turn, "26000", "prepared statement does not exist");
	return prepared;
}

/* The portal; NULL: it was refused. */
static const struct prepared *portal_or_refuse(const struct turn *turn, const char *name)
{
	const struct prepared *portal = name[0] == '\0' ? turn->dialogue->portal : NULL;

	if (portal == NULL)
		refuse(turn, "34000", "portal does not exist");
	return portal;
}

/* How many parameters a statement has: the highest $N. */
static unsigned count_params(const char *sql)
{
	unsigned count = 0;

	for (const char *at = strchr(sql, '$'); at != NULL; at = strchr(at + 1, '$')) {
		unsigned number = (unsigned)strtoul(at + 1, NULL, 10);

		count = number > count ? number : count;
	}
	return count;
}

/* ---- messages ---- */

/* Which question this is; ASK_UNKNOWN: it was refused. */
static int take_statement(const struct turn *turn, const char *sql)
{
	int question = answer_find(sql);

	if (question != ASK_UNKNOWN)
		return question;
	(void)fprintf(stderr, "standin: %s: no statement of plusmoin's: %s\n", turn->server->name, sql);
	turn->server->counts.unknown++;
	refuse(turn, "0A000", "a stand-in knows plusmoin's statements only");
	return question;
}

/* The name and the statement's text. */
static void parse(const struct turn *turn, const char *body, size_t len)
{
	size_t name = strnlen(body, len) + 1;
	struct prepared *prepared = find(turn->dialogue, body);
	const char *sql = name < len ? body + name : "";
	int question;

	turn->server->counts.parses++;
	if (prepared != NULL && prepared->name[0] != '\0') {
		refuse(turn, "42P05", "prepared statement already exists");
		return;
	}
	question = take_statement(turn, sql);
	if (question == ASK_UNKNOWN)
		return;
	if (prepared == NULL) {
		prepared = mem_zalloc(1, sizeof(*prepared));
		prepared->name = mem_strdup(body);
		list_add(&turn->dialogue->prepared, prepared);
	} else if (turn->dialogue->portal == prepared) {
		turn->dialogue->portal = NULL;
	}
	prepared->question = question;
	prepared->param_count = count_params(sql);
	message_add(turn->out, '1', NULL, 0);
}

/* How many, then the length (-1: NULL) and the bytes of each. */
static void take_params(struct dialogue *dialogue, const char *body, size_t len, size_t at)
{
	size_t begins[PARAMS_MOST];
	uint32_t count = int_at(body, len, at, 2);

	at += 2;
	buf_clear(&dialogue->words);
	dialogue->param_count = 0;
	while (dialogue->param_count < (int)count && dialogue->param_count < PARAMS_MOST) {
		uint32_t size = int_at(body, len, at, 4);
		bool there = size <= len && at + 4 + size <= len;

		begins[dialogue->param_count] = dialogue->words.len;
		dialogue->params[dialogue->param_count++] = there ? (char *)body : NULL;
		buf_add(&dialogue->words, body + at + 4, there ? size : 0);
		buf_add_char(&dialogue->words, '\0');
		at += 4 + (there ? size : 0);
	}
	for (int i = 0; i < dialogue->param_count; i++) {
		if (dialogue->params[i] != NULL) /* only now: the words have moved as they grew */
			dialogue->params[i] = dialogue->words.data + begins[i];
	}
}

/* The portal, the statement, formats, parameters, formats of the result. */
static void bind_portal(const struct turn *turn, const char *body, size_t len)
{
	size_t name = strnlen(body, len) + 1;
	const struct prepared *prepared;
	size_t at;

	if (name > len || body[0] != '\0') {
		refuse(turn, "0A000", "a stand-in has the unnamed portal alone");
		return;
	}
	prepared = find_or_refuse(turn, body + name);
	if (prepared == NULL)
		return;
	at = name + strnlen(body + name, len - name) + 1;
	at += 2 + 2 * (size_t)int_at(body, len, at, 2);
	if (int_at(body, len, at, 2) != prepared->param_count) {
		refuse(turn, "08P01", "the statement has another number of parameters");
		return;
	}
	take_params(turn->dialogue, body, len, at);
	turn->dialogue->portal = prepared;
	message_add(turn->out, '2', NULL, 0);
}

/* 'S' or 'P', and the name. */
static void describe(const struct turn *turn, const char *body)
{
	const struct prepared *prepared = body[0] == 'S' ? find_or_refuse(turn, body + 1)
							 : portal_or_refuse(turn, body + 1);

	if (prepared != NULL && body[0] == 'S') {
		size_t begin = message_begin(turn->out, 't');

		add_int16(turn->out, prepared->param_count);
		for (unsigned i = 0; i < prepared->param_count; i++)
			add_int32(turn->out, TYPE_TEXT);
		message_end(turn->out, begin);
	}
	if (prepared != NULL)
		answer_describe(turn->out, prepared->question);
}

static void execute(const struct turn *turn, int question)
{
	struct dialogue *dialogue = turn->dialogue;
	const struct asked asked = { &turn->server->model, &dialogue->transaction, dialogue->params,
		dialogue->param_count, (int64_t)uv_now(turn->server->loop) };

	turn->server->counts.statements++;
	dialogue->failed = !answer_give(turn->out, question, &asked);
}

/* 'S' or 'P', and the name: one that is not there is no error. */
static void close_one(const struct turn *turn, const char *body)
{
	if (body[0] == 'S')
		forget(turn->dialogue, find(turn->dialogue, body + 1));
	else if (body[1] == '\0')
		turn->dialogue->portal = NULL;
	message_add(turn->out, '3', NULL, 0);
}

/* The transaction ends: committed unless a statement of it failed. */
static void end_transaction(const struct turn *turn)
{
	struct dialogue *dialogue = turn->dialogue;
	struct transaction *transaction = &dialogue->transaction;

	if (transaction->makes_table && !dialogue->failed)
		model_make_table(&turn->server->model);
	if (transaction->writes && !dialogue->failed) {
		turn->server->counts.beats++;
		model_write(&turn->server->model, &transaction->row, (int64_t)uv_now(turn->server->loop));
	}
	transaction->makes_table = transaction->writes = false;
	dialogue->failed = false;
	dialogue->portal = NULL;
	turn->server->counts.syncs++;
	message_add(turn->out, 'Z', "I", 1);
}

/* The simple protocol, which takes the unnamed statement's place. */
static void query(const struct turn *turn, const char *sql)
{
	int question = take_statement(turn, sql);

	forget(turn->dialogue, find(turn->dialogue, ""));
	turn->dialogue->param_count = 0;
	if (question != ASK_UNKNOWN) {
		answer_describe(turn->out, question);
		execute(turn, question);
	}
	end_transaction(turn);
}

static void take_asked(const struct turn *turn, char type, const char *body, size_t len)
{
	const struct prepared *portal;

	switch (type) {
	case 'P':
		parse(turn, body, len);
		break;
	case 'B':
		bind_portal(turn, body, len);
		break;
	case 'D':
		describe(turn, body);
		break;
	case 'E':
		portal = portal_or_refuse(turn, body);
		if (portal != NULL)
			execute(turn, portal->question);
		break;
	case 'C':
		close_one(turn, body);
		break;
	case 'Q':
		query(turn, body);
		break;
	case 'H': /* all is said at once anyway */
		break;
	default:
		refuse(turn, "08P01", "a stand-in does not know this message");
	}
}

bool dialogue_take(struct dialogue *dialogue, struct server *server, struct buf *out, char type, const char *body,
		  size_t len)
{
	const struct turn turn = { dialogue, server, out };

	if (type == 'S')
		end_transaction(&turn);
	else if (type != 'X' && !dialogue->failed)
		take_asked(&turn, type, body, len);
	return type != 'X';
}
