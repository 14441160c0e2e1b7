#include "base/log.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/log_queue.h"
#include "base/log_sink.h"
#include "base/mem.h"
#include "base/text.h"

#define REPEATS_S 1 /* how long the count of identical lines is held back */

enum writer_state { WRITER_NONE, WRITER_RUNS, WRITER_STOPS, WRITER_ENDED };

static struct {
	pthread_mutex_t lock;
	pthread_cond_t wake;  /* signalled when there is a line, a reopening or the end */
	pthread_cond_t ended; /* signalled when the thread has written all and ends */
	pthread_t thread;
	enum writer_state state;
	struct log_queue lines;
	bool reopen;
	bool moves;
	char *path; /* if `moves` is set, the new file; NULL: stdout */
	struct log_sink sink; /* used by the thread alone while it runs */
	unsigned long unwritten; /* lines that the sink could not write */
} log_writer = { .lock = PTHREAD_MUTEX_INITIALIZER };

static atomic_int log_level_now = LOG_LEVEL_INFO;
static atomic_int log_format_now = LOG_FORMAT_TEXT;

bool log_enabled(enum log_level level)
{
	return (int)level <= atomic_load_explicit(&log_level_now, memory_order_relaxed);
}

void log_configure(enum log_level level, enum log_format format)
{
	atomic_store(&log_level_now, (int)level);
	atomic_store(&log_format_now, (int)format);
}

static enum log_format format_now(void)
{
	return (enum log_format)atomic_load(&log_format_now);
}

/* Takes the next line, or makes one that says how many were lost; false: there is none. With the lock held. */
static bool queue_take(struct log_text *line)
{
	unsigned long lost = log_queue_lost(&log_writer.lines);
	char *text;

	if (lost == 0)
		return log_queue_take(&log_writer.lines, line);
	text = mem_printf("%lu log lines were lost: nobody reads them fast enough", lost);
	*line = log_text_new(LOG_LEVEL_ERROR, format_now(), NULL, text);
	free(text);
	return true;
}

/* Identical lines in a row, of which one and their count are written. The log thread's own. */
struct repeats {
	struct log_text last; /* its text is NULL before the first line */
	enum log_format format;
	unsigned long times;
	struct timespec due; /* when the count is written at the latest */
};

static void say_repeats(struct log_sink *sink, struct repeats *repeats)
{
	struct log_text line;

	if (repeats->times == 0)
		return;
	line = log_text_repeated(repeats->last.level, repeats->format, repeats->times);
	log_sink_write(sink, repeats->format, &line);
	free(line.text);
	repeats->times = 0;
}

static bool is_repeated(const struct repeats *repeats, const struct log_text *line)
{
	return repeats->last.text != NULL && repeats->last.level == line->level &&
	       strcmp(repeats->last.text + repeats->last.body, line->text + line->body) == 0;
}

/* Writes the line, or counts it if it is the same as the last one. Takes it over. */
static void write_line(struct log_sink *sink, struct repeats *repeats, struct log_text line)
{
	if (is_repeated(repeats, &line)) {
		if (repeats->times++ == 0) {
			clock_gettime(CLOCK_MONOTONIC, &repeats->due);
			repeats->due.tv_sec += REPEATS_S;
		}
		free(line.text);
		return;
	}
	say_repeats(sink, repeats);
	free(repeats->last.text);
	repeats->last = line;
	repeats->format = line.format;
	log_sink_write(sink, repeats->format, &line);
}

static bool is_due(const struct repeats *repeats)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec > repeats->due.tv_sec ||
	       (now.tv_sec == repeats->due.tv_sec && now.tv_nsec >= repeats->due.tv_nsec);
}

/* Opens the file anew, or (`other`) the one of `path`; if that fails the old one stays. Frees `path`. */
static void move_now(struct log_sink *sink, struct repeats *repeats, char *path, bool other)
{
	const char *target = other ? path : sink->path;
	int error = !other && sink->path == NULL ? 0 : log_sink_move(sink, target);

	if (error != 0) {
		char *message = mem_printf("cannot open log file %s: %s; the log stays where it was",
					   target, strerror(error));

		write_line(sink, repeats, log_text_new(LOG_LEVEL_ERROR, format_now(), NULL, message));
		free(message);
	}
	free(path);
}

/* Waits for something to do; false: there is nothing left to do, and the log ends. With the lock held. */
static bool wait_for_work(const struct repeats *repeats)
{
	if (log_writer.state == WRITER_STOPS)
		return false;
	if (repeats->times > 0)
		(void)pthread_cond_timedwait(&log_writer.wake, &log_writer.lock, &repeats->due);
	else
		pthread_cond_wait(&log_writer.wake, &log_writer.lock);
	return true;
}

