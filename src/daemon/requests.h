/*
 * The requests of the control socket, a row each: its name, its arguments, the function that answers. A request reads
 * what the daemon's rooms know. It changes nothing itself: it asks one of them for a reload, a silence, the end of a
 * run, another monitor to act, or code to run. Monitor's loop.
 */
#pragma once

#include "base/shared_text.h"
#include "daemon/consoles.h"
#include "daemon/draft.h"
#include "daemon/recent.h"
#include "daemon/rendering.h"
#include "daemon/silencing.h"
#include "dispatch/dispatch.h"
#include "loop/clock.h"
#include "monitor/monitor.h"
#include "script/hosts.h"

/* What the answer to "status" depends on: while these numbers stay the same, the last answer still holds. */
struct status_mark {
	unsigned long board;
	unsigned long hosts;
	unsigned long lacks;
	unsigned long disputes;
	int64_t isolated_ms;
	unsigned long monitors;
	unsigned long silences;
};

/* What the requests ask. The daemon owns it, and sets the members before `rendering`. */
struct requests {
	struct monitor *monitor;
	const struct clock *clock;
	const struct recent *recent;
	const struct dispatch *dispatch;
	const struct hosts *hosts;
	const struct quiet *quiet;
	struct silencing *silencing;
	struct consoles *consoles;
	const struct config *first;  /* the start's configuration */
	struct config *const *config; /* `*config` is the present configuration at any time */
	bool foreground;
	/* Begins a reload for this client. NULL: its outcome follows; else why it cannot. */
	const char *(*reload)(void *data, unsigned long client);
	/* Writes the answer to "monitors" into an open object. NULL: this monitor is alone. */
	void (*monitors)(void *data, struct json *json);
	/* Writes what "status" says of the monitors into an open object. NULL: this monitor is alone. */
	void (*monitors_short)(void *data, struct json *json);
	/* Hands back the term, if this monitor acts. NULL: it begins to; else why it cannot. */
	const char *(*resign)(void *data);
	/*
	 * Writes what this monitor knows to an etcd whose store is another one than before. NULL: it begins to; else
	 * why it cannot.
	 */
	const char *(*seed)(void *data);
	/* Writes what runs and what waits into an open object. */
	void (*runs)(void *data, struct json *json);
	/*
	 * Ends the run that the request names, and writes that run into an open object. NULL: it did; else why it
	 * cannot, the caller's to free.
	 */
	char *(*kill)(void *data, const struct request *request, struct json *json);
	void *data;
	unsigned long monitors_generation; /* the daemon raises it when what monitors_short() writes has changed */
	struct rendering *rendering;
	struct draft draft; /* the status while it is rendered */
	struct status_mark draft_mark; /* the mark when `draft` was begun */
	struct shared_text *status; /* the last answer, for who asks while nothing changes; NULL: none */
	struct status_mark status_mark; /* the mark of `status` */
};

/* Begins to answer, on the loop of `control`, which sends the answers that follow. */
void requests_begin(struct requests *requests, uv_loop_t *loop, struct control *control);

/*
 * Answers a request with one JSON object, a reference for the caller; false: the answer follows. A request that is
 * not understood is answered with an error. May take out what is in the request.
 */
bool requests_answer(struct requests *requests, unsigned long client, struct request *request,
		     struct shared_text **answer);

/* Asks another `struct monitor` from now on, and drops the status of the one before. */
void requests_watch(struct requests *requests, struct monitor *monitor);

/* Drops what is under way, and the kept status. */
void requests_end(struct requests *requests);
