/*
 * The requests of the control socket, a row each: its name, its arguments, the function that answers.
 * It reads what the daemon's rooms know and changes nothing but by asking for a reload. Monitor's loop.
 */
#pragma once

#include "base/shared_text.h"
#include "daemon/recent.h"
#include "daemon/request.h"
#include "dispatch/dispatch.h"
#include "loop/clock.h"
#include "monitor/monitor.h"
#include "script/hosts.h"

/* What is asked; the daemon's, which sets all but the kept status. */
struct requests {
	struct monitor *monitor;
	const struct clock *clock;
	const struct recent *recent;
	const struct dispatch *dispatch;
	const struct hosts *hosts;
	const struct config *first;  /* the start's, */
	struct config *const *config; /* and where the present one is */
	bool foreground;
	/* Begins a reload for this client. NULL: its outcome follows; else why it cannot. */
	const char *(*reload)(void *data, unsigned long client);
	void *data;
	struct shared_text *status;      /* the last one, for who asks while nothing changes; NULL: none, */
	unsigned long status_generation; /* of this board, */
	unsigned long hosts_generation;  /* these hosts, */
	unsigned long lacks_generation;  /* these lacks, */
	int64_t isolated_ms;             /* and as the monitor was isolated since */
	unsigned long dispute_count; /* and fleet->dispute_count */
};

/*
 * Answers a request with one JSON object, a reference for the caller; false: the answer follows.
 * What is not understood is an answer, too.
 */
bool requests_answer(struct requests *requests, unsigned long client, const struct request *request,
		     struct shared_text **answer);

/* Drops the kept status. */
void requests_free(struct requests *requests);
