/* `plusmoin console`: Lua in the running daemon. */
#pragma once

/*
 * Runs `code` (-e), the text of `file` (-f), or else stdin: as a whole where that is no terminal, line by line where
 * it is one. `config_path` (absolute) names the daemon. Returns an exit status: 1 when the code has raised an error.
 * Blocking; call with one thread.
 */
int command_console(const char *config_path, const char *code, const char *file);
