#include "system/birth.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BOOT_BYTES 37 /* an UUID as text */
#define STATE_FIELD 3 /* of /proc/PID/stat, see proc(5) */
#define START_FIELD 22

/* Reads the begin of a small file; false: it cannot be read. */
static bool read_text(const char *path, char *out, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd >= 0 ? read(fd, out, size - 1) : -1;

	if (fd >= 0)
		(void)close(fd);
	out[n > 0 ? n : 0] = '\0';
	return n > 0;
}

/* Reads of a process its state's letter and when it began, in ticks since the boot; false: /proc does not say. */
static bool read_stat(pid_t pid, char *state, unsigned long long *ticks)
{
	char path[64];
	char text[1024];
	const char *at;

	(void)snprintf(path, sizeof(path), "/proc/%ld/stat", (long)pid);
	if (!read_text(path, text, sizeof(text)))
		return false;
	at = strrchr(text, ')'); /* the end of the program's name, which may hold anything */
	for (int field = STATE_FIELD; at != NULL && field <= START_FIELD; field++) {
		at = strchr(at, ' ');
		if (at == NULL)
			return false;
		at++;
		if (field == STATE_FIELD)
			*state = *at;
	}
	if (at == NULL)
		return false;
	*ticks = strtoull(at, NULL, 10);
	return true;
}

/* Writes "BOOT:NAMESPACE:", in which pids have one meaning; false: /proc does not say it. */
static bool write_place(char out[BIRTH_BYTES])
{
	char boot[BOOT_BYTES];
	char space[32];
	ssize_t n = readlink("/proc/self/ns/pid", space, sizeof(space) - 1);

	if (n <= 0 || !read_text("/proc/sys/kernel/random/boot_id", boot, sizeof(boot)))
		return false;
	space[n] = '\0';
	(void)snprintf(out, BIRTH_BYTES, "%s:%s:", boot, space);
	return true;
}

void birth_write(char out[BIRTH_BYTES])
{
	unsigned long long ticks;
	size_t len;
	char state;

	if (!write_place(out) || !read_stat(getpid(), &state, &ticks)) {
		out[0] = '\0';
		return;
	}
	len = strlen(out);
	(void)snprintf(out + len, BIRTH_BYTES - len, "%llu", ticks);
}

enum birth_state birth_look(pid_t pid, const char *birth)
{
	char place[BIRTH_BYTES];
	unsigned long long ticks;
	size_t len;
	char state;

	if (birth != NULL && (!write_place(place) || strncmp(birth, place, strlen(place)) != 0))
		return BIRTH_UNKNOWN;
	if (kill(pid, 0) != 0 && errno == ESRCH)
		return BIRTH_ENDED;
	if (!read_stat(pid, &state, &ticks))
		return birth != NULL ? BIRTH_UNKNOWN : BIRTH_LIVES; /* /proc may hide what is another user's */
	if (strchr("ZXx", state) != NULL)
		return BIRTH_ENDED;
	if (birth == NULL)
		return BIRTH_LIVES;
	len = strlen(place);
	return strtoull(birth + len, NULL, 10) == ticks ? BIRTH_LIVES : BIRTH_ENDED;
}
