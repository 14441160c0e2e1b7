/*
 * Plays the scenarios of tests/scenarios against the rules: text in, events,
 * rulings and places out. Its README.md says how they are written. Fails when
 * an expectation does not hold, when a rule was never exercised, and when a
 * scenario of must-fail/ does not fail as it says.
 */
#include <dirent.h>
#include <errno.h>

#include "core/cut_off.h"
#include "support/expect.h"

/* What cannot be read from a change: claimed by "!T1" at the end of a line that holds. */
static const char *const claims[] = { "T1", "T2", "T3", "T4", "T5", "T6", "P1", "P2", "P3", "P5", "P6", "P7", "P8" };

#define CLAIMS (sizeof(claims) / sizeof(claims[0]))

struct coverage {
	bool rules[RULES];
	bool claims[CLAIMS];
};

static void line_begins(struct play *play)
{
	play->event_count = 0;
	play->fact_count = 0;
	play->logging_in = false;
	for (size_t i = 0; i < PLAY_NODES; i++)
		play->parts[i] = (struct part){ .beat = BEAT_WRITTEN };
}

static bool check_items(struct play *play, char *text, struct coverage *covered)
{
	size_t next_event = 0;
	char *rest = NULL;

	for (char *item = strtok_r(text, ",", &rest); item != NULL;
	     item = strtok_r(NULL, ",", &rest)) {
		char *words = NULL;
		const char *first = strtok_r(line_trim(item), " \t", &words);
		enum event_kind kind = first != NULL ? event_kind_parse(first) : EVENT_NONE;
		enum rule rule = RULE_NONE;

		if (first == NULL)
			continue;
		if (kind != EVENT_NONE ? !expect_event(play, &next_event, kind, &words, &rule)
				       : !expect_ruling(play, first,
							strtok_r(NULL, " \t", &words), &rule))
			return false;
		covered->rules[rule] = true;
	}
	return expect_no_more(play, next_event);
}

/* Cuts the brackets out of the text, checks each. */
static bool check_brackets(struct play *play, char *text)
{
	char *open;

	while ((open = strchr(text, '[')) != NULL) {
		char *close = strchr(open, ']');

		if (close == NULL)
			return play_fail(play, "a bracket is not closed");
		*close = '\0';
		if (!expect_places(play, open + 1))
			return false;
		memset(open, ' ', (size_t)(close - open) + 1);
	}
	return true;
}

static bool take_claims(struct play *play, char *text, struct coverage *covered)
{
	char *rest = NULL;

	for (char *word = strtok_r(text, " \t!", &rest); word != NULL;
	     word = strtok_r(NULL, " \t!", &rest)) {
		bool known = false;

		for (size_t i = 0; i < CLAIMS; i++) {
			if (strcmp(word, claims[i]) == 0)
				known = covered->claims[i] = true;
		}
		if (!known)
			return play_fail(play, "'!%s' is no rule that a line can claim", word);
	}
	return true;
}

static bool check_outcome(struct play *play, char *text, struct coverage *covered)
{
	char *claimed = strchr(text, '!');

	if (claimed != NULL)
		*claimed++ = '\0';
	if (!check_brackets(play, text) || !check_items(play, text, covered))
		return false;
	return claimed == NULL || take_claims(play, claimed, covered);
}

/* "+60 a master, b slave a@60 => slave_down b [0: a | - | b] !T3" */
static bool play_round(struct play *play, char *text, struct coverage *covered)
{
	char *outcome = strstr(text, "=>");
	size_t len = strcspn(text, " \t");
	bool starts;
	int64_t ms = 0;

	if (play->fleet == NULL)
		return play_fail(play, "no nodes yet");
	if (outcome == NULL)
		return play_fail(play, "a round has no '=>'");
	*outcome = '\0';
	if (text[len] != '\0')
		text[len++] = '\0';
	if (!line_ms(play, text + 1, &ms))
		return false;
	play->steady_ms += ms;
	line_begins(play);
	text = line_trim(text + len);
	starts = strncmp(text, "start", 5) == 0 && (text[5] == '\0' || isspace((unsigned char)text[5]));
	if (!line_parts(play, starts ? text + 5 : text))
		return false;
	if (starts)
		stage_start(play);
	else
		stage_rounds(play);
	return check_outcome(play, outcome + 2, covered);
}

static bool do_nodes(struct play *play, char *text)
{
	const char *ids[PLAY_NODES];
	struct moment now = play_now(play);
	size_t count = 0;
	char *rest = NULL;

	for (char *id = strtok_r(text, " \t", &rest); id != NULL && count < PLAY_NODES;
	     id = strtok_r(NULL, " \t", &rest))
		ids[count++] = id;
	play->config = kit_config(ids, count);
	play->fleet = fleet_new(play->config, &now);
	return true;
}