static void *write_lines(void *unused)
{
	struct repeats repeats = { 0 };

	(void)unused;
	pthread_mutex_lock(&log_writer.lock);
	for (;;) {
		bool reopen = log_writer.reopen;
		bool other = log_writer.moves;
		bool due = repeats.times > 0 && is_due(&repeats);
		char *path = log_writer.path;
		struct log_text line;
		bool taken = queue_take(&line);

		if (!taken && !reopen && !other && !due) {
			if (!wait_for_work(&repeats))
				break;
			continue;
		}
		log_writer.reopen = false;
		log_writer.moves = false;
		log_writer.path = NULL;
		pthread_mutex_unlock(&log_writer.lock);
		if (due)
			say_repeats(&log_writer.sink, &repeats);
		if (reopen || other)
			move_now(&log_writer.sink, &repeats, path, other);
		if (taken)
			write_line(&log_writer.sink, &repeats, line);
		pthread_mutex_lock(&log_writer.lock);
		log_writer.unwritten = log_writer.sink.lost_ever;
	}
	pthread_mutex_unlock(&log_writer.lock);
	say_repeats(&log_writer.sink, &repeats);
	free(repeats.last.text);
	pthread_mutex_lock(&log_writer.lock);
	log_writer.state = WRITER_ENDED;
	pthread_cond_signal(&log_writer.ended);
	pthread_mutex_unlock(&log_writer.lock);
	return NULL;
}

int log_start(const char *path, enum log_level level, enum log_format format)
{
	pthread_condattr_t attr;
	int error = log_sink_open(&log_writer.sink, path);

	if (error != 0)
		return error;
	log_configure(level, format);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&log_writer.wake, &attr);
	pthread_cond_init(&log_writer.ended, &attr);
	pthread_condattr_destroy(&attr);
	log_queue_init(&log_writer.lines);
	log_writer.state = WRITER_RUNS;
	error = pthread_create(&log_writer.thread, NULL, write_lines, NULL);
	if (error != 0)
		log_writer.state = WRITER_NONE;
	return error;
}

unsigned long log_lost(void)
{
	unsigned long lost;

	pthread_mutex_lock(&log_writer.lock);
	lost = log_writer.lines.lost_ever + log_writer.unwritten;
	pthread_mutex_unlock(&log_writer.lock);
	return lost;
}

void log_reopen(void)
{
	pthread_mutex_lock(&log_writer.lock);
	log_writer.reopen = true;
	if (log_writer.state == WRITER_RUNS)
		pthread_cond_signal(&log_writer.wake);
	pthread_mutex_unlock(&log_writer.lock);
}

void log_move(const char *path)
{
	pthread_mutex_lock(&log_writer.lock);
	free(log_writer.path);
	log_writer.path = mem_strdup(path);
	log_writer.moves = true;
	if (log_writer.state == WRITER_RUNS)
		pthread_cond_signal(&log_writer.wake);
	pthread_mutex_unlock(&log_writer.lock);
}

bool log_stop(int64_t ms)
{
	struct timespec until;
	bool all;
	int error = 0;

	pthread_mutex_lock(&log_writer.lock);
	if (log_writer.state != WRITER_RUNS) {
		pthread_mutex_unlock(&log_writer.lock);
		return true;
	}
	log_writer.state = WRITER_STOPS;
	pthread_cond_signal(&log_writer.wake);
	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += ms / 1000;
	until.tv_nsec += (ms % 1000) * 1000000;
	if (until.tv_nsec >= 1000000000) {
		until.tv_sec++;
		until.tv_nsec -= 1000000000;
	}
	while (log_writer.state != WRITER_ENDED && error == 0)
		error = pthread_cond_timedwait(&log_writer.ended, &log_writer.lock, &until);
	all = log_writer.state == WRITER_ENDED;
	pthread_mutex_unlock(&log_writer.lock);
	if (all) {
		pthread_join(log_writer.thread, NULL);
		log_sink_close(&log_writer.sink);
		free(log_writer.path);
		log_writer.path = NULL;
	}
	return all;
}

/* Returns a line's text, cut if it is too long. Takes `message` over; the caller frees the result. */
static char *cut_message(char *message, const struct log_about *about)
{
	size_t most = about != NULL && about->spare ? LOG_USER_BYTES : LOG_LINE_BYTES;
	size_t len = text_cut(message, most);
	size_t whole = about != NULL ? about->bytes : 0;
	char *cut;

	if (message[len] == '\0' && whole <= most)
		return message;
	cut = mem_printf("%.*s... (cut: %zu bytes in all)", (int)len, message,
			 whole > 0 ? whole : strlen(message));
	free(message);
	return cut;
}

void log_line(enum log_level level, const struct log_about *about, const char *format, ...)
{
	bool direct = false;
	va_list args;
	char *message;
	struct log_text line;

	if (!log_enabled(level))
		return;
	va_start(args, format);
	message = cut_message(mem_vprintf(format, args), about);
	va_end(args);
	line = log_text_new(level, format_now(), about, message);
	free(message);
	pthread_mutex_lock(&log_writer.lock);
	if (log_writer.state == WRITER_RUNS) {
		log_queue_put(&log_writer.lines, line, about != NULL && about->spare);
		line.text = NULL;
		pthread_cond_signal(&log_writer.wake);
	} else {
		direct = log_writer.state != WRITER_STOPS;
	}
	pthread_mutex_unlock(&log_writer.lock);
	if (direct)
		(void)fputs(line.text, stderr);
	free(line.text);
}
