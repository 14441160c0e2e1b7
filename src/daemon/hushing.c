#include "daemon/hushing.h"

/* NULL: this monitor is alone. */
static struct council *council_of(const struct daemon *daemon)
{
	return shift_council(daemon->shift);
}

static void on_changed(void *data)
{
	struct daemon *daemon = data;

	outlook_silence(daemon->outlook, quiet_all(daemon->quiet));
}

void hushing_begin(struct daemon *daemon)
{
	daemon->quiet = quiet_new(&daemon->loop, &daemon->meters, on_changed, daemon);
}

void hushing_inherit(struct daemon *daemon)
{
	const struct council *council = council_of(daemon);

	if (daemon->inherited == NULL)
		return;
	quiet_inherit(daemon->quiet, &daemon->inherited->silences);
	if (council != NULL)
		hush_seed(council_hush(council), quiet_all(daemon->quiet));
}

/* ---- several monitors ---- */

static void on_read(void *data, const struct silences *silences)
{
	struct daemon *daemon = data;

	quiet_take(daemon->quiet, silences);
}

static void on_done(void *data, unsigned long number, const char *why)
{
	struct daemon *daemon = data;

	if (daemon->silencing != NULL)
		silencing_stored(daemon->silencing, number, why);
}

const struct hush_events hushing_events = { .read = on_read, .done = on_done };

static void put(void *data, unsigned long number, const struct silence *silence, bool is_end)
{
	const struct daemon *daemon = data;

	hush_put(council_hush(council_of(daemon)), number, silence, is_end);
}

static const char *lacks_ids(void *data)
{
	const struct daemon *daemon = data;

	if (council_term(council_of(daemon)) != 0)
		return NULL;
	return "this monitor stands by, and numbers clusters by itself: ask the one that acts, or name a node or \"all\"";
}

/* ---- requests ---- */

static const struct fleet *fleet_of(void *data)
{
	const struct daemon *daemon = data;

	return monitor_fleet(daemon->monitor);
}

void hushing_open(struct daemon *daemon)
{
	const struct silencing_start start = {
		.loop = &daemon->loop,
		.quiet = daemon->quiet,
		.control = daemon->control,
		.store = { .put = put, .lacks_ids = lacks_ids, .data = daemon },
		.is_shared = daemon->shift != NULL,
		.fleet = fleet_of,
		.data = daemon,
	};

	daemon->silencing = silencing_new(&start);
}
