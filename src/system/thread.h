/* Threads that leave all signals to the monitor's: they begin with every signal blocked. Any thread. */
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

/* Starts one that is to be joined. 0, or an errno. */
int thread_start(pthread_t *thread, void *(*run)(void *data), void *data);

/* Joins it when it ends within so many ms; false: it does not. */
bool thread_join_within(pthread_t thread, int64_t ms);

/* Starts one that nobody joins, with a stack of so many bytes. 0, or an errno. */
int thread_start_alone(size_t stack_bytes, void *(*run)(void *data), void *data);
