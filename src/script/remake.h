/*
 * Makes another script host of a load, from what the load has read and from nothing else, so that a changed file never
 * comes into force without a reload. Only its functions are used, which have to be the accepted ones. Monitor's loop.
 */
#pragma once

#include "script/load.h"

/*
 * Begins to make a host in place of the present one, or of one that was left behind. When its HOST_HAS_LOADED comes,
 * the owner calls load_take_next(). A failure is logged; the load then keeps the host that it has, if it has one.
 */
void load_make_again(struct load *load, struct shared *shared, struct mailbox *mailbox);

/* Takes load->next, which has loaded, in place of load->host, or gives it up if its functions are others. */
void load_take_next(struct load *load);
