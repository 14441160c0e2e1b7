#include "core/rulebook.h"

/* M and U rules need a beat, so round.c and rules.c decide when they speak. */
static const struct rule_row rows[RULES] = {
	[RULE_NONE] = { .sentence = "" },

	/* the seat */
	[RULE_M1] = { RULE_M1, PLACE_MASTER, FOUND_ELSE, OUTCOME_STAYS, EVENT_NONE,
		      "it sat in the seat and took its beat" },
	[RULE_M2] = { RULE_M2, PLACE_MASTER, FOUND_ELSE, OUTCOME_LOST, EVENT_MASTER_DOWN,
		      "the sitting master was down" },
	[RULE_M3] = { RULE_M3, PLACE_MASTER, FOUND_ELSE, OUTCOME_SLAVE, EVENT_MASTER_DOWN,
		      "the sitting master says that it is slave" },
	[RULE_M4] = { RULE_M4, PLACE_SLAVE, FOUND_ELSE, OUTCOME_SEAT, EVENT_MASTER_UP,
		      "it said that it is master, and took the seat" },
	[RULE_M5] = { RULE_M5, PLACE_SLAVE, FOUND_ELSE, OUTCOME_LOST, EVENT_SLAVE_DOWN,
		      "it says that it is master, but its beat is refused" },
	[RULE_M6] = { RULE_M6, PLACE_SLAVE, FOUND_ELSE, OUTCOME_FOUNDS, EVENT_CLUSTER_CREATED,
		      "it says that it is master while another master sits and answers: it founded a cluster (a split)" },

	/* slaves */
	[RULE_S1] = { RULE_S1, PLACE_SLAVE, FOUND_DOWN, OUTCOME_LOST, EVENT_SLAVE_DOWN,
		      "the slave was down" },
	[RULE_S2] = { RULE_S2, PLACE_SLAVE, FOUND_LATE, OUTCOME_LOST, EVENT_SLAVE_DOWN,
		      "the slave was out of sync" },
	[RULE_S3] = { RULE_S3, PLACE_SLAVE, FOUND_ELSEWHERE, OUTCOME_LEAVES, EVENT_NONE,
		      "it follows another cluster's master" },
	[RULE_S4] = { RULE_S4, PLACE_SLAVE, FOUND_IN_SYNC, OUTCOME_STAYS, EVENT_NONE,
		      "it is in sync" },

	/* lost nodes */
	[RULE_L1] = { RULE_L1, PLACE_LOST, FOUND_DOWN, OUTCOME_STAYS, EVENT_NONE,
		      "it is down" },
	[RULE_L2] = { RULE_L2, PLACE_LOST, FOUND_LATE, OUTCOME_STAYS, EVENT_NONE,
		      "it answers, and is out of sync" },
	[RULE_L3] = { RULE_L3, PLACE_LOST, FOUND_ELSEWHERE, OUTCOME_LEAVES, EVENT_NONE,
		      "it is back, and follows another cluster's master" },
	[RULE_L4] = { RULE_L4, PLACE_LOST, FOUND_IN_SYNC, OUTCOME_SLAVE, EVENT_SLAVE_UP,
		      "it is back, and in sync" },

	/* clusterless nodes */
	[RULE_U1] = { RULE_U1, PLACE_CLUSTERLESS, FOUND_ELSE, OUTCOME_STAYS, EVENT_NONE,
		      "it is down" },
	[RULE_U2] = { RULE_U2, PLACE_CLUSTERLESS, FOUND_ELSE, OUTCOME_FOUNDS,
		      EVENT_CLUSTER_CREATED, "it says that it is master: it founded a cluster" },
	[RULE_U3] = { RULE_U3, PLACE_CLUSTERLESS, FOUND_ELSE, OUTCOME_SLAVE, EVENT_SLAVE_UP,
		      "its row names the cluster's master: it joined" },
	[RULE_U4] = { RULE_U4, PLACE_CLUSTERLESS, FOUND_ELSE, OUTCOME_STAYS, EVENT_NONE,
		      "it answers, and belongs to no cluster" },

	/* a reload */
	[RULE_T7] = { RULE_T7, PLACE_CLUSTERLESS, FOUND_ELSE, OUTCOME_GONE, EVENT_NONE,
		      "it is no longer configured" },

	/* failures that do not count yet */
	[RULE_P1] = { RULE_P1, PLACE_SLAVE, FOUND_ELSE, OUTCOME_STAYS, EVENT_NODE_HELD,
		      "its server is alive, but refuses new connections or beats (hold_on)" },
	[RULE_P2] = { RULE_P2, PLACE_SLAVE, FOUND_ELSE, OUTCOME_STAYS, EVENT_NONE,
		      "it said that it stops or starts (restart_grace)" },
	[RULE_P3] = { RULE_P3, PLACE_SLAVE, FOUND_ELSE, OUTCOME_STAYS, EVENT_NONE,
		      "too few attempts have failed (down_after)" },
	[RULE_P5] = { RULE_P5, PLACE_MASTER, FOUND_ELSE, OUTCOME_STAYS, EVENT_NONE,
		      "a lock keeps its beats from being written (max_sync_delay)" },
	[RULE_P6] = { RULE_P6, PLACE_MASTER, FOUND_ELSE, OUTCOME_STAYS, EVENT_MASTER_UNREACHABLE,
		      "plusmoin alone has lost the way to it: its slaves still hear it (second_opinion), or most of the"
		      " other monitors see it (monitors.votes)" },
	[RULE_P7] = { RULE_P7, PLACE_SLAVE, FOUND_ELSE, OUTCOME_STAYS, EVENT_NONE,
		      "the monitor is isolated: it hears no other host (isolation_grace)" },
	[RULE_P8] = { RULE_P8, PLACE_SLAVE, FOUND_ELSE, OUTCOME_STAYS, EVENT_NONE,
		      "this monitor alone fails to see it: most of the others do (monitors.votes)" },
};

const struct rule_row *rule_row(enum rule rule)
{
	return &rows[rule];
}

const struct rule_row *rule_row_for(enum place place, enum finding finding)
{
	for (enum rule rule = RULE_S1; rule <= RULE_L4; rule++) {
		if (rows[rule].place == place && rows[rule].finding == finding)
			return &rows[rule];
	}
	return &rows[RULE_NONE];
}
