#include "process/child.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "loop/clock.h"
#include "loop/timer.h"
#include "process/process.h"

#define LET_GO_MS 500 /* how long a KILLed child is waited for whose exec has not returned */

struct output {
	struct child *child;
	uv_pipe_t *pipe;
	struct buf kept;
};

struct child {
	struct child_port *port;
	struct process *process; /* NULL: it could not be started, or has ended */
	bool killing;            /* it was sent TERM or KILL */
	bool killed;             /* it was sent KILL */
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
	struct process_port *processes;
	struct list children;
};

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

/* Takes what is in the pipe already. Called when the leader has ended, while others may hold the pipe open. */
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
	if (child->port != NULL)
		list_remove(&child->port->children, child);
	if (child->process != NULL)
		process_let_go(&child->process);
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

	drain(&child->out);
	drain(&child->err);
	if (child->keep_bytes == 0 && out->len > CHILD_TAIL_BYTES)
		buf_drop(out, out->len - CHILD_TAIL_BYTES);
	outcome->output = buf_text(out);
	outcome->output_len = out->len;
	outcome->errors = buf_text(&child->err.kept);
	outcome->errors_len = child->err.kept.len;
	outcome->took_ms = clock_steady_ms() - child->started_ms;
	if (outcome->error != 0 && outcome->why == NULL)
		outcome->why = strerror(outcome->error);
	list_remove(&child->port->children, child);
	child->port = NULL; /* the callback may free the port */
	if (child->ended != NULL)
		child->ended(child->data, outcome);
	free_child(child);
}

static void on_process_ended(void *owner, const struct process_end *how)
{
	struct child *child = owner;

	child->process = NULL;
	child->outcome.error = how->error;
	child->outcome.why = how->why;
	child->outcome.no_directory = how->no_directory;
	if (how->error == 0 && WIFSIGNALED(how->status))
		child->outcome.signal = WTERMSIG(how->status);
	else if (how->error == 0)
		child->outcome.exit_code = WEXITSTATUS(how->status);
	end(child);
}

struct child_port *child_port_new(uv_loop_t *loop)
{
	struct child_port *port = mem_zalloc(1, sizeof(*port));

	port->loop = loop;
	port->processes = process_port_new(loop, on_process_ended);
	return port;
}

void child_port_free(struct child_port **port_p)
{
	struct child_port *port = *port_p;

	*port_p = NULL;
	if (port == NULL)
		return;
	while (port->children.count > 0)
		free_child(port->children.items[port->children.count - 1]);
	list_free(&port->children);
	process_port_free(&port->processes);
	free(port);
}

int child_pid(const struct child *child)
{
	return child->process != NULL ? process_pid(child->process) : 0;
}

void child_signal(struct child *child, int signal)
{
	if (child->process == NULL)
		return;
	process_signal(child->process, signal);
	if (signal == SIGTERM || signal == SIGKILL)
		child->killing = true;
	if (signal != SIGKILL)
		return;
	child->killed = true;
	timer_start(child->timer, process_is_starting(child->process) ? LET_GO_MS : CHILD_KILL_MS);
}

/* Treats a child as ended that was KILLed and whose exec hangs nonetheless. */
static void give_up(struct child *child)
{
	process_let_go(&child->process);
	child->outcome.signal = SIGKILL;
	end(child);
}

static void on_time(void *data)
{
	struct child *child = data;

	if (child->process == NULL) {
		end(child);
		return;
	}
	if (child->killed && process_is_starting(child->process)) {
		give_up(child);
		return;
	}
	child->outcome.timed_out = child->outcome.timed_out || !child->killed;
	if (child->killing) {
		child_signal(child, SIGKILL);
		return;
	}
	child_signal(child, SIGTERM);
	timer_start(child->timer, CHILD_KILL_MS);
}

void child_abandon(struct child *child)
{
	child->ended = NULL;
	if (child->process != NULL)
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

/* Closes our ends, and the child's unless process_start() has taken them. */
static void close_pipes(const struct pipes *pipes, bool childs_too)
{
	for (size_t i = 0; i < pipes->count; i++) {
		close(pipes->fds[i][i == 0 ? 1 : 0]);
		if (childs_too)
			close(pipes->fds[i][i == 0 ? 0 : 1]);
	}
}

/* Opens the pipes and starts; 0 or an errno, then nothing is left open. */
static int start_process(struct child *child, const struct child_options *options)
{
	struct pipes pipes = { 0 };
	int error = open_pipes(&pipes, options->keep_bytes > 0 ? 3 : 2);
	const struct spawn_what what = {
		.argv = options->argv,
		.environment = options->environment,
		.cwd = options->cwd != NULL ? options->cwd : "/",
		.ends = {
			.in = pipes.fds[0][0],
			.out = pipes.fds[1][1],
			.err = pipes.count == 3 ? pipes.fds[2][1] : pipes.fds[1][1],
		},
	};

	if (error != 0) {
		close_pipes(&pipes, true);
		return error;
	}
	child->process = process_start(child->port->processes, &what, child, &error);
	if (child->process == NULL) {
		close_pipes(&pipes, false);
		return error;
	}
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
	list_add(&port->children, child);
	child->out.child = child;
	child->err.child = child;
	child->keep_bytes = options->keep_bytes;
	child->ended = ended;
	child->data = data;
	child->started_ms = clock_steady_ms();
	child->timer = timer_new(port->loop, on_time, child);
	child->outcome.error = start_process(child, options);
	timer_start(child->timer, child->outcome.error == 0 ? options->timeout_ms : 0);
	return child;
}
