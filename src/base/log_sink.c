#include "base/log_sink.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"

#define RETRY_MS 1000

static int64_t steady_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* JOURNAL_STREAM is "device:inode" of what systemd connected stdout to (systemd.exec(5)). */
static bool is_journal(int fd)
{
	const char *stream = getenv("JOURNAL_STREAM");
	struct stat st;
	char here[64];

	if (stream == NULL || fstat(fd, &st) != 0)
		return false;
	(void)snprintf(here, sizeof(here), "%ju:%ju", (uintmax_t)st.st_dev, (uintmax_t)st.st_ino);
	return strcmp(stream, here) == 0;
}

static int open_path(const char *path)
{
	int fd;

	if (path == NULL)
		return STDOUT_FILENO;
	/* with O_NONBLOCK a fifo that nobody reads is an error; without it open() would hang for ever */
	fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0640);
	if (fd >= 0)
		(void)fcntl(fd, F_SETFL, O_APPEND);
	return fd;
}

int log_sink_open(struct log_sink *sink, const char *path)
{
	*sink = (struct log_sink){ .fd = open_path(path) };
	if (sink->fd < 0)
		return errno;
	sink->path = mem_strdup(path);
	sink->journal = path == NULL && is_journal(sink->fd);
	return 0;
}

int log_sink_move(struct log_sink *sink, const char *path)
{
	struct log_sink other;
	int error = log_sink_open(&other, path);

	if (error != 0)
		return error;
	other.lost = sink->lost;
	other.lost_ever = sink->lost_ever;
	other.error = sink->error;
	other.torn = sink->torn; /* it may be the same file; in another one an empty line does no harm */
	log_sink_close(sink);
	*sink = other;
	return 0;
}

void log_sink_close(struct log_sink *sink)
{
	if (sink->path != NULL)
		close(sink->fd);
	free(sink->path);
	*sink = (struct log_sink){ .fd = -1 };
}

/* Appends the line in the form that this sink wants. */
static void add_line(struct buf *out, const struct log_sink *sink, const struct log_text *line)
{
	static const int priorities[] = { 3, 4, 6, 7 }; /* sd-daemon(3): err, warning, info, debug */

	if (sink->journal)
		buf_addf(out, "<%d>", priorities[line->level]);
	buf_add_str(out, sink->journal && line->format == LOG_FORMAT_TEXT ? line->text + line->body + 1
								    : line->text);
}

/* Returns how many bytes were written; if not all, errno says why. */
static size_t write_all(int fd, const struct buf *text)
{
	size_t done = 0;

	while (done < text->len) {
		ssize_t n = write(fd, text->data + done, text->len - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN) { /* a stdout that somebody made non-blocking */
			(void)poll(&(struct pollfd){ .fd = fd, .events = POLLOUT }, 1, -1);
			continue;
		}
		if (n == 0)
			errno = EIO;
		if (n <= 0)
			break;
		done += (size_t)n;
	}
	return done;
}

static void add_lost(struct buf *out, const struct log_sink *sink, enum log_format format)
{
	char *message;
	struct log_text line;

	if (sink->lost == 0)
		return;
	message = mem_printf("%lu log lines were lost: %s", sink->lost, strerror(sink->error));
	line = log_text_new(LOG_LEVEL_ERROR, format, NULL, message);
	add_line(out, sink, &line);
	free(line.text);
	free(message);
}

static void lose(struct log_sink *sink)
{
	sink->lost++;
	sink->lost_ever++;
}

void log_sink_write(struct log_sink *sink, enum log_format format, const struct log_text *line)
{
	struct buf out = { 0 };
	size_t done;

	if (sink->error != 0 && steady_ms() < sink->retry_ms) {
		lose(sink);
		return;
	}
	if (sink->torn)
		buf_add_char(&out, '\n');
	add_lost(&out, sink, format);
	add_line(&out, sink, line);
	done = write_all(sink->fd, &out);
	if (done == out.len) {
		sink->error = 0;
		sink->torn = false;
		sink->lost = 0;
	} else {
		sink->error = errno;
		sink->torn = sink->torn || done > 0;
		sink->retry_ms = steady_ms() + RETRY_MS;
		lose(sink);
	}
	buf_free(&out);
}
