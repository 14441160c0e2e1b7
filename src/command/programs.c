#include "command/programs.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "process/glance.h"

#define LOOK_MS 3000 /* how long one look may take; one at a mount that answers takes no time */

static void add(struct json *json, const char *key, const char *text)
{
	jsonw_key(json, key);
	jsonw_string(json, text);
}

/* Whether the program (python3, lua5.4) runs its first argument as a script, if that is a path. */
static bool runs_scripts(const char *program)
{
	static const char *const names[] = { "sh", "bash", "dash", "ksh", "zsh", "python", "perl", "ruby", "lua",
					     "node", "php" };
	const char *base = strrchr(program, '/');

	base = base != NULL ? base + 1 : program;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		size_t len = strlen(names[i]);

		if (strncmp(base, names[i], len) == 0 && base[len + strspn(base + len, "0123456789.")] == '\0')
			return true;
	}
	return false;
}

/* Looks for the program. Where an earlier look hangs there is none, and the fault says so. */
static struct program_fault *look(const struct config_action *action, char **place)
{
	bool looked;
	struct program_fault *fault = glance_at_program(action->argv[0], "/", LOOK_MS, place, &looked);

	if (looked)
		return fault;
	fault = mem_zalloc(1, sizeof(*fault));
	fault->words = mem_printf("%s was not looked at: an earlier look hangs", action->argv[0]);
	fault->sure = true;
	return fault;
}

static const char *unreadable_argument(char *const *argv)
{
	if (argv[1] == NULL || argv[1][0] != '/' || !runs_scripts(argv[0]) || access(argv[1], R_OK) == 0)
		return NULL;
	return argv[1];
}

static void add_program(struct json *json, const struct config_action *action)
{
	char *place;
	struct program_fault *fault = look(action, &place);

	jsonw_begin_object(json);
	add(json, "path", action->path);
	add(json, "program", action->argv[0]);
	add(json, "place", place);
	add(json, "words", fault != NULL ? fault->words : NULL);
	add(json, "cure", fault != NULL ? fault->cure : NULL);
	add(json, "argument", fault == NULL ? unreadable_argument(action->argv) : NULL);
	jsonw_key(json, "sure");
	jsonw_bool(json, fault != NULL && fault->sure);
	jsonw_end_object(json);
	program_fault_free(&fault);
	free(place);
}

void programs_add(struct json *json, const struct config *config)
{
	jsonw_key(json, "programs");
	jsonw_begin_array(json);
	for (int kind = 0; kind < EVENT_KINDS; kind++) {
		const struct config_trigger *trigger = &config->triggers[kind];

		for (size_t i = 0; i < trigger->count; i++) {
			if (trigger->actions[i].argv != NULL)
				add_program(json, &trigger->actions[i]);
		}
	}
	jsonw_end_array(json);
}
