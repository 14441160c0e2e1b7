/*
 * Connections that were given up while their server owed an answer (a frozen one, which may
 * wake up). They have said goodbye; what still comes is read and thrown away until the
 * server closes, so that it finds no broken pipe and logs no error. For DRAIN_MS at most,
 * and DRAIN_SOCKETS in all: then the oldest is closed. And connections that owe nothing, of which a reload may end
 * thousands at once: DRAIN_CLOSES_A_TURN of them say goodbye in one turn of the loop. Loop's thread.
 */
#pragma once

#include <libpq-fe.h>
#include <uv.h>

#define DRAIN_MS 60000     /* a server that was frozen for longer may log that nobody listened */
#define DRAIN_SOCKETS 64   /* descriptors that may be bound in this way */
#define DRAIN_CLOSES_A_TURN 128 /* no fewer than connects begin in one (THROTTLE_A_TURN): they need the descriptors */
#define DRAIN_END_MS 200   /* at the end of the program: servers at work answer in time */

struct drain;

struct drain *drain_new(uv_loop_t *loop);

/* Takes the socket over: it is closed here, at once where it cannot be watched. */
void drain_take(struct drain *drain, int fd);

/* Takes the connection over, of which nothing is to be expected any more: it says goodbye now or in one of the next turns. */
void drain_finish(struct drain *drain, PGconn *pg);

/* Connections that are to say goodbye do so. Those under way end by themselves within DRAIN_END_MS. NULL allowed; clears the pointer. */
void drain_free(struct drain **drain);
