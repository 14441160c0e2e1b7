/*
 * The window is what plusmoin shows by HTTP (`http`). It answers in a thread of its own, which is made when the
 * window is first opened. These functions are for the monitor's thread: they exchange a few pointers, and never wait
 * for the window's thread.
 */
#pragma once

#include <uv.h>

#include "base/buf.h"
#include "core/meters.h"
#include "window/inbox.h"

struct window;

/*
 * Is called when a client asks why the node `id` ("host:port") is where it is. The callee calls window_answer()
 * later.
 */
typedef void window_asked(void *data, unsigned long number, const char *id);

/* Makes a window that is shut. On failure returns NULL and libuv's error. `meters` must outlive it. */
struct window *window_new(uv_loop_t *loop, const struct meters *meters, window_asked *asked, void *data, int *error);

/*
 * Listens at those addresses of the configuration at which the window does not listen yet. Returns NULL when
 * window_take() can put the configuration into force; else why not, which the caller frees, and nothing has changed.
 * It blocks as long as bind() does.
 */
char *window_prepare(struct window *window, const struct config *config);

/* Puts what window_prepare() prepared last into force. */
void window_take(struct window *window);

/* Returns whether the window is open. What is shown to a shut window is dropped. */
bool window_is_open(const struct window *window);

/* Shows the pane, and owns it afterwards. */
void window_show(struct window *window, struct pane *pane);

/* Shows a copy of the status file's text. */
void window_show_status(struct window *window, const char *text, size_t len);

/* Adds a note of an event or a run, and owns it afterwards. */
void window_tell(struct window *window, struct note *note);

/* Answers the asking of that number with JSON, or NULL, and owns the text afterwards. */
void window_answer(struct window *window, unsigned long number, char *text);

/*
 * Ends the thread. Returns false when it does not end: what the thread uses is not freed then. Accepts NULL, and
 * clears the pointer.
 */
bool window_free(struct window **window);
