#include "dispatch/child.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "io/clock.h"
#include "io/timer.h"

struct child {
	uv_loop_t *loop;
	pid_t pid; /* 0: it could not be started */
	uv_pipe_t *in;
	uv_pipe_t *out;
	struct buf output;
	char read_buffer[16384];
	struct timer *timer;
	bool killing;
	struct child_outcome outcome;
	int64_t started_ms;
	void (*ended)(void *data, const struct child_outcome *outcome);
	void *data;
};

/* The running children; spawning and entering them here share one lock with the reaper. */
static struct {
	pthread_mutex_t lock;
	struct list running;
	uv_signal_t signal;
	bool started;
} reaper = { .lock = PTHREAD_MUTEX_INITIALIZER };

static void on_pipe_closed(uv_handle_t *handle)
{
	free(handle);
}

static void close_pipe(uv_pipe_t **pipe)
{
	if (*pipe == NULL)
		return;
	(*pipe)->data = NULL;
	uv_close((uv_handle_t *)*pipe, on_pipe_closed);
	*pipe = NULL;
}

static void keep_output(struct child *child, const char *bytes, size_t len)
{
	buf_add(&child->output, bytes, len);
	if (child->output.len > 2 * (size_t)CHILD_OUTPUT_BYTES)
		buf_drop(&child->output, child->output.len - CHILD_OUTPUT_BYTES);
}

/* Takes what is in the pipe already: the leader is gone, others may hold it open. */
static void drain(struct child *child)
{
	char bytes[4096];
	uv_os_fd_t fd;
	ssize_t n;

	if (child->out == NULL || uv_fileno((uv_handle_t *)child->out, &fd) != 0)
		return;
	for (int i = 0; i < 64 && (n = read(fd, bytes, sizeof(bytes))) > 0; i++)
		keep_output(child, bytes, (size_t)n);
}

static void end(struct child *child)
{
	size_t len;

	drain(child);
	timer_free(&child->timer);
	close_pipe(&child->in);
	close_pipe(&child->out);
	len = child->output.len;
	if (len > CHILD_OUTPUT_BYTES)
		buf_drop(&child->output, len - CHILD_OUTPUT_BYTES);
	child->outcome.output = buf_text(&child->output);
	child->outcome.took_ms = clock_steady_ms() - child->started_ms;
	child->ended(child->data, &child->outcome);
	buf_free(&child->output);
	free(child);
}

static struct child *find_running(pid_t pid)
{
	for (size_t i = 0; i < reaper.running.count; i++) {
		struct child *child = reaper.running.items[i];

		if (child->pid == pid)
			return child;
	}
	return NULL;
}

/* Unknown pids are orphans that we inherited as PID 1 of a container. */
static void on_sigchld(uv_signal_t *handle, int signum)
{
	int status;
	pid_t pid;

	(void)handle;
	(void)signum;
	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		struct child *child;

		pthread_mutex_lock(&reaper.lock);
		child = find_running(pid);
		if (child != NULL)
			list_remove(&reaper.running, child);
		pthread_mutex_unlock(&reaper.lock);
		if (child == NULL)
			continue;
		if (WIFSIGNALED(status))
			child->outcome.signal = WTERMSIG(status);
		else
			child->outcome.exit_code = WEXITSTATUS(status);
		if (child->killing)
			(void)kill(-pid, SIGKILL); /* what is left of its group */
		end(child);
	}
}

int reaper_start(uv_loop_t *loop)
{
	int error = uv_signal_init(loop, &reaper.signal);

	if (error != 0)
		return error;
	error = uv_signal_start(&reaper.signal, on_sigchld, SIGCHLD);
	uv_unref((uv_handle_t *)&reaper.signal);
	reaper.started = error == 0;
	return error;
}

void reaper_stop(void)
{
	if (reaper.started)
		uv_close((uv_handle_t *)&reaper.signal, NULL);
	reaper.started = false;
	list_free(&reaper.running);
}

static void on_time(void *data)
{
	struct child *child = data;

	if (child->pid == 0) {
		end(child);
		return;
	}
	child->outcome.timed_out = true;
	child_signal(child, child->killing ? SIGKILL : SIGTERM);
	child->killing = true;
	timer_start(child->timer, CHILD_KILL_MS);
}

void child_signal(struct child *child, int signal)
{
	if (child->pid > 0)
		(void)kill(-child->pid, signal);
}

