/*
 * The kinds of events (keys of `triggers`), the reasons why a node is down, and
 * the rules of cluster-rules.md: enums with their names.
 */
#pragma once

#include <stdbool.h>

enum event_kind {
	EVENT_NONE,
	EVENT_PLUSMOIN_UP,
	EVENT_CLUSTER_CREATED,
	EVENT_SPLIT_BRAIN,
	EVENT_MASTER_DOWN,
	EVENT_MASTER_UP,
	EVENT_SLAVE_DOWN,
	EVENT_SLAVE_UP,
	EVENT_MASTER_UNREACHABLE,
	EVENT_NODE_HELD,
	EVENT_MONITOR_ISOLATED,
	EVENT_MONITOR_RECONNECTED,
	EVENT_HEARTBEAT,
	EVENT_KINDS /* how many; in the order of rule T4 */
};

/* Why a node is down, as contract.md, "Reasons", has them. */
enum reason {
	REASON_NONE,
	REASON_REFUSED,
	REASON_UNREACHABLE,
	REASON_DNS,
	REASON_TIMEOUT,
	REASON_RESET,
	REASON_STARTING,
	REASON_SHUTTING_DOWN,
	REASON_FULL,
	REASON_AUTH,
	REASON_NO_DATABASE,
	REASON_TLS,
	REASON_HUNG,
	REASON_NO_NEW_CONNECTIONS,
	REASON_QUERY_ERROR,
	REASON_READ_ONLY,
	REASON_TABLE,
	REASON_MALFORMED,
	REASON_LAG,
	REASON_DEMOTED,
	REASON_SAME_SERVER, /* no P-rule keeps a node in its place that fails by this, and hold_on may not name it */
	REASONS
};

enum rule {
	RULE_NONE,
	RULE_M1,
	RULE_M2,
	RULE_M3,
	RULE_M4,
	RULE_M5,
	RULE_M6,
	RULE_S1,
	RULE_S2,
	RULE_S3,
	RULE_S4,
	RULE_L1,
	RULE_L2,
	RULE_L3,
	RULE_L4,
	RULE_U1,
	RULE_U2,
	RULE_U3,
	RULE_U4,
	RULE_T7,
	RULE_P1, /* fires node_held */
	RULE_P2,
	RULE_P3,
	RULE_P5,
	RULE_P6, /* fires master_unreachable */
	RULE_P7, /* fires monitor_isolated, which is about no node */
	RULE_P8,
	RULES
};

/* The names that users meet: "master_up", "refused", "M4"; "" for the first of each. */
const char *event_kind_name(enum event_kind kind);
const char *reason_name(enum reason reason);
const char *rule_name(enum rule rule);

/* The names of all events, with commas between, for messages. */
extern const char event_names_text[];

/* The event of that name, EVENT_NONE if there is none. */
enum event_kind event_kind_parse(const char *name);

/* The reason of that name, REASON_NONE if there is none. */
enum reason reason_parse(const char *name);

/*
 * Whether it is a refusal by a server that is at work and neither starts nor stops (P2). `tls` is not one: TLS fails
 * before a server could say that it starts or stops.
 */
bool reason_is_a_refusal(enum reason reason);

/*
 * Whether the server itself says this reason and so may log it each time (pause.h). It says nothing where it is silent,
 * where a connection is refused or broken, and where no way leads to it.
 */
bool reason_is_said(enum reason reason);
