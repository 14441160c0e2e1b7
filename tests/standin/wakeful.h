/*
 * A loop that looks for work for a while before it sleeps: what a server costs its client must not be the waking of
 * the core that the server sleeps on.
 */
#pragma once

#include <stdint.h>
#include <uv.h>

/* From now on the loop sleeps only `spin_ms` after the last note of work; 0: at once, as libuv does. */
void wakeful_start(uv_loop_t *loop, uint64_t spin_ms);

/* There was work. */
void wakeful_note(uv_loop_t *loop);
