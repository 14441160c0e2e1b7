#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"

enum writer_state { WRITER_NONE, WRITER_RUNS, WRITER_STOPS, WRITER_ENDED };

static struct {
	pthread_mutex_t lock;
	pthread_cond_t wake;  /* a line, a reopening or the end */
	pthread_cond_t ended; /* the thread has written all */
	pthread_t thread;
	enum writer_state state;
	char *lines[LOG_QUEUE_LINES]; /* a ring */
	size_t first, count;
	unsigned long lost; /* lines that found no room */
	bool reopen;
	char *path; /* NULL: stdout */
	int fd;
} log_queue = { .lock = PTHREAD_MUTEX_INITIALIZER, .fd = -1 };

static atomic_int log_level_now = LOG_LEVEL_INFO;
static atomic_int log_format_now = LOG_FORMAT_TEXT;

static const char *const level_names[] = {
	[LOG_LEVEL_ERROR] = "error",
	[LOG_LEVEL_WARNING] = "warning",
	[LOG_LEVEL_INFO] = "info",
	[LOG_LEVEL_DEBUG] = "debug",
};

bool log_level_parse(const char *name, enum log_level *level)
{
	for (int i = LOG_LEVEL_ERROR; i <= LOG_LEVEL_DEBUG; i++) {
		if (strcmp(name, level_names[i]) == 0) {
			*level = (enum log_level)i;
			return true;
		}
	}
	return false;
}

bool log_enabled(enum log_level level)
{
	return (int)level <= atomic_load_explicit(&log_level_now, memory_order_relaxed);
}

void log_configure(enum log_level level, enum log_format format)
{
	atomic_store(&log_level_now, (int)level);
	atomic_store(&log_format_now, (int)format);
}

/* RFC 3339 with milliseconds, in local time with its offset. */
static void add_time(struct buf *out)
{
	struct timespec now;
	struct tm tm;
	char text[40];
	char zone[8];

	clock_gettime(CLOCK_REALTIME, &now);
	if (localtime_r(&now.tv_sec, &tm) == NULL || strftime(zone, sizeof(zone), "%z", &tm) != 5)
		(void)snprintf(zone, sizeof(zone), "+0000");
	strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &tm);
	buf_addf(out, "%s.%03ld%.3s:%.2s", text, now.tv_nsec / 1000000, zone, zone + 3);
}

static void add_field(struct buf *out, const char *key, const char *value)
{
	if (value == NULL || value[0] == '\0')
		return;
	buf_addf(out, " %s=", key);
	text_add_escaped(out, value, strlen(value));
}

static void format_text(struct buf *out, enum log_level level, const struct log_about *about,
			const char *message)
{
	add_time(out);
	buf_addf(out, " %-7s ", level_names[level]);
	text_add_escaped(out, message, strlen(message));
	if (about->has_cluster)
		buf_addf(out, " cluster=%d", about->cluster_id);
	add_field(out, "node", about->node);
	add_field(out, "rule", about->rule);
	add_field(out, "reason", about->reason);
	add_field(out, "event", about->event);
	add_field(out, "id", about->event_id);
	add_field(out, "trigger", about->trigger);
	buf_add_char(out, '\n');
}

static void json_field(struct json *json, const char *key, const char *value)
{
	if (value == NULL || value[0] == '\0')
		return;
	json_key(json, key);
	json_string(json, value);
}

static void format_json(struct buf *out, enum log_level level, const struct log_about *about,
			const char *message)
{
	struct json json = { .out = out };
	struct buf time = { 0 };

	add_time(&time);
	json_begin_object(&json);
	json_field(&json, "time", buf_text(&time));
	json_field(&json, "level", level_names[level]);
	json_key(&json, "message");
	json_string(&json, message);
	json_field(&json, "event", about->event);
	json_field(&json, "event_id", about->event_id);
	if (about->has_cluster) {
		json_key(&json, "cluster_id");
		json_int(&json, about->cluster_id);
	}
	json_field(&json, "node", about->node);
	json_field(&json, "rule", about->rule);
	json_field(&json, "reason", about->reason);
	json_field(&json, "trigger", about->trigger);
	json_end_object(&json);
	buf_add_char(out, '\n');
	buf_free(&time);
}

static char *format_line(enum log_level level, const struct log_about *about, const char *message)
{
	static const struct log_about nothing;
	struct buf out = { 0 };

	if (about == NULL)
		about = &nothing;
	if (atomic_load(&log_format_now) == LOG_FORMAT_JSON)
		format_json(&out, level, about, message);
	else
		format_text(&out, level, about, message);
	return buf_steal(&out);
}

static void write_all(int fd, const char *text)
{
	size_t len = strlen(text);

	while (len > 0) {
		ssize_t n = write(fd, text, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN) { /* a stdout that somebody made non-blocking */
			(void)poll(&(struct pollfd){ .fd = fd, .events = POLLOUT }, 1, -1);
			continue;
		}
		if (n <= 0)
			return; /* a full disk: said by the daemon's check, never fatal */
		text += n;
		len -= (size_t)n;
	}
}

