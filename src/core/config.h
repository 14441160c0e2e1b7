/*
 * The configuration, as the loader made it: validated, defaults filled in,
 * times in milliseconds. Immutable once built; counted, because queued events
 * keep the triggers of the load they were queued under. The count is touched by
 * the monitor thread alone (the loader's thread hands its one reference over).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/secret.h"
#include "core/names.h"

struct config_pair {
	char *key;
	char *value;
};

struct config_node {
	char *id;   /* "host:port" exactly as configured: the node's name in the beats */
	char *name; /* shown to people; the id where none was given */
	char *host; /* name, address, or a socket directory ("/...") */
	int port;
	char *user;
	char *password; /* NULL: libpq looks for one */
	char *dbname;
	struct config_pair *connection; /* further libpq keywords, sorted by key */
	size_t connection_count;
	/* The node's own limits, for a standby that is delayed on purpose. 0: the fleet's hold. */
	int64_t max_sync_delay_ms;
	int64_t recover_sync_delay_ms;
	bool ignore_system_id; /* it is a master on purpose although it is a copy: no split_brain for it */
};

/* One entry of a trigger's list: a command, or a Lua function. */
struct config_action {
	char *path;        /* "triggers.master_up[2]": for messages */
	char **argv;       /* NULL-terminated; NULL: a function */
	int function;      /* the number by which each script host of this load knows the function */
	char *source;      /* "file.lua:12", where the function begins */
	uint64_t code;     /* a hash of the function's code */
	int64_t timeout_ms;
	bool acts_alone; /* "alone" is "act": with several monitors it runs even while etcd does not answer */
	bool once; /* "rerun" is false: it does not run again after another monitor has started it */
};

struct config_trigger {
	struct config_action *actions;
	size_t count; /* 0: nothing to do for this event */
};

/* An address that is asked when the monitor may be isolated (`isolation_anchors`). */
struct config_anchor {
	char *text; /* "host:port", as configured */
	char *host; /* a name or an address */
	int port;
};

#define ISOLATION_WITHOUT_END INT64_C(-1)

/* The window, plusmoin's own HTTP server (`http`): where it listens, and who may ask. */
struct config_http {
	char **listen; /* each "address:port", "[address]:port" or "/path.sock", as configured */
	size_t listen_count; /* 0: there is no window */
	char **hosts; /* further names that the Host header may have */
	size_t host_count;
	char *agent; /* where HAProxy's agent-check connects, written as in `listen`; NULL: nowhere */
	char *token_file; /* NULL: whoever can connect may ask */
	char *token; /* what the file held when the configuration was loaded, without its newline; NULL: no file */
	bool isolated_fails; /* health answers 503 while the monitor is isolated, not what it knew last */
};

/* Several monitors of one fleet (`monitors`), of which one acts. */
struct config_monitors {
	char **etcd; /* URLs of etcd's members */
	size_t etcd_count; /* 0: this monitor is alone */
	char *prefix; /* ends with a slash */
	char *name;   /* this monitor's name */
	int64_t ttl_ms;
	char *user;   /* NULL: no authentication */
	char *password;
	char *cafile; /* NULL: the system's */
	char *certfile; /* NULL: none */
	char *keyfile;
	int votes; /* how many monitors must fail to see a node (core/votes.h): VOTES_MAJORITY, VOTES_ANY or a number */
};

struct config {
	unsigned references;
	char *path; /* the file it came from */
	int64_t read_ms; /* wall clock, when its load began; later changes of its files are not in it */
	int64_t heartbeat_ms;
	int64_t max_sync_delay_ms;
	int64_t recover_sync_delay_ms;
	int64_t trigger_timeout_ms; /* for an action without a timeout of its own */
	int64_t connect_timeout_ms;
	int64_t query_timeout_ms;
	int64_t retry_interval_ms;
	int64_t restart_grace_ms;
	int64_t fresh_connect_ms; /* time between two fresh connections to a node; 0: there are none */
	bool hold_on[REASONS];    /* by reason: P1 holds a node that fails for it */
	int64_t shutdown_grace_ms;
	bool second_opinion;      /* a master's slaves are asked about it (P6) */
	int64_t isolation_grace_ms; /* how long P7 keeps nodes in place; or ISOLATION_WITHOUT_END */
	struct config_anchor *anchors;
	size_t anchor_count;
	int down_after;
	int trigger_parallel;
	int64_t lua_memory_bytes; /* a script host's state; enforced by script/ */
	int64_t lua_patience_ms;
	char *is_slave_statement;
	char *daemon_user;
	char *log_file;
	char *log_level;
	char *log_format;
	char *pid_file;
	char *status_file;
	char *state_file; /* NULL: none */
	char *control_socket;
	struct config_node *nodes;
	size_t node_count;
	struct config_http http;
	struct config_monitors monitors;
	const struct config_node **by_id; /* pointers to `nodes`, sorted by id; config_seal() makes them */
	struct config_trigger triggers[EVENT_KINDS];
	struct secrets *secrets; /* its passwords, which the log blanks while it lives; NULL: none */
};

/* Copies a node into `copy`, which the caller ends with config_node_clear(). */
void config_node_copy(struct config_node *copy, const struct config_node *node);
/* Sets one keyword of its `connection`; both texts are copied. */
void config_node_set(struct config_node *node, const char *key, const char *value);
void config_node_clear(struct config_node *node);

/* Whether both nodes are logged in to alike: they have the same user, password, dbname and `connection`. */
bool config_node_same_login(const struct config_node *a, const struct config_node *b);

/*
 * Returns the time between two fresh connections to a node, in ms; 0: there are none. It is `fresh_connect_interval`,
 * or longer where fresh connections would take more than a quarter of one processor's time in all. `cost_us` is the
 * processor time of one login in worker threads (login_cost_us() of pg/login.h), in microseconds.
 */
int64_t config_fresh_connect_ms(const struct config *config, int64_t cost_us);

/*
 * How far behind its master this node may be as a slave, and how close it must be to be taken back, ms:
 * its own delays, or the fleet's. P1, P5 and the start go by the fleet's alone.
 */
int64_t config_max_sync_delay_ms(const struct config *config, const struct config_node *node);
int64_t config_recover_sync_delay_ms(const struct config *config, const struct config_node *node);

/* Whether any action for `kind` is a Lua function. */
bool config_has_lua(const struct config *config, enum event_kind kind);

/* The same for any kind. */
bool config_has_any_lua(const struct config *config);

struct config *config_new(void);

/* Called once, when all nodes are there and have their ids; config_find_node() may be called from then on. */
void config_seal(struct config *config);

/* Returns the node of this id, which the configuration owns; NULL: there is none. It must be sealed. */
const struct config_node *config_find_node(const struct config *config, const char *id);

/*
 * The same for a caller that looks up the nodes of another configuration in their order. `*at`, 0 at first, is the
 * index that is tried first; afterwards it is the one behind the node that was found.
 */
const struct config_node *config_find_next(const struct config *config, const char *id, size_t *at);
struct config *config_ref(struct config *config);

/* Drops one reference, frees at the last; NULL allowed, clears the pointer. */
void config_unref(struct config **config);
