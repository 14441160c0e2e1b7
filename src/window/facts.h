/*
 * The facts are all that the window knows and answers from. The window's thread owns them; only the meters, with the
 * time of the loop's last turn among them, are written by the monitor's thread.
 */
#pragma once

#include <microhttpd.h>

#include "core/meters.h"
#include "window/diary.h"
#include "window/finder.h"
#include "window/pane.h"
#include "window/terms.h"

#define ETAG_BYTES 24

/* The status file's text, ready to be sent. */
struct status_text {
	struct MHD_Response *response; /* NULL: none came yet */
	char etag[ETAG_BYTES];         /* with its quotation marks */
};

struct facts {
	struct terms *terms;     /* NULL: the window is shut */
	struct pane *pane; /* NULL: none came yet */
	struct status_text status;
	struct finder finder;
	struct diary diary;
	const struct meters *meters;
	char start[24]; /* names this run of the daemon in ids of /events */
};

/* Keeps the status file's text, and owns it afterwards. */
void facts_take_status(struct facts *facts, char *text);

/* Returns for how many milliseconds the monitor's loop has not turned, if that is too long; else 0. */
int64_t facts_stale_ms(const struct facts *facts);
void facts_free(struct facts *facts);
