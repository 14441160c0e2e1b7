/*
 * libuv's threads, which look names up and write files. libuv gives look-ups half of them, so that with its usual
 * four two dead names stop all others.
 */
#pragma once

#define POOL_THREADS 32

/*
 * Starts POOL_THREADS of them, with all signals blocked, for all loops of the process. They
 * are counted in the environment, which is then as before: programs that are started have
 * threads of their own. After the last fork, before any other thread. 0 or a libuv error.
 */
int pool_start(void);
