#include "process/child.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "loop/clock.h"
#include "loop/timer.h"
#include "process/spawn.h"

struct output {
	struct child *child;
	uv_pipe_t *pipe;
	struct buf kept;
};

struct child {
	struct child_port *port;
	pid_t pid;   /* 0: it could not be started */
	bool reaped; /* its pid may be somebody else's */
	bool killing;
	int status;
	uv_pipe_t *in;
	struct output out;
	struct output err; /* if kept apart */
	size_t keep_bytes;
	char read_buffer[16384];
	struct timer *timer;
	struct child_outcome outcome;
	int64_t started_ms;
	void (*ended)(void *data, const struct child_outcome *outcome);
	void *data;
};

struct child_port {
	uv_loop_t *loop;
	uv_async_t *woken;
	struct list exited; /* reaped, still to be told */
};

/* The running children. The lock covers spawning, pids, `reaped` and the ports' lists. */
static struct {
	pthread_mutex_t lock;
	struct list running;
	uv_signal_t signal;
	bool started;
} reaper = { .lock = PTHREAD_MUTEX_INITIALIZER };

static void on_handle_closed(uv_handle_t *handle)
{
	free(handle);
}

static void close_pipe(uv_pipe_t **pipe)
{
	if (*pipe == NULL)
		return;
	(*pipe)->data = NULL;
	uv_close((uv_handle_t *)*pipe, on_handle_closed);
	*pipe = NULL;
}

static void keep(struct output *output, const char *bytes, size_t len)
{
	struct child *child = output->child;
	size_t room = child->keep_bytes - output->kept.len;

	if (child->keep_bytes == 0) {
		buf_add(&output->kept, bytes, len);
		if (output->kept.len > 2 * (size_t)CHILD_TAIL_BYTES)
			buf_drop(&output->kept, output->kept.len - CHILD_TAIL_BYTES);
		return;
	}
	if (len > room)
		child->outcome.truncated = true;
	buf_add(&output->kept, bytes, len < room ? len : room);
}

/* Takes what is in the pipe already: the leader is gone, others may hold it open. */
static void drain(struct output *output)
{
	char bytes[4096];
	uv_os_fd_t fd;
	ssize_t n;

	if (output->pipe == NULL || uv_fileno((uv_handle_t *)output->pipe, &fd) != 0)
		return;
	for (int i = 0; i < 64 && (n = read(fd, bytes, sizeof(bytes))) > 0; i++)
		keep(output, bytes, (size_t)n);
}

static void free_child(struct child *child)
{
	timer_free(&child->timer);
	close_pipe(&child->in);
	close_pipe(&child->out.pipe);
	close_pipe(&child->err.pipe);
	buf_free(&child->out.kept);
	buf_free(&child->err.kept);
	free(child);
}

static void end(struct child *child)
{
	struct child_outcome *outcome = &child->outcome;
	struct buf *out = &child->out.kept;

	if (child->reaped && WIFSIGNALED(child->status))
		outcome->signal = WTERMSIG(child->status);
	else if (child->reaped)
		outcome->exit_code = WEXITSTATUS(child->status);
	drain(&child->out);
	drain(&child->err);
	if (child->keep_bytes == 0 && out->len > CHILD_TAIL_BYTES)
		buf_drop(out, out->len - CHILD_TAIL_BYTES);
	outcome->output = buf_text(out);
	outcome->output_len = out->len;
	outcome->errors = buf_text(&child->err.kept);
	outcome->errors_len = child->err.kept.len;
	outcome->took_ms = clock_steady_ms() - child->started_ms;
	if (child->ended != NULL)
		child->ended(child->data, outcome);
	free_child(child);
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

static void reap(void)
{
	int status;
	pid_t pid;

	pthread_mutex_lock(&reaper.lock);
	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		struct child *child = find_running(pid);

		if (child == NULL)
			continue;
		list_remove(&reaper.running, child);
		child->reaped = true;
		child->status = status;
		if (child->killing)
			(void)kill(-pid, SIGKILL); /* what is left of its group */
		list_add(&child->port->exited, child);
		uv_async_send(child->port->woken);
	}
	pthread_mutex_unlock(&reaper.lock);
}

