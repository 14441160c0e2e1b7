/*
 * Ends connections without an error in the server's log. Where the server owes an answer when it is given up (a frozen
 * one, which may wake up), the drain reads what still comes and throws it away until the server closes, for DRAIN_MS at
 * most; of more than DRAIN_SOCKETS it closes the oldest. Idle connections, of which a reload may end thousands at once,
 * it closes with libpq's Terminate, DRAIN_CLOSES_A_TURN in one turn of the loop. Loop's thread.
 */
#pragma once

#include <libpq-fe.h>
#include <uv.h>

#define DRAIN_MS 60000     /* a server that was frozen for longer may log that nobody listened */
#define DRAIN_SOCKETS 64   /* descriptors that may be held in this way */
#define DRAIN_CLOSES_A_TURN 128 /* as many connects may begin in a turn (THROTTLE_A_TURN), and need the descriptors */
#define DRAIN_END_MS 200   /* the time at the end of the program: a server at work answers within it */

struct drain;

struct drain *drain_new(uv_loop_t *loop);

/* Takes the socket over: it is closed here, at once where it cannot be watched. */
void drain_take(struct drain *drain, int fd);

/* Takes an idle connection over, and closes it now or in one of the next turns of the loop. */
void drain_finish(struct drain *drain, PGconn *pg);

/* Closes all idle connections; the others end by themselves within DRAIN_END_MS. NULL allowed; clears the pointer. */
void drain_free(struct drain **drain);
