/*
 * The window: what plusmoin shows by HTTP (`http`), on a thread of its own that is made when it is first opened. This is
 * the monitor's side of it: each call costs a few pointers, and none waits for the window's thread.
 */
#pragma once

#include <uv.h>

#include "base/buf.h"
#include "core/meters.h"
#include "window/inbox.h"

struct window;

/* Somebody asks why the node of this "host:port" is where it is: window_answer() follows. Monitor's loop. */
typedef void window_asked(void *data, unsigned long number, const char *id);

/* Shut; NULL: `*error`, libuv's. The meters outlive it. */
struct window *window_new(uv_loop_t *loop, const struct meters *meters, window_asked *asked, void *data, int *error);

/*
 * Listens where the configuration says so and the window does not yet. NULL: window_take() makes it what is in force;
 * else why not, the caller's to free, and nothing has changed. Blocks for no longer than a bind() takes.
 */
char *window_prepare(struct window *window, const struct config *config);

/* What was prepared last is in force. */
void window_take(struct window *window);

/* Whether somebody may be looking: what is shown to a shut window goes nowhere. */
bool window_is_open(const struct window *window);

/* Shows the pane, which it takes over. */
void window_show(struct window *window, struct pane *pane);

/* Shows the status file's text, which is copied. */
void window_show_status(struct window *window, const char *text, size_t len);

/* Tells of an event or of a run; takes over the note. */
void window_tell(struct window *window, struct note *note);

/* The answer to what was asked: JSON, or NULL; takes over the text. */
void window_answer(struct window *window, unsigned long number, char *text);

/* Ends the thread; false: it does not end, and what it holds lives on. NULL allowed, clears the pointer. */
bool window_free(struct window **window);
