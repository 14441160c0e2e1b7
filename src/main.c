/* Arguments, exit codes, and what comes before the daemon's loop. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/text.h"
#include "client.h"
#include "daemon.h"

enum { EXIT_FINE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2, EXIT_CONFIG = 3 };

static const char usage_text[] =
	"usage: plusmoin [-h|--help] [--version] [-c FILE] [-x] VERB\n"
	"\n"
	"Watches clusters of PostgreSQL servers and runs triggers when something changes.\n"
	"\n"
	"  -c FILE        configuration; default /etc/plusmoin/plusmoin.json, else\n"
	"                 /etc/plusmoin/plusmoin.lua, else /etc/plusmoin/config.json\n"
	"  -x             stay in the foreground, log to stdout\n"
	"\n"
	"  start -x       watch until SIGTERM or SIGINT\n"
	"  status         what the running daemon knows, as a table\n"
	"  status --json  the status file\n"
	"\n"
	"start without -x, stop, reload and check come with a later version.\n"
	"Exit status: 0 fine, 1 it failed, 2 wrong usage, 3 bad configuration.\n";

struct arguments {
	const char *config;
	const char *verb;
	bool foreground;
	bool json;
	bool help;
	bool version;
};

static int wrong_usage(const char *what, const char *word)
{
	(void)fprintf(stderr, "plusmoin: %s%s%s\n%s", what, word != NULL ? ": " : "",
		      word != NULL ? word : "", usage_text);
	return EXIT_USAGE;
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
			out->foreground = true;
		else if (strcmp(word, "--json") == 0)
			out->json = true;
		else if (strcmp(word, "-c") == 0 && i + 1 < argc)
			out->config = argv[++i];
		else if (strcmp(word, "-c") == 0)
			return wrong_usage("-c needs a file", NULL);
		else if (word[0] == '-')
			return wrong_usage("unknown option", word);
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

static void say_lines(char *const *lines, size_t count, const char *what)
{
	for (size_t i = 0; i < count; i++)
		(void)fprintf(stderr, "%s%s\n", what, lines[i]);
}

static int start(const struct arguments *arguments)
{
	enum log_level level = LOG_LEVEL_ERROR;
	struct shared *shared = shared_new();
	struct load_report report;
	struct config *config;
	struct host *host;

	(void)setenv("UV_THREADPOOL_SIZE", "32", 1); /* design.md: look-ups get half of it */
	host = host_new(arguments->config, shared, NULL);
	if (host == NULL || !host_wait(host)) {
		(void)fprintf(stderr, "%s: took longer than %d s to load, in one call that Lua cannot"
				      " end\n", arguments->config, HOST_LOAD_MS / 1000);
		_exit(EXIT_CONFIG);
	}
	host_take(host, &config, &report);
	if (config == NULL) {
		say_lines(report.errors, report.error_count, "");
		load_report_free(&report);
		host_end(host);
		if (host_free(&host, HOST_SIGN_MS))
			shared_free(&shared);
		return EXIT_CONFIG;
	}
	secret_set(config->secrets, config->secret_count);
	(void)log_level_parse(config->log_level, &level);
	(void)umask(022);
	if (log_start(NULL, level, strcmp(config->log_format, "json") == 0 ? LOG_FORMAT_JSON
									   : LOG_FORMAT_TEXT) != 0) {
		(void)fprintf(stderr, "plusmoin: no thread for the log\n");
		host_end(host);
		(void)host_free(&host, HOST_SIGN_MS);
		config_unref(&config);
		load_report_free(&report);
		return EXIT_FAILED;
	}
	for (size_t i = 0; i < report.warning_count; i++)
		log_warning("%s", report.warnings[i]);
	load_report_free(&report);
	if (getuid() == 0)
		log_warning("started as root and stays root: daemon_user comes with a later version");
	return daemon_run(host, shared, config);
}

static int later(const char *verb)
{
	(void)fprintf(stderr, "plusmoin: %s comes with a later version; \"start -x\" and"
			      " \"status\" are what there is\n", verb);
	return EXIT_FAILED;
}

static bool is_later(const char *verb)
{
	static const char *const verbs[] = { "stop", "reload", "check", "watch", "explain",
					     "run-trigger", "init-sql" };

	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
		if (strcmp(verb, verbs[i]) == 0)
			return true;
	}
	return false;
}

int main(int argc, char **argv)
{
	struct arguments arguments = { 0 };
	int status = parse(argc, argv, &arguments);

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
	if (arguments.config == NULL)
		arguments.config = default_config();
	if (arguments.json && strcmp(arguments.verb, "status") != 0)
		return wrong_usage("--json goes with status", NULL);
	if (strcmp(arguments.verb, "start") == 0)
		return arguments.foreground ? start(&arguments) : later("start without -x");
	if (strcmp(arguments.verb, "status") == 0)
		return client_status(arguments.config, arguments.json);
	if (is_later(arguments.verb))
		return later(arguments.verb);
	return wrong_usage("unknown verb", arguments.verb);
}
