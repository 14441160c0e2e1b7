/*
 * Whether the term can be believed to be ours now (issue "Several monitors", 2). The lease is renewed; from the sending of
 * the last renewal that was answered the term is sure for its time less a tenth and 100 ms. When that has passed, nothing
 * is started until a read of `lead`, sent afterwards, has said that the term is ours still. What holds without any clock is
 * that each commit compares the term (ledger.h): this only keeps from starting what would be refused. Pure: times are
 * CLOCK_BOOTTIME in ms.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct belief {
	int64_t term;       /* the create_revision of `lead`; 0: it is not ours */
	int64_t ttl_ms;     /* the lease's, as etcd has granted it */
	int64_t renewed_ms; /* when the last renewal that was answered was sent */
	int64_t sure_ms;    /* until then the term is sure, and afterwards a read has to be sent */
};

/* The term is ours, by an answer to what was sent at `sent_ms`. */
void belief_begin(struct belief *belief, int64_t term, int64_t ttl_ms, int64_t sent_ms);

/* A renewal that was sent then was answered at `now_ms`; true: that is not enough, `lead` has to be read. */
bool belief_renewed(struct belief *belief, int64_t sent_ms, int64_t now_ms);

/* A read of `lead` that was sent then has named that term (0: there is no `lead`, or another's). False: ours is over. */
bool belief_read(struct belief *belief, int64_t term, int64_t sent_ms, int64_t now_ms);

/* Whether something may be started. */
bool belief_is_sure(const struct belief *belief, int64_t now_ms);
