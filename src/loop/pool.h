/*
 * libuv's threads, which look names up and write files. libuv gives look-ups half of them, so with its usual four
 * threads two names whose servers do not answer would stop all other look-ups.
 */
#pragma once

#define POOL_THREADS 32

/*
 * Starts POOL_THREADS of them, with all signals blocked, for all loops of the process. libuv reads
 * their number from the environment, where it stands during this call only, because programs that are
 * started may use libuv, too. Called after the last fork, before any other thread. Returns 0 or a libuv error.
 */
int pool_start(void);
