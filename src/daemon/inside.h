/*
 * The daemon's parts, for the files that join them: daemon.c starts and ends the parts, the other files pass on what
 * one part tells another.
 */
#pragma once

#include <uv.h>

#include "core/meters.h"
#include "daemon/consoles.h"
#include "daemon/control.h"
#include "daemon/outcome.h"
#include "daemon/outlook.h"
#include "daemon/quiet.h"
#include "daemon/recent.h"
#include "daemon/requests.h"
#include "daemon/shift.h"
#include "daemon/silencing.h"
#include "daemon/tidy.h"
#include "dispatch/dispatch.h"
#include "loop/timer.h"
#include "monitor/juror.h"
#include "monitor/monitor.h"
#include "script/hosts.h"

struct daemon {
	uv_loop_t loop;
	struct config *config;
	struct config *first; /* the start's configuration: keys that need a restart keep its values */
	struct hosts *hosts;
	struct shared *shared; /* what the script hosts share; they own it */
	struct clock clock;
	struct monitor *monitor;
	struct jury jury; /* used only with several monitors */
	unsigned long run_numbers; /* how many runs there were; both dispatches count with it */
	struct dispatch *dispatch;
	/* runs the triggers that do not wait for etcd (loners.h); NULL: this monitor is alone */
	struct dispatch *alone;
	struct quiet *quiet; /* the silences in force */
	struct silencing *silencing; /* the requests that set and end silences */
	struct control *control;
	struct consoles *consoles;
	struct outlook *outlook;
	/* what the state file held, for a first term in which etcd holds nothing; NULL: nothing */
	struct saved *inherited;
	struct shift *shift; /* NULL: this monitor is alone */
	/* runs until etcd has confirmed this monitor's name, or for a time; NULL: nothing is waited for */
	struct timer *settle;
	void (*up)(void *data); /* called when the start is complete; NULL: it was called */
	void *up_data;          /* the argument of `up` */
	void (*end)(struct daemon *daemon); /* ends it, as SIGTERM does */
	int status;             /* the process's exit status, once the loop has ended */
	struct tidy *tidy;
	struct meters meters;
	uv_signal_t signals[3];
	struct recent recent; /* the events that fired last */
	struct outcome_waiters waiters; /* clients that wait for the outcome of a reload */
	struct requests requests;
	int pid_fd;
	bool foreground;
	bool ending;
	bool hangs; /* the window's thread or etcd's did not end */
};
