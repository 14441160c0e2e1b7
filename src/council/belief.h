/*
 * Whether this monitor may believe now that the term is its own (issue "Several monitors", 2). The term is sure for
 * the lease's time, less a tenth and 100 ms, from the sending of the last renewal that etcd has answered. When that
 * has passed, the monitor starts nothing until a read of `lead`, sent afterwards, has said that the term is still its
 * own. The safety does not depend on this, or on any clock, as each commit compares the term (ledger.h): this only
 * avoids starting what etcd would refuse. Pure: times are CLOCK_BOOTTIME in ms.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct belief {
	int64_t term;       /* the create_revision of `lead`; 0: it is not ours */
	int64_t ttl_ms;     /* the lease's, as etcd has granted it */
	int64_t renewed_ms; /* when the last renewal that was answered was sent */
	int64_t sure_ms;    /* until when the term is sure; afterwards a read has to be sent */
};

/* A term of ours begins: the answer to a request that was sent at `sent_ms` says so. */
void belief_begin(struct belief *belief, int64_t term, int64_t ttl_ms, int64_t sent_ms);

/*
 * etcd has answered at `now_ms` a renewal that was sent at `sent_ms`. True: the term is not sure by that, read `lead`.
 */
bool belief_renewed(struct belief *belief, int64_t sent_ms, int64_t now_ms);

/*
 * A read of `lead` that was sent at `sent_ms` has shown that this term is ours (0: there is no `lead`, or it is another
 * monitor's). False: the term that was ours is over.
 */
bool belief_read(struct belief *belief, int64_t term, int64_t sent_ms, int64_t now_ms);

/* Whether the monitor may start something now. */
bool belief_is_sure(const struct belief *belief, int64_t now_ms);
