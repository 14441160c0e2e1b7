/*
 * What of the fleet's state goes out, and when: the status file (records), the board of triggers in Lua, systemd's line,
 * the window. Monitor's loop.
 */
#pragma once

#include "core/meters.h"
#include "daemon/recent.h"
#include "monitor/monitor.h"
#include "script/hosts.h"
#include "script/shared.h"
#include "window/window.h"

struct outlook;

/* What it is made with; all but the configuration outlive it. */
struct outlook_start {
	uv_loop_t *loop;
	struct config *config;
	struct shared *shared;
	const struct clock *clock;
	const struct recent *recent; /* for explanations that the window asks for */
	struct meters *meters;
	const struct hosts *hosts;
};

/* NULL, after a message on stderr: the window cannot open. */
struct outlook *outlook_new(const struct outlook_start *start);

/* The monitor is there: what it shows goes out from now on. */
void outlook_begin(struct outlook *outlook, struct monitor *monitor);

/* Another monitor shows from now on; NULL: none does. */
void outlook_watch(struct outlook *outlook, struct monitor *monitor);

/* Whether this monitor acts, in words, which it takes over; NULL: there is no other one. */
void outlook_stand(struct outlook *outlook, char *words);

/* What people are shown has changed: within STATUS_DELAY_MS it is out. */
void outlook_changed(struct outlook *outlook);

/* What people have silenced (which outlives the outlook) has changed. */
void outlook_silence(struct outlook *outlook, const struct silences *silences);

/* An event has fired, and is the newest of the recent ones: the window has it at once, triggers in Lua before they run. */
void outlook_fired(struct outlook *outlook, const struct event *event);

/* One of an event's triggers has begun; has ended as `how` says. */
void outlook_started(struct outlook *outlook, const struct event *event, const char *path);
void outlook_told(struct outlook *outlook, const struct event *event, const char *path, const char *how);

/* Somebody uses the console: from now on pm.cluster() sees the fleet also where no trigger is a function. */
void outlook_serve_console(struct outlook *outlook);

/* Listens where the window of that configuration is to be. NULL: it can come in force; else why not, allocated. */
char *outlook_prepare(struct outlook *outlook, const struct config *config);

/* Goes over to the configuration, for which outlook_prepare() found nothing. Keeps a reference. */
void outlook_take(struct outlook *outlook, struct config *config);

/* Says by systemd's line how the fleet is, if that has changed. */
void outlook_tell_systemd(struct outlook *outlook);

/* The monitor ends: all goes out once more, and the window closes. False: its thread does not end. */
bool outlook_end(struct outlook *outlook);

/* After outlook_end(). NULL allowed; clears the pointer. */
void outlook_free(struct outlook **outlook);
