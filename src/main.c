/* Arguments, exit codes, and what comes before the daemon's loop. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "command/verbs.h"
#include "loop/workers.h"
#include "system/directory.h"
#include "system/signals.h"

#define WORKERS_END_MS 100 /* steps of logins under way: exit() must not run beside them */

enum { EXIT_FINE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2 };

static const char usage_text[] =
	"usage: plusmoin [-h|--help] [--version] [-c FILE] [-x] VERB\n"
	"\n"
	"Watches clusters of PostgreSQL servers and runs triggers when something changes.\n"
	"\n"
	"  -c FILE        configuration; default /etc/plusmoin/plusmoin.json, else\n"
	"                 /etc/plusmoin/plusmoin.lua, else /etc/plusmoin/config.json\n"
	"  -x             with start: stay in the foreground, log to stdout\n"
	"\n"
	"  start          watch, as a daemon\n"
	"  stop           end the running daemon\n"
	"  reload         have it read its configuration anew; prints the outcome\n"
	"  status         what the running daemon knows, as a table\n"
	"  status --json  the status file\n"
	"  watch          the status, live, with the last events, until Ctrl-C\n"
	"  explain [NODE|EVENT-ID]\n"
	"                 why a node is where it is and what is missing for the next change,\n"
	"                 what came of an event; without either every node that is not well;\n"
	"                 with --json for programs\n"
	"  monitors       who there is and who acts, where several monitors watch one fleet;\n"
	"                 with --json for programs\n"
	"  monitors resign\n"
	"                 has the one that acts, if it is this one, hand over to another\n"
	"  monitors seed  writes what this one knows to an etcd that was wiped or restored\n"
	"  silence NODE|CLUSTER-ID|all DURATION [REASON]\n"
	"                 for so long (30m, 1h30m, 2d) no trigger runs for events of that node,\n"
	"                 of that cluster, or of all\n"
	"  silence --list which silences there are; with --json for programs\n"
	"  silence --end TARGET\n"
	"                 ends the one of that target\n"
	"  runs           which triggers run and which wait, and for what;\n"
	"                 with --json for programs\n"
	"  runs kill ID   ends one of them\n"
	"  console [-e CODE | -f FILE]\n"
	"                 Lua in the running daemon: code, a file, what stands on stdin, or what\n"
	"                 is typed in a terminal; prints what it returns\n"
	"  check          asks every node whether all will work, and says what mends it;\n"
	"                 with --json for programs\n"
	"  run-trigger FILE.lua|EVENT [EVENT.json]\n"
	"                 runs a Lua trigger by hand: a file, or what is configured for an\n"
	"                 event, with the event of a file (- is stdin) or, without one, as if\n"
	"                 it happened to the running daemon's first cluster now\n"
	"  init-sql       prints the SQL and pg_hba.conf lines that the servers need\n"
	"  lua-types [DIR]\n"
	"                 writes definitions of the Lua API for editors (lua-language-server)\n"
	"                 into DIR; without it into .plusmoin-lua-types, .luarc.json beside it\n"
	"\n"
	"Exit status: 0 fine, 1 it failed, 2 wrong usage, 3 bad configuration.\n";

struct arguments {
	struct verb_call call;
	const char *verb;
	size_t word_count;
	bool help;
	bool version;
};

static int wrong_usage(const char *what, const char *word)
{
	(void)fprintf(stderr, "plusmoin: %s%s%s\n%s", what, word != NULL ? ": " : "",
		      word != NULL ? word : "", usage_text);
	return EXIT_USAGE;
}

/* How many words may follow what stands as the verb. */
static size_t words_of(const char *name)
{
	const struct verb *verb = verb_find(name);

	return verb != NULL ? verb->words_most : 0;
}

/* Where the value of this option goes; NULL: it takes none. */
static const char **value_of(struct arguments *arguments, const char *option)
{
	if (strcmp(option, "-c") == 0)
		return &arguments->call.config;
	if (strcmp(option, "-e") == 0)
		return &arguments->call.code;
	if (strcmp(option, "--end") == 0)
		return &arguments->call.end;
	return strcmp(option, "-f") == 0 ? &arguments->call.file : NULL;
}

/* What is said where that value is missing. */
static const char *lacks_of(const char *option)
{
	if (strcmp(option, "-e") == 0)
		return "-e needs code";
	return strcmp(option, "--end") == 0 ? "a target is needed behind" : "a file is needed behind";
}

