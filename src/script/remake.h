/*
 * A further host of a load, made from what the load has read and from nothing else: what nobody reloaded
 * is not live. It gives functions alone; they have to be the accepted ones. Monitor's loop.
 */
#pragma once

#include "script/load.h"

/*
 * Begins to make a host in the place of the present one, if it has one, or of one that was left behind.
 * Its HOST_HAS_LOADED is for load_take_next(). A failure is logged; the load keeps the host that it
 * has, or lacks one.
 */
void load_make_again(struct load *load, struct shared *shared, struct mailbox *mailbox);

/* load->next has loaded. */
void load_take_next(struct load *load);
