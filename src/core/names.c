#include "core/names.h"

#include <string.h>

static const char *const event_names[EVENT_KINDS] = {
	[EVENT_NONE] = "",
	[EVENT_PLUSMOIN_UP] = "plusmoin_up",
	[EVENT_CLUSTER_CREATED] = "cluster_created",
	[EVENT_SPLIT_BRAIN] = "split_brain",
	[EVENT_MASTER_DOWN] = "master_down",
	[EVENT_MASTER_UP] = "master_up",
	[EVENT_SLAVE_DOWN] = "slave_down",
	[EVENT_SLAVE_UP] = "slave_up",
	[EVENT_MASTER_UNREACHABLE] = "master_unreachable",
	[EVENT_NODE_HELD] = "node_held",
	[EVENT_MONITOR_ISOLATED] = "monitor_isolated",
	[EVENT_MONITOR_RECONNECTED] = "monitor_reconnected",
	[EVENT_HEARTBEAT] = "plusmoin_heartbeat",
};

const char event_names_text[] =
	"plusmoin_up, plusmoin_heartbeat, cluster_created, split_brain, master_down, master_up, slave_down, slave_up,"
	" master_unreachable, node_held, monitor_isolated, monitor_reconnected";

static const char *const reason_names[REASONS] = {
	[REASON_NONE] = "",
	[REASON_REFUSED] = "refused",
	[REASON_UNREACHABLE] = "unreachable",
	[REASON_DNS] = "dns",
	[REASON_TIMEOUT] = "timeout",
	[REASON_RESET] = "reset",
	[REASON_STARTING] = "starting",
	[REASON_SHUTTING_DOWN] = "shutting_down",
	[REASON_FULL] = "full",
	[REASON_AUTH] = "auth",
	[REASON_NO_DATABASE] = "no_database",
	[REASON_TLS] = "tls",
	[REASON_HUNG] = "hung",
	[REASON_NO_NEW_CONNECTIONS] = "no_new_connections",
	[REASON_QUERY_ERROR] = "query_error",
	[REASON_READ_ONLY] = "read_only",
	[REASON_TABLE] = "table",
	[REASON_MALFORMED] = "malformed",
	[REASON_LAG] = "lag",
	[REASON_DEMOTED] = "demoted",
	[REASON_SAME_SERVER] = "same_server",
};

static const char *const rule_names[RULES] = {
	[RULE_NONE] = "", [RULE_M1] = "M1", [RULE_M2] = "M2", [RULE_M3] = "M3", [RULE_M4] = "M4",
	[RULE_M5] = "M5", [RULE_M6] = "M6", [RULE_S1] = "S1", [RULE_S2] = "S2", [RULE_S3] = "S3",
	[RULE_S4] = "S4", [RULE_L1] = "L1", [RULE_L2] = "L2", [RULE_L3] = "L3", [RULE_L4] = "L4",
	[RULE_U1] = "U1", [RULE_U2] = "U2", [RULE_U3] = "U3", [RULE_U4] = "U4", [RULE_T7] = "T7",
	[RULE_P1] = "P1", [RULE_P2] = "P2", [RULE_P3] = "P3", [RULE_P5] = "P5",
	[RULE_P6] = "P6", [RULE_P7] = "P7", [RULE_P8] = "P8",
};

const char *event_kind_name(enum event_kind kind)
{
	return event_names[kind];
}

const char *reason_name(enum reason reason)
{
	return reason_names[reason];
}

const char *rule_name(enum rule rule)
{
	return rule_names[rule];
}

enum event_kind event_kind_parse(const char *name)
{
	for (int kind = EVENT_NONE + 1; kind < EVENT_KINDS; kind++) {
		if (strcmp(event_names[kind], name) == 0)
			return (enum event_kind)kind;
	}
	return EVENT_NONE;
}

enum reason reason_parse(const char *name)
{
	for (int reason = REASON_NONE + 1; name != NULL && reason < REASONS; reason++) {
		if (strcmp(reason_names[reason], name) == 0)
			return (enum reason)reason;
	}
	return REASON_NONE;
}

bool reason_is_a_refusal(enum reason reason)
{
	return reason == REASON_FULL || reason == REASON_AUTH || reason == REASON_NO_DATABASE;
}

bool reason_is_said(enum reason reason)
{
	switch (reason) {
	case REASON_STARTING:
	case REASON_SHUTTING_DOWN:
	case REASON_FULL:
	case REASON_AUTH:
	case REASON_NO_DATABASE:
	case REASON_TLS:
	case REASON_QUERY_ERROR:
	case REASON_READ_ONLY:
	case REASON_TABLE:
	case REASON_MALFORMED:
		return true;
	case REASON_NONE:
	case REASON_REFUSED:
	case REASON_UNREACHABLE:
	case REASON_DNS:
	case REASON_TIMEOUT:
	case REASON_RESET:
	case REASON_HUNG:
	case REASON_NO_NEW_CONNECTIONS:
	case REASON_LAG:
	case REASON_DEMOTED:
	case REASON_SAME_SERVER:
	case REASONS:
		break;
	}
	return false;
}
