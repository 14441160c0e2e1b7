#include "dispatch/action.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/secret.h"
#include "base/text.h"
#include "dispatch/tally.h"
#include "process/environment.h"

struct action {
	const struct action_kit *kit;
	const struct config_action *config; /* who started the action keeps the configuration that it is part of */
	struct event *event;
	struct child *child;
	void *run;       /* the runner's, of a function */
	char *killed_by; /* who has ended it by hand; NULL: nobody */
	void (*ended)(void *data);
	void *data;
};

struct log_about action_event_about(const struct event *event)
{
	return (struct log_about){
		.event = event_kind_name(event->kind),
		.event_id = event->id,
		.has_cluster = true,
		.cluster_id = event->cluster_id,
		.node = event->node != NULL ? event->node->name : NULL,
	};
}

bool action_is_command(const struct config_action *config)
{
	return config->argv != NULL;
}

void action_tell(const struct action_kit *kit, const struct event *event, const char *path, const char *how)
{
	if (kit->events != NULL && kit->events->told != NULL)
		kit->events->told(kit->data, event, path, how);
}

void action_tell_end(const struct action_kit *kit, const struct event *event, const char *path, enum action_end end,
		     const char *how)
{
	if (kit->events != NULL && kit->events->ended != NULL)
		kit->events->ended(kit->data, event, path, end, how);
}

static void tell_start(const struct action *action)
{
	const struct action_kit *kit = action->kit;

	if (kit->events != NULL && kit->events->started != NULL)
		kit->events->started(kit->data, action->event, action->config->path);
}

static void end(struct action *action)
{
	void (*ended)(void *data) = action->ended;
	void *data = action->data;

	event_unref(&action->event);
	free(action->killed_by);
	free(action);
	ended(data);
}

static struct log_about about(const struct action *action)
{
	struct log_about result = action_event_about(action->event);

	result.trigger = action->config->path;
	return result;
}

/* The success of a heartbeat's trigger is logged at level debug, as it comes every few seconds. */
static enum log_level good_level(const struct action *action)
{
	return action->event->kind == EVENT_HEARTBEAT ? LOG_LEVEL_DEBUG : LOG_LEVEL_INFO;
}

/* Logs and tells how the action ended; takes over `how`. */
static void tell(const struct action *action, enum action_end end, char *how)
{
	struct log_about place = about(action);

	log_line(end == ACTION_DONE ? good_level(action) : LOG_LEVEL_ERROR, &place, "%s", how);
	action_tell(action->kit, action->event, action->config->path, how);
	action_tell_end(action->kit, action->event, action->config->path, end, how);
	free(how);
}

/* What the log says of the command's end; the caller's. */
static char *words_of_child(const struct action *action, const struct child_outcome *outcome)
{
	char *output = secret_scrub(outcome->output, LOG_USER_BYTES);
	double took = (double)outcome->took_ms / 1000.0;
	const char *sep = output[0] != '\0' ? ": " : "";
	char *how;

	if (outcome->error != 0)
		how = mem_printf("cannot start %s: %s", action->config->argv[0], outcome->why);
	else if (action->killed_by != NULL)
		how = mem_printf("ended by %s after %.3f s%s%s", action->killed_by, took, sep, output);
	else if (outcome->timed_out)
		how = mem_printf("timed out and was ended after %.3f s%s%s", took, sep, output);
	else if (outcome->signal != 0)
		how = mem_printf("ended by signal %d after %.3f s%s%s", outcome->signal, took, sep, output);
	else if (outcome->exit_code != 0)
		how = mem_printf("failed with exit status %d after %.3f s%s%s", outcome->exit_code, took, sep, output);
	else
		how = mem_printf("done in %.3f s%s%s", took, sep, output);
	free(output);
	return how;
}

static enum action_end end_of(const struct action *action, bool timed_out, bool is_good)
{
	if (action->killed_by != NULL)
		return ACTION_FAILED;
	if (timed_out)
		return ACTION_TIMED_OUT;
	return is_good ? ACTION_DONE : ACTION_FAILED;
}