/* "set b.max_sync_delay 600": a node's own; NULL: no such node or setting. */
static int64_t *own_delay(struct config *config, const char *key)
{
	const char *dot = strchr(key, '.');

	for (size_t i = 0; dot != NULL && i < config->node_count; i++) {
		struct config_node *node = &config->nodes[i];

		if (strlen(node->id) != (size_t)(dot - key) || strncmp(node->id, key, strlen(node->id)) != 0)
			continue;
		if (strcmp(dot, ".max_sync_delay") == 0)
			return &node->max_sync_delay_ms;
		return strcmp(dot, ".recover_sync_delay") == 0 ? &node->recover_sync_delay_ms : NULL;
	}
	return NULL;
}

static bool do_set(struct play *play, char *text)
{
	char *rest = NULL;
	const char *key = strtok_r(text, " \t", &rest);
	const char *value = strtok_r(NULL, " \t", &rest);
	struct config *config = play->config;
	int64_t *own_ms;

	if (config == NULL || key == NULL || value == NULL)
		return play_fail(play, "set KEY VALUE, after the nodes");
	if (strcmp(key, "down_after") == 0) {
		config->down_after = atoi(value);
		return true;
	}
	if (strcmp(key, "max_sync_delay") == 0)
		return line_ms(play, value, &config->max_sync_delay_ms);
	if (strcmp(key, "recover_sync_delay") == 0)
		return line_ms(play, value, &config->recover_sync_delay_ms);
	if (strcmp(key, "isolation_grace") == 0)
		return line_ms(play, value, &config->isolation_grace_ms);
	if (strcmp(key, "restart_grace") == 0)
		return line_ms(play, value, &config->restart_grace_ms);
	own_ms = own_delay(config, key);
	if (own_ms != NULL)
		return line_ms(play, value, own_ms);
	return play_fail(play, "no setting '%s'", key);
}

/* "up a: b c": a cluster with these slaves, as the monitor's start makes one. */
static bool do_up(struct play *play, char *text)
{
	char *rest = NULL;
	const char *master = strtok_r(text, " :\t", &rest);
	struct buf first = { 0 };
	struct buf then = { 0 };
	bool held;

	if (play->fleet == NULL || master == NULL)
		return play_fail(play, "up MASTER: SLAVE..., after the nodes");
	buf_addf(&first, "%s master", master);
	for (char *id = strtok_r(NULL, " :\t", &rest); id != NULL;
	     id = strtok_r(NULL, " :\t", &rest)) {
		buf_addf(&first, ", %s slave", id);
		buf_addf(&then, "%s slave %s@now, ", id, master);
	}
	line_begins(play);
	held = line_parts(play, first.data);
	stage_start(play);
	if (held && then.len > 0) {
		held = line_parts(play, then.data);
		stage_start(play);
	}
	buf_free(&first);
	buf_free(&then);
	return held;
}

/* "restart -3600": a new monitor whose clock was set by so much; it knows nothing. */
static bool do_restart(struct play *play, const char *text)
{
	struct moment now;
	int64_t shift_ms = 0;

	if (!line_ms(play, text, &shift_ms))
		return false;
	play->base_ms += shift_ms;
	now = play_now(play);
	fleet_free(&play->fleet);
	play->fleet = fleet_new(play->config, &now);
	play->founded_count = 0;
	return true;
}

/* "isolated 10", "reconnected 10": so many seconds later the monitor is (not) cut off any more. */
static bool do_cut_off(struct play *play, const char *text, bool cut)
{
	struct moment now;
	int64_t ms = 0;

	if (play->fleet == NULL || !line_ms(play, text, &ms))
		return play_fail(play, "isolated SECONDS, reconnected SECONDS, after the nodes");
	play->steady_ms += ms;
	now = play_now(play);
	if (cut)
		fleet_cut_off(play->fleet, &now);
	else
		fleet_reconnect(play->fleet, &now);
	return true;
}

static bool play_line(struct play *play, char *text, struct coverage *covered)
{
	char *comment = strchr(text, '#');
	size_t len;

	if (comment != NULL)
		*comment = '\0';
	text = line_trim(text);
	if (*text == '\0')
		return true;
	if (*text == '+')
		return play_round(play, text, covered);
	len = strcspn(text, " \t");
	if (text[len] != '\0')
		text[len++] = '\0';
	if (strcmp(text, "nodes") == 0)
		return do_nodes(play, text + len);
	if (strcmp(text, "set") == 0)
		return do_set(play, text + len);
	if (strcmp(text, "up") == 0)
		return do_up(play, text + len);
	if (strcmp(text, "restart") == 0)
		return do_restart(play, line_trim(text + len));
	if (strcmp(text, "isolated") == 0 || strcmp(text, "reconnected") == 0)
		return do_cut_off(play, line_trim(text + len), text[0] == 'i');
	return play_fail(play, "a line begins with +SECONDS, nodes, set, up, restart, isolated or reconnected, not '%s'",
			 text);
}

