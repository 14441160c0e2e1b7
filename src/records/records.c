#include "records/records.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "records/saved_file.h"
#include "records/whole_file.h"

struct records {
	uv_loop_t *loop;
	struct whole_file *status;
	struct whole_file *state; /* NULL: no state is kept */
	void (*told)(void *data, const char *text, size_t len); /* NULL: nobody is told */
	void *data;
	unsigned long generation; /* of the board that was written last; 0: none was */
	const struct silences *silences; /* NULL: there are none */
	bool has_new_silences; /* the state file does not have all of `silences` yet */
};

/* Goes over to the file at another path (NULL: to none); does nothing if the path is the same. */
static void move(struct records *records, struct whole_file **file, const char *path,
		 const struct whole_file_kind *kind)
{
	if (*file != NULL && path != NULL && strcmp(whole_file_path(*file), path) == 0)
		return;
	whole_file_free(file);
	if (path != NULL)
		*file = whole_file_new(records->loop, path, kind);
}

void records_move(struct records *records, const struct config *config)
{
	static const struct whole_file_kind status = { .what = "status file", .mode = 0644 };
	static const struct whole_file_kind state = {
		.what = "state file",
		.sync = true,
		.mode = 0640,
	};

	records->generation = 0;
	move(records, &records->status, config->status_file, &status);
	move(records, &records->state, config->state_file, &state);
}

struct records *records_new(uv_loop_t *loop, const struct config *config)
{
	struct records *records = mem_zalloc(1, sizeof(*records));

	records->loop = loop;
	records_move(records, config);
	return records;
}

bool records_can_write(const struct config *config)
{
	char *probe = mem_printf("%s.new", config->status_file);
	int fd = open(probe, WHOLE_FILE_FLAGS, 0644);
	int error = errno;

	if (fd >= 0)
		close(fd);
	if (fd < 0)
		(void)fprintf(stderr, "plusmoin: cannot write status file %s: %s\n", config->status_file,
			      strerror(error));
	else
		(void)unlink(probe);
	free(probe);
	return fd >= 0;
}

static void write_state(struct records *records, const struct monitor *monitor)
{
	struct buf text = { 0 };

	if (records->state != NULL && monitor_save(monitor, records->silences, &text)) {
		whole_file_write(records->state, &text, false);
		records->has_new_silences = false;
	}
	buf_free(&text);
}

static void write_status(struct records *records, const struct board *board, bool force)
{
	struct buf text = { 0 };

	records->generation = board->generation;
	board_render(board, &text);
	if (records->told != NULL)
		records->told(records->data, buf_text(&text), text.len);
	whole_file_write(records->status, &text, force);
}

void records_write(struct records *records, struct monitor *monitor, bool force)
{
	const struct board *board;
	bool is_new;

	if (monitor == NULL)
		return;
	board = monitor_board(monitor);
	is_new = board->generation != records->generation || (force && records->generation == 0);
	if (is_new)
		write_status(records, board, force);
	else if (force)
		whole_file_repeat(records->status); /* so that the file's time shows that plusmoin runs */
	if (is_new || force || records->has_new_silences)
		write_state(records, monitor);
}

void records_silence(struct records *records, const struct silences *silences)
{
	records->silences = silences;
	records->has_new_silences = true;
}

void records_forget(struct records *records)
{
	records->generation = 0;
}

void records_tell(struct records *records, void (*told)(void *data, const char *text, size_t len), void *data)
{
	records->told = told;
	records->data = data;
}

void records_free(struct records **records_p)
{
	struct records *records = *records_p;

	*records_p = NULL;
	if (records == NULL)
		return;
	whole_file_free(&records->status);
	whole_file_free(&records->state);
	free(records);
}

struct saved *records_read(const struct config *config)
{
	struct saved *saved = NULL;
	char *why = NULL;

	if (config->state_file != NULL)
		saved = saved_file_read(config->state_file, &why);
	if (why != NULL)
		log_error("%s", why);
	if (saved != NULL)
		log_info("going on from state file %s: %zu clusters", config->state_file,
			 saved->cluster_count);
	free(why);
	return saved;
}
