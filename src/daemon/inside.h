/* The daemon's parts, for the files that join them: daemon.c (its life) and watching.c (what the parts tell each other). */
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
	struct config *first; /* the start's: what needs a restart keeps its values */
	struct hosts *hosts;
	struct shared *shared; /* the hosts' */
	struct clock clock;
	struct monitor *monitor;
	struct jury jury; /* while there are other monitors */
	unsigned long run_numbers; /* of all dispatches */
	struct dispatch *dispatch;
	struct dispatch *alone; /* of triggers that run whether etcd answers or not; NULL: there is no other monitor */
	struct quiet *quiet; /* the silences in force, */
	struct silencing *silencing; /* and who sets and ends them */
	struct control *control;
	struct consoles *consoles;
	struct outlook *outlook;
	struct saved *inherited; /* of the state file, for the first term where etcd holds nothing; NULL: nothing */
	struct shift *shift; /* NULL: there is no other monitor */
	struct timer *settle; /* until it is known whether our name is ours; NULL: it is, or nobody asks */
	void (*up)(void *data); /* is told then; NULL: it was, */
	void *up_data;          /* with this */
	void (*end)(struct daemon *daemon); /* ends it, as SIGTERM does */
	int status;             /* of the process, when the loop has ended */
	struct tidy *tidy;
	struct meters meters;
	uv_signal_t signals[3];
	struct recent recent; /* events */
	struct outcome_waiters waiters; /* for the outcome of a reload */
	struct requests requests;
	int pid_fd;
	bool foreground;
	bool ending;
	bool hangs; /* the window's thread did not end */
};
