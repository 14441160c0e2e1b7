#include "system/notify.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <time.h>

#include <systemd/sd-daemon.h>

#include "base/mem.h"

static bool is_supervised;
static int64_t interval_ms;

void notify_begin(void)
{
	uint64_t watchdog_us = 0;

	is_supervised = getenv("NOTIFY_SOCKET") != NULL;
	if (!is_supervised)
		return;
	if (sd_watchdog_enabled(0, &watchdog_us) > 0)
		interval_ms = (int64_t)(watchdog_us / 2000);
}

static void tell(const char *what)
{
	if (is_supervised)
		(void)sd_notify(0, what);
}

void notify_ready(void)
{
	tell("READY=1");
}

void notify_reloading(void)
{
	struct timespec now;
	char *text;

	clock_gettime(CLOCK_MONOTONIC, &now);
	text = mem_printf("RELOADING=1\nMONOTONIC_USEC=%" PRId64,
			  (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000);
	tell(text);
	free(text);
}

void notify_stopping(void)
{
	tell("STOPPING=1");
}

void notify_status(const char *text)
{
	char *line = mem_printf("STATUS=%s", text);

	tell(line);
	free(line);
}

int64_t notify_interval_ms(void)
{
	return interval_ms;
}

void notify_alive(void)
{
	tell("WATCHDOG=1");
}
