/*
 * The outlook publishes the fleet's state when it changes: in the status file (records), on the board for triggers in
 * Lua (script/shared.h), in systemd's status line, and in the window (window/window.h). Monitor's loop.
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

/* Publishes what the monitor shows from now on, but not yet in files. */
void outlook_begin(struct outlook *outlook, struct monitor *monitor);

/* This process goes on: from now on it writes the files, which may have been another one's of the same name before. */
void outlook_settle(struct outlook *outlook);

/* Publishes what another `struct monitor` shows from now on; NULL: nothing, until the next call. */
void outlook_watch(struct outlook *outlook, struct monitor *monitor);

/* Publishes whether this monitor acts in these words, which it takes over; NULL: this monitor is alone. */
void outlook_stand(struct outlook *outlook, char *words);

/*
 * What people are shown has changed: the outlook publishes it within STATUS_DELAY_MS, or later where that costs much.
 */
void outlook_changed(struct outlook *outlook);

/* What people have silenced (which outlives the outlook) has changed. */
void outlook_silence(struct outlook *outlook, const struct silences *silences);

/*
 * An event has fired, and is the newest of the recent ones: tells the window at once, and publishes the board before
 * triggers in Lua run.
 */
void outlook_fired(struct outlook *outlook, const struct event *event);

/* Tell the window that one of an event's triggers has started, or has ended as `how` says. */
void outlook_started(struct outlook *outlook, const struct event *event, const char *path);
void outlook_told(struct outlook *outlook, const struct event *event, const char *path, const char *how);

/* Somebody uses the console: from now on pm.cluster() sees the fleet also where no trigger is a function. */
void outlook_serve_console(struct outlook *outlook);

/*
 * Listens where that configuration has its window. NULL: the configuration can come in force; else why not,
 * allocated.
 */
char *outlook_prepare(struct outlook *outlook, const struct config *config);

/* Goes over to a configuration that outlook_prepare() has accepted. Keeps a reference. */
void outlook_take(struct outlook *outlook, struct config *config);

/* Says in systemd's status line how the fleet is, if that has changed. */
void outlook_tell_systemd(struct outlook *outlook);

/*
 * The monitor ends: writes the files a last time if they would change, and closes the window. False: its thread does
 * not end.
 */
bool outlook_end(struct outlook *outlook);

/* After outlook_end(). NULL allowed; clears the pointer. */
void outlook_free(struct outlook **outlook);