/* 0, or an exit status after a message. Options may stand before or after the verb. */
static int parse(int argc, char **argv, struct arguments *out)
{
	for (int i = 1; i < argc; i++) {
		const char *word = argv[i];

		if (strcmp(word, "-h") == 0 || strcmp(word, "--help") == 0)
			out->help = true;
		else if (strcmp(word, "--version") == 0)
			out->version = true;
		else if (strcmp(word, "-x") == 0)
			out->call.foreground = true;
		else if (strcmp(word, "--json") == 0)
			out->call.json = true;
		else if (strcmp(word, "--list") == 0)
			out->call.list = true;
		else if (value_of(out, word) != NULL && i + 1 < argc)
			*value_of(out, word) = argv[++i];
		else if (value_of(out, word) != NULL)
			return wrong_usage(lacks_of(word), word);
		else if (word[0] == '-' && !(word[1] == '\0' && out->word_count == 1))
			return wrong_usage("unknown option", word);
		else if (out->verb != NULL && out->word_count < words_of(out->verb))
			out->call.words[out->word_count++] = word;
		else if (out->verb != NULL)
			return wrong_usage("one verb is enough", word);
		else
			out->verb = word;
	}
	return 0;
}

static const char *default_config(void)
{
	static const char *const paths[] = {
		"/etc/plusmoin/plusmoin.json",
		"/etc/plusmoin/plusmoin.lua",
		"/etc/plusmoin/config.json",
	};

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		if (access(paths[i], F_OK) == 0)
			return paths[i];
	}
	return paths[0];
}

/* 0, or an exit status after a message: whether the verb takes what it is given. */
static int check_call(const struct verb *verb, const struct arguments *arguments)
{
	if (arguments->call.json && (verb == NULL || !verb->takes_json))
		return wrong_usage("--json goes with status, explain, monitors, silence, runs and check", NULL);
	if ((arguments->call.list || arguments->call.end != NULL) && (verb == NULL || !verb->takes_end))
		return wrong_usage("--list and --end go with silence", NULL);
	if (arguments->call.foreground && (verb == NULL || !verb->takes_foreground))
		return wrong_usage("-x goes with start", NULL);
	if ((arguments->call.code != NULL || arguments->call.file != NULL) && (verb == NULL || !verb->takes_code))
		return wrong_usage("-e and -f go with console", NULL);
	if (arguments->call.code != NULL && arguments->call.file != NULL)
		return wrong_usage("-e or -f, not both", NULL);
	if (verb == NULL)
		return wrong_usage("unknown verb", arguments->verb);
	if (arguments->word_count < verb->words_least)
		return wrong_usage(verb->lacks, NULL);
	return 0;
}

static int run_verb(const struct verb *verb, struct verb_call call)
{
	char *config = directory_absolute(call.config != NULL ? call.config : default_config());
	int status;

	if (config == NULL) {
		perror("plusmoin: the working directory");
		return EXIT_FAILED;
	}
	call.config = config;
	status = verb->run(&call);
	free(config);
	if (!workers_end(WORKERS_END_MS)) {
		(void)fflush(stdout);
		_exit(status);
	}
	return status;
}

/* Else a socket or a log could have the number of stdout. */
static void fill_standard_descriptors(void)
{
	int fd;

	while ((fd = open("/dev/null", O_RDWR)) >= 0) { // NOLINT(android-cloexec-open)
		if (fd > STDERR_FILENO) {
			close(fd);
			return;
		}
	}
}

int main(int argc, char **argv)
{
	struct arguments arguments = { 0 };
	const struct verb *verb;
	int status;

	signals_reset(false);
	fill_standard_descriptors();
	status = parse(argc, argv, &arguments);
	if (status != 0)
		return status;
	if (arguments.help) {
		(void)fputs(usage_text, stdout);
		return EXIT_FINE;
	}
	if (arguments.version) {
		(void)puts("plusmoin " PLUSMOIN_VERSION);
		return EXIT_FINE;
	}
	if (arguments.verb == NULL)
		return wrong_usage("no verb", NULL);
	verb = verb_find(arguments.verb);
	status = check_call(verb, &arguments);
	return status != 0 ? status : run_verb(verb, arguments.call);
}
