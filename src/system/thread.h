/* Threads that begin with every signal blocked, so that the monitor's thread gets all signals. Any thread. */
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

/* Starts a thread that is to be joined. Returns 0 or an errno. */
int thread_start(pthread_t *thread, void *(*run)(void *data), void *data);

/* Joins the thread if it ends within `ms`; false: it does not end in that time. */
bool thread_join_within(pthread_t thread, int64_t ms);

/* Starts a thread that nobody joins, with a stack of so many bytes. Returns 0 or an errno. */
int thread_start_alone(size_t stack_bytes, void *(*run)(void *data), void *data);