static void on_sigchld(uv_signal_t *handle, int signum)
{
	(void)handle;
	(void)signum;
	reap();
}

int reaper_start(uv_loop_t *loop)
{
	int error = uv_signal_init(loop, &reaper.signal);

	if (error != 0)
		return error;
	error = uv_signal_start(&reaper.signal, on_sigchld, SIGCHLD);
	uv_unref((uv_handle_t *)&reaper.signal);
	reaper.started = error == 0;
	reap(); /* a container's first process may have orphans that have ended before */
	return error;
}

void reaper_stop(void)
{
	if (reaper.started)
		uv_close((uv_handle_t *)&reaper.signal, NULL);
	reaper.started = false;
}

void reaper_end(void)
{
	pthread_mutex_lock(&reaper.lock);
	for (size_t i = 0; i < reaper.running.count; i++) {
		const struct child *child = reaper.running.items[i];

		(void)kill(-child->pid, SIGKILL);
	}
	list_free(&reaper.running);
	pthread_mutex_unlock(&reaper.lock);
}

static struct child *next_exited(struct child_port *port)
{
	struct child *child;

	pthread_mutex_lock(&reaper.lock);
	child = list_shift(&port->exited);
	pthread_mutex_unlock(&reaper.lock);
	return child;
}

static void on_exits(uv_async_t *woken)
{
	struct child *child;

	/* a callback may free the port */
	while (woken->data != NULL && (child = next_exited(woken->data)) != NULL)
		end(child);
}

struct child_port *child_port_new(uv_loop_t *loop)
{
	struct child_port *port = mem_zalloc(1, sizeof(*port));

	port->loop = loop;
	port->woken = mem_zalloc(1, sizeof(*port->woken));
	uv_async_init(loop, port->woken, on_exits);
	uv_unref((uv_handle_t *)port->woken);
	port->woken->data = port;
	return port;
}

void child_port_free(struct child_port **port_p)
{
	struct child_port *port = *port_p;
	struct child *child;

	*port_p = NULL;
	if (port == NULL)
		return;
	pthread_mutex_lock(&reaper.lock);
	for (size_t i = reaper.running.count; i-- > 0;) {
		child = reaper.running.items[i];
		if (child->port != port)
			continue;
		(void)kill(-child->pid, SIGKILL);
		list_remove(&reaper.running, child);
		list_add(&port->exited, child);
	}
	pthread_mutex_unlock(&reaper.lock);
	while ((child = list_shift(&port->exited)) != NULL)
		free_child(child);
	list_free(&port->exited);
	port->woken->data = NULL;
	uv_close((uv_handle_t *)port->woken, on_handle_closed);
	free(port);
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
	timer_start(child->timer, CHILD_KILL_MS);
}

void child_signal(struct child *child, int signal)
{
	pthread_mutex_lock(&reaper.lock);
	if (child->pid > 0 && !child->reaped)
		(void)kill(-child->pid, signal);
	if (signal == SIGTERM || signal == SIGKILL)
		child->killing = true;
	pthread_mutex_unlock(&reaper.lock);
}

void child_abandon(struct child *child)
{
	child->ended = NULL;
	if (child->pid > 0)
		on_time(child);
}

static void on_alloc(uv_handle_t *handle, size_t wanted, uv_buf_t *buf)
{
	struct output *output = handle->data;

	(void)wanted;
	*buf = output != NULL ? uv_buf_init(output->child->read_buffer,
					    sizeof(output->child->read_buffer))
			      : uv_buf_init(NULL, 0);
}