/* With the lock held. */
static bool queue_put(char *line, bool spare)
{
	if (log_queue.count >= (spare ? LOG_QUEUE_LINES / 2 : LOG_QUEUE_LINES)) {
		log_queue.lost++;
		return false;
	}
	log_queue.lines[(log_queue.first + log_queue.count++) % LOG_QUEUE_LINES] = line;
	return true;
}

/* With the lock held: the next line, or one that says how many were lost; NULL when empty. */
static char *queue_take(void)
{
	char *line;

	if (log_queue.lost > 0 && log_queue.count < LOG_QUEUE_LINES / 4) {
		char *text = mem_printf("%lu log lines were lost: nobody reads them fast enough",
					log_queue.lost);
		log_queue.lost = 0;
		line = format_line(LOG_LEVEL_ERROR, NULL, text);
		free(text);
		return line;
	}
	if (log_queue.count == 0)
		return NULL;
	line = log_queue.lines[log_queue.first];
	log_queue.first = (log_queue.first + 1) % LOG_QUEUE_LINES;
	log_queue.count--;
	return line;
}

static int open_log(const char *path)
{
	return open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
}

/* The log thread alone calls this; on failure the old file stays. */
static void reopen_now(void)
{
	int fd = log_queue.path != NULL ? open_log(log_queue.path) : -1;

	if (fd >= 0) {
		close(log_queue.fd);
		log_queue.fd = fd;
	}
}

static void *write_lines(void *unused)
{
	(void)unused;
	pthread_mutex_lock(&log_queue.lock);
	for (;;) {
		bool reopen = log_queue.reopen;
		char *line = queue_take();

		if (line == NULL && !reopen) {
			if (log_queue.state == WRITER_STOPS)
				break;
			pthread_cond_wait(&log_queue.wake, &log_queue.lock);
			continue;
		}
		log_queue.reopen = false;
		pthread_mutex_unlock(&log_queue.lock);
		if (reopen)
			reopen_now();
		if (line != NULL)
			write_all(log_queue.fd, line);
		free(line);
		pthread_mutex_lock(&log_queue.lock);
	}
	log_queue.state = WRITER_ENDED;
	pthread_cond_signal(&log_queue.ended);
	pthread_mutex_unlock(&log_queue.lock);
	return NULL;
}

int log_start(const char *path, enum log_level level, enum log_format format)
{
	pthread_condattr_t attr;
	int error = 0;
	int fd = path != NULL ? open_log(path) : STDOUT_FILENO;

	if (fd < 0)
		return errno;
	log_configure(level, format);
	log_queue.path = mem_strdup(path);
	log_queue.fd = fd;
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&log_queue.wake, &attr);
	pthread_cond_init(&log_queue.ended, &attr);
	pthread_condattr_destroy(&attr);
	log_queue.state = WRITER_RUNS;
	error = pthread_create(&log_queue.thread, NULL, write_lines, NULL);
	if (error != 0)
		log_queue.state = WRITER_NONE;
	return error;
}

void log_reopen(void)
{
	pthread_mutex_lock(&log_queue.lock);
	log_queue.reopen = log_queue.path != NULL;
	if (log_queue.state == WRITER_RUNS)
		pthread_cond_signal(&log_queue.wake);
	pthread_mutex_unlock(&log_queue.lock);
}

bool log_stop(int64_t ms)
{
	struct timespec until;
	bool all;
	int error = 0;

	pthread_mutex_lock(&log_queue.lock);
	if (log_queue.state != WRITER_RUNS) {
		pthread_mutex_unlock(&log_queue.lock);
		return true;
	}
	log_queue.state = WRITER_STOPS;
	pthread_cond_signal(&log_queue.wake);
	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += ms / 1000;
	until.tv_nsec += (ms % 1000) * 1000000;
	if (until.tv_nsec >= 1000000000) {
		until.tv_sec++;
		until.tv_nsec -= 1000000000;
	}
	while (log_queue.state != WRITER_ENDED && error == 0)
		error = pthread_cond_timedwait(&log_queue.ended, &log_queue.lock, &until);
	all = log_queue.state == WRITER_ENDED;
	pthread_mutex_unlock(&log_queue.lock);
	if (all) {
		pthread_join(log_queue.thread, NULL);
		if (log_queue.path != NULL)
			close(log_queue.fd);
		free(log_queue.path);
		log_queue.path = NULL;
	}
	return all;
}

void log_line(enum log_level level, const struct log_about *about, const char *format, ...)
{
	bool queued = false;
	bool direct = false;
	va_list args;
	char *message;
	char *line;

	if (!log_enabled(level))
		return;
	va_start(args, format);
	message = mem_vprintf(format, args);
	va_end(args);
	line = format_line(level, about, message);
	free(message);
	pthread_mutex_lock(&log_queue.lock);
	if (log_queue.state == WRITER_RUNS) {
		queued = queue_put(line, about != NULL && about->spare);
		pthread_cond_signal(&log_queue.wake);
	} else {
		direct = log_queue.state != WRITER_STOPS;
	}
	pthread_mutex_unlock(&log_queue.lock);
	if (direct)
		write_all(STDERR_FILENO, line);
	if (!queued)
		free(line);
}
