/*
 * What the files of monitor/ share. A watch is a node's probe and timers; a
 * group is a cluster (or the clusterless nodes) with its rounds.
 */
#pragma once

#include "base/log.h"
#include "core/round.h"
#include "core/start.h"
#include "io/clock.h"
#include "io/drain.h"
#include "io/probe.h"
#include "io/resolve.h"
#include "io/timer.h"
#include "monitor/monitor.h"

#define EARLY_ROUNDS_A_SECOND 10
#define START_LOOK_MS 25       /* cluster-rules.md: "every few tens of milliseconds" */
#define STALL_TICK_MS 200
#define STALL_LIMIT_MS 2000    /* P4: own timer late by more than this */
#define SHUT_DOOR_RETRY_MS 60000

struct group {
	struct monitor *monitor;
	struct cluster *cluster; /* NULL: the clusterless nodes */
	struct round round;
	bool open;
	bool regular;     /* the open round is one */
	struct group *born_in; /* whose open round founded the cluster: no rounds before it ends */
	bool again;       /* another is wanted right after */
	bool again_regular;
	size_t awaited;   /* nodes the open round still waits for */
	struct timer *heartbeat;
	struct timer *early;
	int64_t early_at[EARLY_ROUNDS_A_SECOND]; /* steady, a ring */
	size_t early_next;
	int64_t founded_ms;
	int64_t heartbeat_due_ms;
	bool restored; /* by a state file, and a node of it has not been judged since */
};

/* How often in a row a node has refused us, each longer after the one before than the last wait. */
struct refusals {
	int count;
	int64_t last_ms; /* steady */
};

/* What of a failing node failed last. */
enum failing { FAILING_NOT, FAILING_ANSWER, FAILING_QUESTION, FAILING_FRESH, FAILING_BEAT };

struct watch {
	struct monitor *monitor;
	struct node *node;
	struct probe *probe;
	struct timer *retry;
	struct timer *grace;
	struct timer *fresh; /* while the door is shut: to knock again */
	enum reason door;    /* why the last one failed; REASON_NONE: it did not */
	struct refusals door_refused;
	bool awaited;
	bool unseen; /* the last look came to nothing for a fault of ours, and no connection is left */
	int64_t asked_ms;
	struct refusals refused; /* a look, for its credentials */
	enum failing failing; /* as the log was told, last time */
	bool beat_failed;     /* since it began to fail, an error was told */
};

enum start_phase { START_RESTORED, START_SIGHT, START_ANSWERS, START_CLUSTERS, START_OVER };

struct monitor {
	uv_loop_t *loop;
	const struct clock *clock;
	struct config *config;
	struct fleet *fleet;
	struct monitor_events events;
	void *data;
	struct resolver *resolver;
	struct drain *drain; /* of connections that were given up */
	struct config *pending;     /* reload_timer goes over to it: not from inside a call */
	struct timer *reload_timer;
	struct group clusterless;
	enum start_phase phase;
	struct timer *start_timer;
	struct list founding; /* single-node rounds at the start */
	struct timer *refresh_timer; /* one node after another gets a fresh connection */
	size_t refresh_next;
	struct timer *stall_timer;
	int64_t stall_tick_ms;
	unsigned stalls;
	unsigned long event_count;
	int64_t start_s;
};

void reload_begin(struct monitor *monitor);
void reload_end(struct monitor *monitor);

/* A node's watch: made and freed with the node's place in the fleet. */
void watch_new(struct monitor *monitor, struct node *node);
void watch_free(struct node *node);
/*
 * The node's configuration is another one: `anew`, its connection is closed and what
 * was under way over it is gone. watch_look() and watch_plan() are the caller's.
 */
void watch_reload(struct watch *watch, bool anew);

struct moment monitor_now(const struct monitor *monitor);

/* Asks the node now, if nothing is under way. */
void watch_look(struct watch *watch);

/* Sets or clears the retry and grace timers by the node's present state. */
void watch_plan(struct watch *watch);
void watch_plan_cluster(const struct cluster *cluster);

/* Where a line about this node belongs; points into the node. */
struct log_about watch_about(const struct node *node);

/*
 * Before it is judged: logs that the beat of `node` (NULL: nothing) was refused. A slave's loss by
 * that is logged as one; of a lost or clusterless master it is each refusal that is news.
 */
void watch_log_refused(const struct node *node, const struct beat_result *result);

/* `retry_interval`, twice as long after each refusal (contract). */
int64_t watch_interval(const struct watch *watch, const struct refusals *refusals);

/* Counts an attempt that was refused, or (`reason` another one) forgets those before. */
void watch_count(const struct watch *watch, struct refusals *refusals, enum reason reason);

/* The watch's part that looks after its node's door (door.c). */
void door_init(struct watch *watch);

/* The kept connection is gone: what is known of the door is old. */
void door_forget(struct watch *watch);

/* A reload may have opened a door that is shut: to knock at once. */
void door_knock(struct watch *watch);

/* What a fresh connection came to; whether the node is worth a look. */
bool door_refreshed(struct watch *watch, const struct evidence *failure);

/*
 * Fires node_held when P1 begins to hold the node, and says so when it ends; while a round has
 * moved nodes and told nobody yet: at its end.
 */
void door_tell(struct watch *watch, const struct moment *now);

/* Fresh connections, one node after another; refresh_plan() by the present configuration. */
void refresh_begin(struct monitor *monitor);
void refresh_plan(struct monitor *monitor);

struct group *group_of(struct monitor *monitor, const struct node *node);
struct group *group_new(struct monitor *monitor, struct cluster *cluster);
void group_init(struct group *group, struct monitor *monitor, struct cluster *cluster);
void group_clear(struct group *group);

/* Opens a round, or has one opened right after the present one. */
void group_want_round(struct group *group, bool regular);

/* The node's look has ended: its observation is in node->seen. */
void group_saw(struct group *group, struct watch *watch);
void group_beaten(struct group *group, const struct beat_result *result);

/* Whether nodes have moved, and nobody has been told yet. */
bool group_is_judging(const struct group *group);

/* Begins the regular rounds of a cluster. */
void group_run(struct group *group);

/* Regular rounds by the present heartbeat, the next no later than it was to be; and a round soon. */
void group_reload(struct group *group);

/* The watch's node leaves the fleet: an open round does not wait for it. */
void group_forget(struct group *group, const struct watch *watch);

/* The node's connection is made anew: the beat of an open round under way over it is repeated. */
void group_repeat(struct group *group, const struct node *node);

/* Goes on with an open round that waits for nothing any more; false: there is none. */
bool group_resume(struct group *group);

/* A group for a cluster that the open round of `group` has founded. */
void monitor_adopt(struct group *group);

/* Logs the changes, fires their events and tidies clusters up. */
void monitor_publish(struct monitor *monitor, struct changes *changes);
void monitor_fire(struct monitor *monitor, enum event_kind kind, const struct cluster *cluster,
		  const struct change *change);

/* The start: what was seen, a beat of a founding round, the timer. */
void start_begin(struct monitor *monitor);

/* The first answers are waited for: nothing is judged yet. */
bool start_is_blind(const struct monitor *monitor);
void start_saw(struct monitor *monitor, struct watch *watch);
bool start_beaten(struct monitor *monitor, struct watch *watch, const struct beat_result *result);
void start_end(struct monitor *monitor);

/* As group_forget(), group_repeat() and group_resume(), for the start. */
void start_forget(struct monitor *monitor, const struct watch *watch);
void start_repeat(struct monitor *monitor, const struct node *node);
void start_resume(struct monitor *monitor);