/* Plays one file; true when all of it held, else `error` says what did not. */
static bool play_file(const char *path, struct coverage *covered, char *error, size_t size)
{
	struct play play = { .path = path, .base_ms = KIT_BASE_MS };
	FILE *file = fopen(path, "re");
	char *line = NULL;
	size_t cap = 0;
	bool held = file != NULL;

	if (file == NULL)
		play_fail(&play, "%s", strerror(errno));
	while (held && getline(&line, &cap, file) >= 0) {
		play.line++;
		held = play_line(&play, line, covered);
	}
	if (held && play.fleet == NULL)
		held = play_fail(&play, "nothing in it");
	text_copy(error, size, play.error);
	free(line);
	if (file != NULL)
		fclose(file);
	fleet_free(&play.fleet);
	config_unref(&play.config);
	return held;
}

/* "# fails: WORDS" in the first line of a must-fail scenario: what its failure must say. */
static bool fails_as_it_says(const char *path, char *error, size_t size)
{
	struct coverage ignored = { 0 };
	char wanted[256] = "";
	FILE *file = fopen(path, "re");

	if (file == NULL || fgets(wanted, sizeof(wanted), file) == NULL ||
	    strncmp(wanted, "# fails: ", 9) != 0) {
		snprintf(error, size, "%s:1: expected '# fails: WORDS'", path);
		if (file != NULL)
			fclose(file);
		return false;
	}
	fclose(file);
	wanted[strcspn(wanted, "\n")] = '\0';
	if (play_file(path, &ignored, error, size)) {
		snprintf(error, size, "%s: expected it to fail, it passed", path);
		return false;
	}
	if (strstr(error, wanted + 9) != NULL)
		return true;
	fprintf(stderr, "%s: expected a failure that says '%s'\n", path, wanted + 9);
	return false;
}

static void play_directory(const char *path, struct coverage *covered, int *passed, int *failed)
{
	struct dirent **entries;
	int count = scandir(path, &entries, NULL, alphasort);
	char error[1024];

	if (count < 0) {
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
		(*failed)++;
		return;
	}
	for (int i = 0; i < count; i++) {
		const char *name = entries[i]->d_name;
		char *file = mem_printf("%s/%s", path, name);
		size_t len = strlen(name);
		bool scenario = len > 4 && strcmp(name + len - 4, ".txt") == 0;

		error[0] = '\0';
		if (scenario && (covered != NULL ? play_file(file, covered, error, sizeof(error))
						 : fails_as_it_says(file, error, sizeof(error))))
			(*passed)++;
		else if (scenario && (*failed)++ >= 0)
			fprintf(stderr, "%s\n", error);
		free(file);
		free(entries[i]);
	}
	free(entries);
}

/* How many rules were never exercised; names them on `out` if it is not NULL. */
static int missing(const struct coverage *covered, FILE *out)
{
	int count = 0;

	for (int rule = RULE_M1; rule < RULE_T7; rule++) {
		if (!covered->rules[rule] && ++count > 0 && out != NULL)
			fprintf(out, "no scenario exercises %s\n", rule_name((enum rule)rule));
	}
	for (size_t i = 0; i < CLAIMS; i++) {
		if (!covered->claims[i] && ++count > 0 && out != NULL)
			fprintf(out, "no scenario exercises %s\n", claims[i]);
	}
	return count;
}

int main(void)
{
	const char *path = getenv("SCENARIOS") != NULL ? getenv("SCENARIOS") : "tests/scenarios";
	char *must_fail = mem_printf("%s/must-fail", path);
	struct coverage covered = { 0 };
	struct coverage nothing = { 0 };
	int passed = 0;
	int failed = 0;

	play_directory(path, &covered, &passed, &failed);
	play_directory(must_fail, NULL, &passed, &failed);
	free(must_fail);
	if (missing(&covered, stderr) == 0)
		passed++;
	else
		failed++;
	if (missing(&nothing, NULL) == RULE_T7 - RULE_M1 + (int)CLAIMS) /* it can fail */
		passed++;
	else
		failed++;
	printf("%d passed, %d failed\n", passed, failed);
	return failed > 0 ? 1 : 0;
}
