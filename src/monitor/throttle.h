/*
 * How much the monitor begins at once. A question, and a connect even more, costs the loop a send and what the kernel
 * does for it; thousands of them in one turn would keep everything else waiting. And thousands of connects at once, at
 * a start, after a reload, or when a fleet returns, would be a storm on servers, name servers and worker threads. So
 * what is begun needs a pass, and waits for it where
 * - THROTTLE_A_TURN have been given since the loop turned last;
 * - it is a connect, and THROTTLE_CONNECTS are under way. One that has come to no end within THROTTLE_COUNTS_MS is not
 *   counted any more: servers that are silent do not keep the others waiting;
 * - it is a connect, and THROTTLE_STEPS steps of logins have waited for worker threads for WORKERS_PATIENCE_MS: the
 *   machine can do no more. One each THROTTLE_TRICKLE_MS may go all the same, as another server may cause that.
 * Urgent connects wait for the first of these alone. More urgent ones go first, and those of one kind in the order in
 * which they came. Monitor thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>
#include <uv.h>

#define THROTTLE_A_TURN 128    /* about 3 ms of the loop's time */
#define THROTTLE_CONNECTS 256  /* as many as `plusmoin check` makes */
#define THROTTLE_COUNTS_MS 100
#define THROTTLE_STEPS 16 /* so many that no worker is idle before the loop turns next */
#define THROTTLE_TRICKLE_MS 50

enum pass_kind {
	PASS_QUESTION, /* a question over a kept connection */
	PASS_URGENT,   /* a connect on which the place of a node depends */
	PASS_PLAIN,    /* any other connect */
	PASS_KINDS
};

enum pass_state { PASS_NONE, PASS_WAITS, PASS_COUNTS /* it is given, for a connect that is under way */ };

/* One pass; it stands inside its owner, who leaves before it is freed. Zero-initialised: none. */
struct pass {
	TAILQ_ENTRY(pass) link;
	enum pass_kind kind;
	enum pass_state state;
	int64_t since_ms; /* steady: when it was given */
	void (*go)(void *data);
	void *data;
};

struct throttle;

/* To be freed when no pass waits or counts any more; the loop must run on until its handles are closed. */
struct throttle *throttle_new(uv_loop_t *loop);

/* NULL allowed; clears the pointer. */
void throttle_free(struct throttle **throttle);

/*
 * Whether the owner may begin now. If not, `go` is called once, from the loop, when he may; not after
 * throttle_leave(). A pass that waits or counts must not be taken again.
 */
bool throttle_take(struct throttle *throttle, struct pass *pass, enum pass_kind kind, void (*go)(void *data), void *data);

/* Gives the pass back: the connect has ended, or is not wanted any more. In any state of the pass. */
void throttle_leave(struct throttle *throttle, struct pass *pass);

/* How many connects wait. */
size_t throttle_waiting(const struct throttle *throttle);

/* Whether there is room for a connect that nobody waits for; it needs no pass. */
bool throttle_has_room(const struct throttle *throttle);