static void on_output(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
	struct output *output = stream->data;

	if (output == NULL)
		return;
	if (n > 0)
		keep(output, buf->base, (size_t)n);
	else if (n < 0)
		close_pipe(&output->pipe);
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

static uv_pipe_t *adopt(struct child *child, int fd, void *data)
{
	uv_pipe_t *pipe = mem_zalloc(1, sizeof(*pipe));

	uv_pipe_init(child->port->loop, pipe, 0);
	pipe->data = data;
	if (uv_pipe_open(pipe, fd) != 0)
		close(fd);
	return pipe;
}

static void listen_to(struct child *child, struct output *output, int fd)
{
	output->pipe = adopt(child, fd, output);
	(void)uv_read_start((uv_stream_t *)output->pipe, on_alloc, on_output);
}

static void feed(struct child *child, const struct child_options *options)
{
	uv_write_t *request = mem_zalloc(1, sizeof(*request));
	char *copy = mem_strndup(options->input != NULL ? options->input : "", options->input_len);
	uv_buf_t buf = uv_buf_init(copy, (unsigned)options->input_len);

	request->data = copy;
	if (uv_write(request, (uv_stream_t *)child->in, &buf, 1, on_written) != 0) {
		free(copy);
		free(request);
		close_pipe(&child->in);
	}
}

/* Pairs of descriptors: ours and the child's, for stdin, stdout, stderr. */
struct pipes {
	int fds[3][2];
	size_t count;
};

static int open_pipes(struct pipes *pipes, size_t count)
{
	for (; pipes->count < count; pipes->count++) {
		if (pipe2(pipes->fds[pipes->count], O_CLOEXEC) != 0)
			return errno;
	}
	return 0;
}

/* The child's ends, or all of them. */
static void close_ends(const struct pipes *pipes, bool ours_too)
{
	for (size_t i = 0; i < pipes->count; i++) {
		close(pipes->fds[i][i == 0 ? 0 : 1]);
		if (ours_too)
			close(pipes->fds[i][i == 0 ? 1 : 0]);
	}
}

static int spawn_registered(struct child *child, const struct child_options *options,
			    const struct pipes *pipes)
{
	struct spawn_ends ends = {
		.in = pipes->fds[0][0],
		.out = pipes->fds[1][1],
		.err = pipes->fds[pipes->count - 1][1],
	};
	int error;

	pthread_mutex_lock(&reaper.lock);
	error = spawn_process(&child->pid, options->argv, options->environment,
			      options->cwd != NULL ? options->cwd : "/", &ends);
	if (error == 0)
		list_add(&reaper.running, child);
	else
		child->pid = 0;
	pthread_mutex_unlock(&reaper.lock);
	return error;
}

/* Opens the pipes and spawns; 0 or an errno, then nothing is left open. */
static int start_process(struct child *child, const struct child_options *options)
{
	struct pipes pipes = { 0 };
	int error = open_pipes(&pipes, options->keep_bytes > 0 ? 3 : 2);

	if (error == 0)
		error = spawn_registered(child, options, &pipes);
	close_ends(&pipes, error != 0);
	if (error != 0)
		return error;
	child->in = adopt(child, pipes.fds[0][1], child);
	listen_to(child, &child->out, pipes.fds[1][0]);
	if (pipes.count == 3)
		listen_to(child, &child->err, pipes.fds[2][0]);
	feed(child, options);
	return 0;
}

struct child *child_start(struct child_port *port, const struct child_options *options,
			  void (*ended)(void *data, const struct child_outcome *outcome),
			  void *data)
{
	struct child *child = mem_zalloc(1, sizeof(*child));

	child->port = port;
	child->out.child = child;
	child->err.child = child;
	child->keep_bytes = options->keep_bytes;
	child->ended = ended;
	child->data = data;
	child->started_ms = clock_steady_ms();
	child->timer = timer_new(port->loop, NULL, on_time, child);
	child->outcome.error = start_process(child, options);
	timer_start(child->timer, child->outcome.error == 0 ? options->timeout_ms : 0);
	return child;
}