static void on_child_ended(void *data, const struct child_outcome *outcome)
{
	const struct action *action = data;
	bool is_good = outcome->error == 0 && outcome->signal == 0 && outcome->exit_code == 0;
	enum action_end how = end_of(action, outcome->timed_out, is_good);

	tally_end(action->kit->meters, how, outcome->took_ms);
	tell(action, how, words_of_child(action, outcome));
	end(data);
}

/* What the log says of the function's end; the caller's. `error`: with what it failed; NULL: it did not. */
static char *words_of_function(const struct action *action, const struct runner_outcome *outcome, const char *error)
{
	double took = (double)outcome->took_ms / 1000.0;
	const char *sep = error != NULL ? ": " : "";
	const char *rest = error != NULL ? error : "";

	if (action->killed_by != NULL)
		return mem_printf("ended by %s after %.3f s%s%s", action->killed_by, took, sep, rest);
	if (outcome->timed_out)
		return mem_printf("timed out and was ended after %.3f s%s%s", took, sep, rest);
	if (error != NULL)
		return mem_printf("failed after %.3f s: %s", took, error);
	return mem_printf("done in %.3f s", took);
}

/* Forgets that somebody ended the function, which had ended well before its host heard of that. */
static void forget_kill(struct action *action)
{
	free(action->killed_by);
	action->killed_by = NULL;
}

static void on_function_ended(void *data, const struct runner_outcome *outcome)
{
	struct action *action = data;
	char *error = outcome->error != NULL ? secret_scrub(outcome->error, LOG_USER_BYTES) : NULL;
	enum action_end how;

	if (error == NULL && !outcome->timed_out)
		forget_kill(action);
	how = end_of(action, outcome->timed_out, error == NULL);
	tell(action, how, words_of_function(action, outcome, error));
	free(error);
	tally_end(action->kit->meters, how, outcome->took_ms);
	end(action);
}

static void start_command(struct action *action)
{
	char **environment = environment_new(action->event);
	struct buf input = { 0 };
	struct child_options options = {
		.argv = action->config->argv,
		.environment = environment,
		.timeout_ms = action->config->timeout_ms,
	};

	event_render(action->event, &input);
	buf_add_char(&input, '\n');
	options.input = input.data;
	options.input_len = input.len;
	action->child = child_start(action->kit->port, &options, on_child_ended, action);
	buf_free(&input);
	environment_free(&environment);
}

struct action *action_start(const struct action_kit *kit, const struct config *config,
			    size_t index, struct event *event, void (*ended)(void *data),
			    void *data)
{
	struct action *action = mem_zalloc(1, sizeof(*action));

	action->kit = kit;
	action->config = &config->triggers[event->kind].actions[index];
	action->event = event_ref(event);
	action->ended = ended;
	action->data = data;
	if (action_is_command(action->config))
		start_command(action);
	else
		action->run = kit->runner->start(kit->runner->data, config, action->config, event,
						 on_function_ended, action);
	tell_start(action);
	return action;
}

static void stop(struct action *action, int signal, enum runner_stop how)
{
	const struct runner *runner = action->kit->runner;

	if (action->child != NULL)
		child_signal(action->child, signal);
	else
		runner->stop(runner->data, action->run, how);
}

void action_signal(struct action *action, int signal)
{
	stop(action, signal, signal == SIGKILL ? RUNNER_FORCED : RUNNER_ASKED);
}

void action_kill(struct action *action, const char *by)
{
	if (action->killed_by == NULL)
		action->killed_by = mem_strdup(by);
	stop(action, SIGTERM, RUNNER_BY_HAND);
}

struct runner_wait action_waits_for(const struct action *action)
{
	const struct runner *runner = action->kit->runner;

	if (action->child != NULL)
		return (struct runner_wait){ .begun = true };
	return runner->waits_for(runner->data, action->run);
}

int action_pid(const struct action *action)
{
	return action->child != NULL ? child_pid(action->child) : 0;
}
