#include "pg/pinned.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#define ALWAYS 0 /* each supported version knows it: it may stand in `options` */

static const struct {
	const char *name;
	const char *value; /* as it stands in `options`, a backslash before a blank */
	int from;          /* server version */
	bool ours_alone;   /* it is not for PINNED_FOR_OTHERS */
} pinned[] = {
	/* a hot standby refuses serializable (0A000), for each statement; at a level above this one beats meet 40001 */
	{ "default_transaction_isolation", "read\\ committed", ALWAYS, false },
	{ "default_transaction_deferrable", "off", ALWAYS, false },
	/* limits of our own, which follow, end what takes too long */
	{ "lock_timeout", "0", ALWAYS, false },
	{ "idle_in_transaction_session_timeout", "0", ALWAYS, false },
	{ "idle_session_timeout", "0", 140000, false },
	{ "transaction_timeout", "0", 170000, false },
	/* off turns a row that a policy hides into an error */
	{ "row_security", "on", ALWAYS, false },
	/* what a literal means, and what values look like (in triggers, and in the facts of `check`) */
	{ "standard_conforming_strings", "on", ALWAYS, false },
	{ "DateStyle", "ISO", ALWAYS, false },
	{ "IntervalStyle", "postgres", ALWAYS, false },
	{ "bytea_output", "hex", ALWAYS, false },
	{ "extra_float_digits", "1", ALWAYS, false },
	/* a server tells us of an immediate stop, or of a crash, by a warning: error would hide it */
	{ "client_min_messages", "warning", ALWAYS, false },
	/* a server ends the sessions of a monitor that was cut off after a minute and a half: each holds a slot */
	{ "tcp_keepalives_idle", "60", ALWAYS, true },
	{ "tcp_keepalives_interval", "10", ALWAYS, true },
	{ "tcp_keepalives_count", "3", ALWAYS, true },
	/* a beat does not wait for standbys that are gone */
	{ "synchronous_commit", "local", ALWAYS, true },
	/* the beats' table must not be made in a tablespace that we have no right to, or with a method without DELETE */
	{ "default_tablespace", "", ALWAYS, true },
	{ "default_table_access_method", "heap", 120000, true },
	/* compiling takes longer than any statement of ours */
	{ "jit", "off", 110000, true },
};

#define PINNED (sizeof(pinned) / sizeof(pinned[0]))

const char pinned_sql[] =
	"SELECT pg_catalog.pg_backend_pid() = $3::int,"
	" (SELECT count(pg_catalog.set_config(name, value, false))"
	" FROM unnest($1::text[], $2::text[]) s(name, value)"
	" WHERE pg_catalog.pg_backend_pid() = $3::int)";

const char pinned_local_sql[] =
	"SELECT count(pg_catalog.set_config(name, value, true)) FROM unnest($1::text[], $2::text[]) s(name, value)";

void pinned_options(enum pinned_for whose, char out[PINNED_OPTIONS])
{
	out[0] = '\0';
	for (size_t i = 0; i < PINNED; i++) {
		size_t len = strlen(out);

		if (pinned[i].from == ALWAYS && (!pinned[i].ours_alone || whose == PINNED_FOR_US))
			(void)snprintf(out + len, PINNED_OPTIONS - len, "%s-c %s=%s", len > 0 ? " " : "",
				       pinned[i].name, pinned[i].value);
	}
}

/* One more element of an array as text: {a,b}. */
static void add_element(char *array, size_t size, const char *element)
{
	size_t len = strlen(array) - 1; /* without its closing brace */

	(void)snprintf(array + len, size - len, "%s%s}", len > 1 ? "," : "", element);
}

void pinned_add(struct pinned_words *words, const char *name, const char *value)
{
	add_element(words->names, sizeof(words->names), name);
	add_element(words->values, sizeof(words->values), value);
}

bool pinned_younger(enum pinned_for whose, int server_version, int pid, struct pinned_words *out)
{
	bool any = false;

	*out = (struct pinned_words){ .names = "{}", .values = "{}" };
	(void)snprintf(out->pid, sizeof(out->pid), "%d", pid);
	for (size_t i = 0; i < PINNED; i++) {
		if (pinned[i].from == ALWAYS || pinned[i].from > server_version ||
		    (pinned[i].ours_alone && whose != PINNED_FOR_US))
			continue;
		pinned_add(out, pinned[i].name, pinned[i].value);
		any = true;
	}
	return any;
}
