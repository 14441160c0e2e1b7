#include "process/process.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "process/program.h"
#include "system/thread.h"

#define STACK_BYTES ((size_t)256 << 10) /* of a thread that starts one */

struct process {
	/* used by the thread that starts it */
	char **argv;
	char **environment;
	char *cwd;
	struct spawn_ends ends;
	atomic_int pid; /* 0: there is none yet */
	/* guarded by the lock */
	struct process_port *port; /* NULL: it was let go */
	void *owner;
	bool starting;
	bool reaped;  /* it was reaped, so its pid may be another process's now */
	bool killing; /* what is left of its group is KILLed when it ends */
	int wanted;   /* a signal that came before there was a pid; 0: none */
	struct process_end end;
};

struct process_port {
	uv_async_t *woken;
	void (*ended)(void *owner, const struct process_end *end);
	struct list over; /* processes for which `ended` is still to be called */
};

/* The lock guards all but `signal` and `started`, which the reaper's loop alone uses. */
static struct {
	pthread_mutex_t lock;
	pthread_cond_t returned; /* signalled when a thread is done */
	struct list live;        /* starting, running, or not yet reaped */
	size_t starting;
	size_t left_behind; /* those of the starting ones that were let go */
	uv_signal_t signal;
	bool started;
} reaper = { .lock = PTHREAD_MUTEX_INITIALIZER, .returned = PTHREAD_COND_INITIALIZER };

static char **copy_strings(char *const *strings)
{
	size_t count = 0;
	char **copy;

	while (strings[count] != NULL)
		count++;
	copy = mem_zalloc(count + 1, sizeof(*copy));
	for (size_t i = 0; i < count; i++)
		copy[i] = mem_strdup(strings[i]);
	return copy;
}

static void close_ends(const struct spawn_ends *ends)
{
	close(ends->in);
	close(ends->out);
	if (ends->err != ends->out)
		close(ends->err);
}

/* Frees what only the start needs. */
static void forget_start(struct process *process)
{
	close_ends(&process->ends);
	mem_free_strings(process->argv);
	mem_free_strings(process->environment);
	free(process->cwd);
	process->argv = process->environment = NULL;
	process->cwd = NULL;
}

static void process_free(struct process *process)
{
	free(process->end.why);
	free(process);
}

/* With the lock held. Until its exec has returned the child may have no group of its own, so it is signalled alone. */
static void send_signal(struct process *process, int signal)
{
	pid_t pid = atomic_load(&process->pid);

	if (process->reaped)
		return;
	if (pid <= 0)
		process->wanted = signal;
	else if (process->starting)
		(void)kill(pid, signal);
	else
		(void)kill(-pid, signal);
}

/* Called with the lock held, when its thread is done and there is no child any more. */
static void settle(struct process *process)
{
	list_remove(&reaper.live, process);
	if (process->port == NULL) {
		process_free(process);
		return;
	}
	list_add(&process->port->over, process);
	uv_async_send(process->port->woken);
}

/* Called in its thread, with the lock held, when the exec has succeeded or failed. */
static void note_start(struct process *process, int error)
{
	process->starting = false;
	process->end.error = error;
	reaper.starting--;
	if (process->port == NULL)
		reaper.left_behind--;
	if (error == 0 && process->wanted != 0)
		send_signal(process, process->wanted);
	if (error == 0 && process->port == NULL)
		send_signal(process, SIGKILL);
	/* after a failed start nobody waits for the child, which is reaped as an unknown one */
	if (error != 0 || process->reaped)
		settle(process);
	pthread_cond_broadcast(&reaper.returned);
}

static void *start_in_thread(void *data)
{
	struct process *process = data;
	struct spawn_what what = {
		.argv = process->argv,
		.environment = process->environment,
		.cwd = process->cwd,
		.ends = process->ends,
	};
	int error = spawn_process(&what, &process->pid, &process->end.no_directory);

	if (error != 0 && !process->end.no_directory)
		process->end.why = program_why(process->argv[0], process->cwd, error);
	forget_start(process);
	pthread_mutex_lock(&reaper.lock);
	note_start(process, error);
	pthread_mutex_unlock(&reaper.lock);
	return NULL;
}

/* Returns whether one more may be started, and counts it then. */
static bool enter(struct process *process)
{
	bool may;

	pthread_mutex_lock(&reaper.lock);
	may = reaper.left_behind < PROCESSES_LEFT_BEHIND;
	if (may) {
		list_add(&reaper.live, process);
		reaper.starting++;
	}
	pthread_mutex_unlock(&reaper.lock);
	return may;
}

static void leave(struct process *process)
{
	pthread_mutex_lock(&reaper.lock);
	list_remove(&reaper.live, process);
	reaper.starting--;
	pthread_mutex_unlock(&reaper.lock);
}

struct process *process_start(struct process_port *port, const struct spawn_what *what,
			      void *owner, int *error)
{
	struct process *process = mem_zalloc(1, sizeof(*process));

	process->argv = copy_strings(what->argv);
	process->environment = copy_strings(what->environment);
	process->cwd = mem_strdup(what->cwd);
	process->ends = what->ends;
	process->port = port;
	process->owner = owner;
	process->starting = true;
	*error = EAGAIN;
	if (enter(process)) {
		*error = thread_start_alone(STACK_BYTES, start_in_thread, process);
		if (*error == 0)
			return process;
		leave(process);
	}
	forget_start(process);
	process_free(process);
	return NULL;
}