static void on_alloc(uv_handle_t *handle, size_t wanted, uv_buf_t *buf)
{
	struct child *child = handle->data;

	(void)wanted;
	*buf = child != NULL ? uv_buf_init(child->read_buffer, sizeof(child->read_buffer))
			     : uv_buf_init(NULL, 0);
}

static void on_output(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
	struct child *child = stream->data;

	if (child == NULL)
		return;
	if (n > 0)
		keep_output(child, buf->base, (size_t)n);
	else if (n < 0)
		close_pipe(&child->out);
}

static void on_written(uv_write_t *request, int status)
{
	uv_pipe_t *pipe = (uv_pipe_t *)request->handle;
	struct child *child = pipe->data;

	(void)status;
	if (child != NULL && child->in == pipe)
		close_pipe(&child->in);
	free(request->data);
	free(request);
}

static int spawn(pid_t *pid, char *const *argv, char *const *environment, int in, int out)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attr;
	sigset_t all;
	sigset_t none;
	int error;

	sigfillset(&all);
	sigemptyset(&none);
	posix_spawn_file_actions_init(&actions);
	posix_spawnattr_init(&attr);
	posix_spawn_file_actions_addchdir_np(&actions, "/");
	posix_spawn_file_actions_adddup2(&actions, in, STDIN_FILENO);
	posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
	posix_spawn_file_actions_adddup2(&actions, out, STDERR_FILENO);
	posix_spawn_file_actions_addclosefrom_np(&actions, 3);
	posix_spawnattr_setsigdefault(&attr, &all);
	posix_spawnattr_setsigmask(&attr, &none);
	posix_spawnattr_setpgroup(&attr, 0);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK |
						POSIX_SPAWN_SETPGROUP);
	error = posix_spawnp(pid, argv[0], &actions, &attr, argv, environment);
	posix_spawnattr_destroy(&attr);
	posix_spawn_file_actions_destroy(&actions);
	return error;
}

static uv_pipe_t *adopt(struct child *child, int fd)
{
	uv_pipe_t *pipe = mem_zalloc(1, sizeof(*pipe));

	uv_pipe_init(child->loop, pipe, 0);
	pipe->data = child;
	if (uv_pipe_open(pipe, fd) != 0)
		close(fd);
	return pipe;
}

static void feed(struct child *child, const char *input)
{
	uv_write_t *request = mem_zalloc(1, sizeof(*request));
	char *copy = mem_strdup(input);
	uv_buf_t buf = uv_buf_init(copy, (unsigned)strlen(copy));

	request->data = copy;
	if (uv_write(request, (uv_stream_t *)child->in, &buf, 1, on_written) != 0) {
		free(copy);
		free(request);
		close_pipe(&child->in);
	}
}

/* Opens both pipes and spawns; 0 or an errno, then nothing is left open. */
static int start_process(struct child *child, char *const *argv, char *const *environment,
			 const char *input)
{
	int in[2];
	int out[2];
	int error;

	if (pipe2(in, O_CLOEXEC) != 0)
		return errno;
	if (pipe2(out, O_CLOEXEC) != 0) {
		error = errno;
		close(in[0]);
		close(in[1]);
		return error;
	}
	pthread_mutex_lock(&reaper.lock);
	error = spawn(&child->pid, argv, environment, in[0], out[1]);
	if (error == 0)
		list_add(&reaper.running, child);
	else
		child->pid = 0;
	pthread_mutex_unlock(&reaper.lock);
	close(in[0]);
	close(out[1]);
	if (error != 0) {
		close(in[1]);
		close(out[0]);
		return error;
	}
	child->in = adopt(child, in[1]);
	child->out = adopt(child, out[0]);
	feed(child, input);
	(void)uv_read_start((uv_stream_t *)child->out, on_alloc, on_output);
	return 0;
}

struct child *child_start(uv_loop_t *loop, char *const *argv, char *const *environment,
			  const char *input, int64_t timeout_ms,
			  void (*ended)(void *data, const struct child_outcome *outcome),
			  void *data)
{
	struct child *child = mem_zalloc(1, sizeof(*child));

	child->loop = loop;
	child->ended = ended;
	child->data = data;
	child->started_ms = clock_steady_ms();
	child->timer = timer_new(loop, NULL, on_time, child);
	child->outcome.error = start_process(child, argv, environment, input);
	timer_start(child->timer, child->outcome.error == 0 ? timeout_ms : 0);
	return child;
}
