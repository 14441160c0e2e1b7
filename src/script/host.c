#include "script/host.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "base/mem.h"

enum host_phase { HOST_LOADS, HOST_LOADED, HOST_STOPS, HOST_LEFT_BEHIND };

struct host {
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	enum host_phase phase;
	char *path;
	struct config *config;
	struct load_report report;
};

static void free_host(struct host *host)
{
	config_unref(&host->config);
	load_report_free(&host->report);
	pthread_cond_destroy(&host->changed);
	pthread_mutex_destroy(&host->lock);
	free(host->path);
	free(host);
}

static void *run(void *data)
{
	struct host *host = data;
	lua_State *L = state_new();
	struct load_report report = { 0 };
	struct config *config = L != NULL ? load_config(L, host->path, &report) : NULL;
	bool alone;

	pthread_mutex_lock(&host->lock);
	host->config = config;
	host->report = report;
	if (host->phase == HOST_LOADS) {
		host->phase = HOST_LOADED;
		pthread_cond_signal(&host->changed);
	}
	while (host->phase == HOST_LOADED)
		pthread_cond_wait(&host->changed, &host->lock);
	alone = host->phase == HOST_LEFT_BEHIND;
	pthread_mutex_unlock(&host->lock);
	if (L != NULL)
		lua_close(L);
	if (alone)
		free_host(host);
	return NULL;
}

/* False: it took too long, and the host is left to free itself. */
static bool wait_for_report(struct host *host)
{
	struct timespec until;
	bool loaded;
	int error = 0;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += HOST_LOAD_MS / 1000;
	pthread_mutex_lock(&host->lock);
	while (host->phase == HOST_LOADS && error != ETIMEDOUT)
		error = pthread_cond_timedwait(&host->changed, &host->lock, &until);
	loaded = host->phase != HOST_LOADS;
	if (!loaded) {
		host->phase = HOST_LEFT_BEHIND;
		pthread_detach(host->thread);
	}
	pthread_mutex_unlock(&host->lock);
	return loaded;
}

static void say(struct load_report *report, char *text)
{
	*report = (struct load_report){ .errors = mem_zalloc(2, sizeof(char *)), .error_count = 1 };
	report->errors[0] = text;
}

struct host *host_start(const char *path, struct config **config, struct load_report *report)
{
	struct host *host = mem_zalloc(1, sizeof(*host));
	pthread_condattr_t attr;

	*config = NULL;
	*report = (struct load_report){ 0 };
	host->path = mem_strdup(path);
	pthread_mutex_init(&host->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&host->changed, &attr);
	pthread_condattr_destroy(&attr);
	if (pthread_create(&host->thread, NULL, run, host) != 0) {
		say(report, mem_printf("%s: no thread for the script host", path));
		free_host(host);
		return NULL;
	}
	if (!wait_for_report(host)) {
		say(report, mem_printf("%s: the configuration took longer than %d s to load", path,
				       HOST_LOAD_MS / 1000));
		return NULL;
	}
	*report = host->report;
	host->report = (struct load_report){ 0 };
	*config = host->config;
	host->config = NULL;
	if (*config == NULL)
		host_stop(&host);
	return host;
}

void host_stop(struct host **host_p)
{
	struct host *host = *host_p;

	*host_p = NULL;
	if (host == NULL)
		return;
	pthread_mutex_lock(&host->lock);
	host->phase = HOST_STOPS;
	pthread_cond_signal(&host->changed);
	pthread_mutex_unlock(&host->lock);
	pthread_join(host->thread, NULL);
	free_host(host);
}
