/* `plusmoin console`: Lua in the running daemon. */
#pragma once

/*
 * Runs `code` (-e), the text of `file` (-f), or else what stands on stdin: a whole where that is no terminal, line by
 * line where it is one. `config_path` (absolute): whose daemon. An exit status: 1 when the code has raised an error.
 * Blocking; call with one thread.
 */
int command_console(const char *config_path, const char *code, const char *file);
