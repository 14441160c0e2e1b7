/*
 * The requests of the control socket, a row each: its name, its arguments, the function that answers.
 * It reads what the daemon's rooms know and changes nothing but by asking for a reload, a silence, another monitor to act, or
 * the end of a run.
 * Monitor's loop.
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

/* What the answer to "status" is made of; another one: it has changed. */
struct status_mark {
	unsigned long board;
	unsigned long hosts;
	unsigned long lacks;
	unsigned long disputes;
	int64_t isolated_ms;
	unsigned long monitors;
	unsigned long silences;
};

/* What is asked; the daemon's, which sets what stands before `rendering`. */
struct requests {
	struct monitor *monitor;
	const struct clock *clock;
	const struct recent *recent;
	const struct dispatch *dispatch;
	const struct hosts *hosts;
	const struct quiet *quiet;
	struct silencing *silencing;
	struct consoles *consoles;
	const struct config *first;  /* the start's, */
	struct config *const *config; /* and where the present one is */
	bool foreground;
	/* Begins a reload for this client. NULL: its outcome follows; else why it cannot. */
	const char *(*reload)(void *data, unsigned long client);
	/* Several monitors, into an open object: the answer to "monitors", a part of "status". NULL: this one is alone. */
	void (*monitors)(void *data, struct json *json);
	void (*monitors_short)(void *data, struct json *json);
	/* Hands back what this monitor does, if it is the one that acts. NULL: it begins to; else why it cannot. */
	const char *(*resign)(void *data);
	/* Writes what this monitor knows to an etcd that is not the one it was. NULL: it begins to; else why it cannot. */
	const char *(*seed)(void *data);
	/* What runs and waits, into an open object. */
	void (*runs)(void *data, struct json *json);
	/* Ends what `run` names, and writes what that was into an open object; NULL. Else why it cannot, the caller's. */
	char *(*kill)(void *data, const struct request *request, struct json *json);
	void *data;
	unsigned long monitors_generation; /* the daemon raises it when what monitors_short() writes has changed */
	struct rendering *rendering;
	struct draft draft; /* of the status, */
	struct status_mark draft_mark; /* as all was when it was begun */
	struct shared_text *status; /* the last one, for who asks while nothing changes; NULL: none */
	struct status_mark status_mark;
};

/* Begins, on the loop of `control`, to which answers that follow are given. */
void requests_begin(struct requests *requests, uv_loop_t *loop, struct control *control);

/*
 * Answers a request with one JSON object, a reference for the caller; false: the answer follows.
 * What is not understood is an answer, too. May take out what is in the request.
 */
bool requests_answer(struct requests *requests, unsigned long client, struct request *request,
		     struct shared_text **answer);

/* Another monitor answers from now on. */
void requests_watch(struct requests *requests, struct monitor *monitor);

/* Drops what is under way, and the kept status. */
void requests_end(struct requests *requests);
