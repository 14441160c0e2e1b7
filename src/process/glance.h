/*
 * A glance is a look at a program (program.h) that returns in time even if the file lies on a mount that hangs. It
 * runs in a thread of its own, which is left behind if it hangs. While one is left behind, no other look is made.
 */
#pragma once

#include "process/program.h"

/*
 * As program_look(), within `ms`; if the look does not return in time, the fault says so and is sure. Sets `looked` to
 * false, and returns NULL, if an earlier look still hangs or no thread could be made. Any thread but a loop's.
 */
struct program_fault *glance_at_program(const char *name, const char *cwd, int ms, char **place, bool *looked);
