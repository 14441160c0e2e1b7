/*
 * The lines of a stand-in's script, each played at once (README.md): they make servers, do something to them, or print
 * what they count. All servers there are live here, and for as long as the program.
 */
#pragma once

#include <uv.h>

enum line_outcome {
	LINE_EMPTY, /* nothing but blanks and a comment */
	LINE_DONE,
	LINE_WRONG /* and stdout says why: "error: ..." */
};

/* Plays a line without its "+SECONDS"; its text is changed. Servers that it makes live in `loop`, always the same. */
enum line_outcome lines_play(uv_loop_t *loop, char *text);
