/*
 * A look at a program (program.h) that ends in time although the file lies on a mount that hangs: in a thread
 * of its own, which is left behind then. While one is left behind nobody else looks.
 */
#pragma once

#include "process/program.h"

/*
 * As program_look(), within `ms`; a fault that is sure says that it did not return. `looked` is false (and
 * nothing is said) where an earlier look still hangs or no thread could be made. Any thread but a loop's.
 */
struct program_fault *glance_at_program(const char *name, const char *cwd, int ms, char **place, bool *looked);
