/*
 * The outcome of a reload, for those who asked for one over the control socket:
 * they wait until the load that saw their file has ended. Monitor's loop.
 */
#pragma once

#include "base/buf.h"
#include "daemon/control.h"
#include "script/loader.h"

/* Who waits for which load; zero-initialised: nobody. */
struct outcome_waiters {
	struct list waiting;
};

void outcome_wait(struct outcome_waiters *waiters, unsigned long client, unsigned long load);

/* Gives `text` to all that wait for this load or an earlier one. */
void outcome_tell(struct outcome_waiters *waiters, struct control *control, unsigned long load,
		  struct shared_text *text);
void outcome_free(struct outcome_waiters *waiters);

/* Logs each key that needs a restart and differs from the start's: its running value stays. */
void outcome_say_restart(const struct config *first, const struct config *now);

/*
 * Renders the answer to a reload. `now` NULL: it failed, as `report` says. Else the answer names the nodes that were
 * added and removed since `before`, and the keys that keep their values of `first` until a restart.
 */
void outcome_render(struct buf *out, const struct config *first, const struct config *before,
		    const struct config *now, const struct load_report *report);