int process_pid(const struct process *process)
{
	return atomic_load(&process->pid);
}

bool process_is_starting(const struct process *process)
{
	bool starting;

	pthread_mutex_lock(&reaper.lock);
	starting = process->starting;
	pthread_mutex_unlock(&reaper.lock);
	return starting;
}

void process_signal(struct process *process, int signal)
{
	pthread_mutex_lock(&reaper.lock);
	send_signal(process, signal);
	if (signal == SIGTERM || signal == SIGKILL)
		process->killing = true;
	pthread_mutex_unlock(&reaper.lock);
}

/* With the lock held. */
static void let_go(struct process *process)
{
	bool is_over = list_remove(&process->port->over, process);

	send_signal(process, SIGKILL);
	process->killing = true;
	process->port = NULL;
	if (process->starting)
		reaper.left_behind++;
	if (is_over)
		process_free(process);
}

void process_let_go(struct process **process)
{
	pthread_mutex_lock(&reaper.lock);
	let_go(*process);
	pthread_mutex_unlock(&reaper.lock);
	*process = NULL;
}

/* With the lock held. */
static struct process *find_live(pid_t pid)
{
	for (size_t i = 0; i < reaper.live.count; i++) {
		struct process *process = reaper.live.items[i];

		if (atomic_load(&process->pid) == pid && !process->reaped)
			return process;
	}
	return NULL;
}

static void reap(void)
{
	int status;
	pid_t pid;

	pthread_mutex_lock(&reaper.lock);
	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		struct process *process = find_live(pid);

		if (process == NULL)
			continue;
		process->reaped = true;
		process->end.status = status;
		if (process->killing)
			(void)kill(-pid, SIGKILL); /* what is left of its group */
		if (!process->starting)
			settle(process);
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
	reap(); /* as a container's first process we may have orphans that have ended before */
	return error;
}

void reaper_stop(void)
{
	if (reaper.started)
		uv_close((uv_handle_t *)&reaper.signal, NULL);
	reaper.started = false;
}

/* Waits, with the lock held, until no thread starts a process any more; false: some still do after `ms`. */
static bool wait_for_threads(int ms)
{
	struct timespec until;
	int error = 0;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += ms / 1000;
	until.tv_nsec += ms % 1000 * 1000000L;
	if (until.tv_nsec >= 1000000000L) {
		until.tv_sec++;
		until.tv_nsec -= 1000000000L;
	}
	while (reaper.starting > 0 && error == 0)
		error = pthread_cond_clockwait(&reaper.returned, &reaper.lock, CLOCK_MONOTONIC,
					       &until);
	return reaper.starting == 0;
}

bool reaper_end(int ms)
{
	bool all;

	pthread_mutex_lock(&reaper.lock);
	for (size_t i = 0; i < reaper.live.count; i++)
		send_signal(reaper.live.items[i], SIGKILL);
	all = wait_for_threads(ms);
	while (all && reaper.live.count > 0)
		process_free(list_shift(&reaper.live));
	list_free(&reaper.live);
	pthread_mutex_unlock(&reaper.lock);
	return all;
}

static struct process *next_over(struct process_port *port)
{
	struct process *process;

	pthread_mutex_lock(&reaper.lock);
	process = list_shift(&port->over);
	pthread_mutex_unlock(&reaper.lock);
	return process;
}

static void on_woken(uv_async_t *woken)
{
	struct process *process;

	/* a callback may free the port */
	while (woken->data != NULL && (process = next_over(woken->data)) != NULL) {
		struct process_port *port = woken->data;

		port->ended(process->owner, &process->end);
		process_free(process);
	}
}

struct process_port *process_port_new(uv_loop_t *loop,
				      void (*ended)(void *owner, const struct process_end *end))
{
	struct process_port *port = mem_zalloc(1, sizeof(*port));

	port->ended = ended;
	port->woken = mem_zalloc(1, sizeof(*port->woken));
	uv_async_init(loop, port->woken, on_woken);
	uv_unref((uv_handle_t *)port->woken);
	port->woken->data = port;
	return port;
}

static void on_closed(uv_handle_t *handle)
{
	free(handle);
}

void process_port_free(struct process_port **port_p)
{
	struct process_port *port = *port_p;
	struct process *process;

	*port_p = NULL;
	if (port == NULL)
		return;
	pthread_mutex_lock(&reaper.lock);
	for (size_t i = reaper.live.count; i-- > 0;) {
		process = reaper.live.items[i];
		if (process->port == port)
			let_go(process);
	}
	while ((process = list_shift(&port->over)) != NULL)
		process_free(process);
	pthread_mutex_unlock(&reaper.lock);
	list_free(&port->over);
	port->woken->data = NULL;
	uv_close((uv_handle_t *)port->woken, on_closed);
	free(port);
}
