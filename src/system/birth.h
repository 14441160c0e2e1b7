/*
 * The birth of a process tells it from all others, also from one that gets its pid later: the machine's boot, the pid
 * namespace (a container has its own), and when in that boot the process began. Any thread; reads /proc.
 */
#pragma once

#include <sys/types.h>

#define BIRTH_BYTES 96

enum birth_state {
	BIRTH_LIVES,   /* that process runs */
	BIRTH_ENDED,   /* it has ended, or nobody but its parent has to hear of its end (a zombie) */
	BIRTH_UNKNOWN, /* it is, or was, of another boot, machine or container, or /proc does not say */
};

/* Writes the birth of this process: "BOOT:NAMESPACE:TICKS"; "" where /proc does not say it. */
void birth_write(char out[BIRTH_BYTES]);

/*
 * Says what has become of the process that had this pid; `birth` is what it wrote of itself with birth_write(). NULL:
 * it wrote nothing, and is taken for one of this boot and namespace.
 */
enum birth_state birth_look(pid_t pid, const char *birth);
