#include "window/stream.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "loop/clock.h"
#include "window/reply.h"
#include "window/visitors.h"

#define BLOCK_BYTES 1024
#define TYPE_STREAM "text/event-stream"
#define POLL_MOST 100 /* entries in one answer */

/* A connection that gets Server-Sent Events, or a script's request that waits. */
struct stream {
	TAILQ_ENTRY(stream) in_list;
	struct desk *desk;
	struct MHD_Connection *connection;
	unsigned long last;  /* number of the last diary entry that it got */
	struct buf text;     /* the text that is being sent */
	size_t sent;         /* bytes of the text that are sent */
	bool suspended;
	bool ends;
	int64_t since_ms;    /* steady time at which it was last sent something */
	bool is_poll;
};

/* ---- ids: "<start second>.<number>" ---- */

static void add_id(const struct facts *facts, unsigned long number, struct buf *out)
{
	buf_addf(out, "%s.%lu", facts->start, number);
}

/* Returns the number of an id. For an id of another run of the daemon it is 0, all entries, and `*missed` is set. */
static unsigned long parse_id(const struct facts *facts, const char *id, bool *missed)
{
	size_t len = strlen(facts->start);
	unsigned long number;
	char *end;

	*missed = true;
	if (strncmp(id, facts->start, len) != 0 || id[len] != '.' || id[len + 1] < '0' || id[len + 1] > '9')
		return 0;
	errno = 0;
	number = strtoul(id + len + 1, &end, 10);
	if (errno != 0 || *end != '\0' || number > facts->diary.last)
		return 0;
	*missed = false;
	return number;
}

/* ---- Server-Sent Events ---- */

static void add_missed(struct stream *stream)
{
	buf_add_str(&stream->text, "event: " STREAM_MISSED "\ndata: {\"message\":\"some earlier events are not kept any more\"}\n\n");
}

static void add_entry(struct stream *stream, const struct diary_entry *entry)
{
	buf_add_str(&stream->text, "id: ");
	add_id(&stream->desk->facts, entry->number, &stream->text);
	buf_addf(&stream->text, "\nevent: %s\ndata: %s\n\n", entry->note->name, entry->note->text);
}

/* Puts what is to be sent next into `text`. Returns false when there is nothing to send. */
static bool take_next(struct stream *stream)
{
	bool missed;
	const struct diary_entry *entry = diary_next(&stream->desk->facts.diary, stream->last, &missed);
	int64_t now_ms = clock_steady_ms();

	if (stream->sent < stream->text.len)
		return true;
	buf_clear(&stream->text);
	stream->sent = 0;
	if (entry == NULL && now_ms - stream->since_ms < STREAM_COMMENT_MS)
		return false;
	stream->since_ms = now_ms;
	if (entry == NULL) {
		buf_add_str(&stream->text, ":\n\n");
		return true;
	}
	if (missed)
		add_missed(stream);
	add_entry(stream, entry);
	stream->last = entry->number;
	return true;
}

static ssize_t on_read(void *data, uint64_t position, char *out, size_t most)
{
	struct stream *stream = data;
	size_t len;

	(void)position;
	if (stream->ends)
		return MHD_CONTENT_READER_END_OF_STREAM;
	if (!take_next(stream)) {
		stream->suspended = true;
		MHD_suspend_connection(stream->connection);
		return 0;
	}
	len = stream->text.len - stream->sent;
	if (len > most)
		len = most;
	memcpy(out, stream->text.data + stream->sent, len);
	stream->sent += len;
	return (ssize_t)len;
}

static struct stream *stream_new(struct visit *visit)
{
	struct stream *stream = mem_zalloc(1, sizeof(*stream));

	stream->desk = visit->desk;
	stream->connection = visit->connection;
	stream->last = visit->desk->facts.diary.last;
	stream->since_ms = clock_steady_ms();
	TAILQ_INSERT_TAIL(&visit->desk->streams.list, stream, in_list);
	visit->desk->streams.count++;
	return stream;
}

static void stream_free(struct stream *stream)
{
	TAILQ_REMOVE(&stream->desk->streams.list, stream, in_list);
	stream->desk->streams.count--;
	buf_free(&stream->text);
	free(stream);
}

static void on_free(void *data)
{
	stream_free(data);
}

static enum MHD_Result answer_stream(struct visit *visit)
{
	const char *last = reply_header(visit->connection, "Last-Event-ID");
	struct stream *stream = stream_new(visit);
	bool missed = false;

	if (last != NULL)
		stream->last = parse_id(&visit->desk->facts, last, &missed);
	if (missed)
		add_missed(stream);
	buf_add_str(&stream->text, ":\n\n"); /* shows the client that it is connected */
	visitors_of(visit->connection)->is_stream = true;
	return reply_send(visit->connection, MHD_HTTP_OK,
			  reply_new_reader(BLOCK_BYTES, on_read, stream, on_free, TYPE_STREAM));
}

/* ---- for scripts ---- */

static void render_entry(const struct facts *facts, const struct diary_entry *entry, struct json *json)
{
	struct buf id = { 0 };

	add_id(facts, entry->number, &id);
	jsonw_begin_object(json);
	jsonw_key(json, "id");
	jsonw_string(json, buf_text(&id));
	jsonw_key(json, "event");
	jsonw_string(json, entry->note->name);
	jsonw_key(json, "data");
	jsonw_raw(json, entry->note->text);
	jsonw_end_object(json);
	buf_free(&id);
}

/* Answers with the entries behind `last`. `missed`: entries before are not kept any more. */
static enum MHD_Result answer_list(struct visit *visit, unsigned long last, bool missed)
{
	const struct facts *facts = &visit->desk->facts;
	const struct diary_entry *entry;
	struct buf body = { 0 };
	struct buf id = { 0 };
	struct json json = { .out = &body };
	bool gap;

	jsonw_begin_object(&json);
	jsonw_key(&json, "events");
	jsonw_begin_array(&json);
	for (int i = 0; i < POLL_MOST && (entry = diary_next(&facts->diary, last, &gap)) != NULL; i++) {
		render_entry(facts, entry, &json);
		missed = missed || gap || entry->note->kind == NOTE_MISSED;
		last = entry->number;
	}
	jsonw_end_array(&json);
	jsonw_key(&json, "missed");
	jsonw_bool(&json, missed);
	jsonw_key(&json, "next");
	add_id(facts, last, &id);
	jsonw_string(&json, buf_text(&id));
	jsonw_end_object(&json);
	buf_free(&id);
	return reply_json(visit->connection, MHD_HTTP_OK, &body);
}

static enum MHD_Result answer_poll(struct visit *visit, const char *since)
{
	const struct diary *diary = &visit->desk->facts.diary;
	bool missed = false;
	bool gap;
	unsigned long last = since[0] != '\0' ? parse_id(&visit->desk->facts, since, &missed) : diary->last;

	if (since[0] == '\0' || missed || visit->stream != NULL || diary_next(diary, last, &gap) != NULL)
		return answer_list(visit, last, missed);
	visit->stream = stream_new(visit);
	visit->stream->is_poll = true;
	visitors_of(visit->connection)->is_stream = true;
	visit->stream->suspended = true;
	MHD_suspend_connection(visit->connection);
	return MHD_YES;
}

void stream_forget(struct visit *visit)
{
	if (visit->stream != NULL)
		stream_free(visit->stream);
	visit->stream = NULL;
}

enum MHD_Result stream_answer(struct visit *visit)
{
	const char *since = reply_argument(visit->connection, "since");
	struct buf none = { 0 };

	if (visit->method == METHOD_HEAD)
		return reply_send(visit->connection, MHD_HTTP_OK,
				  reply_new(&none, since != NULL ? TYPE_JSON : TYPE_STREAM));
	if (visit->stream == NULL && visit->desk->streams.count >= STREAMS_MOST)
		return reply_line(visit->connection, MHD_HTTP_SERVICE_UNAVAILABLE,
				  mem_printf("%d clients read events already", STREAMS_MOST));
	return since != NULL ? answer_poll(visit, since) : answer_stream(visit);
}

/* ---- who waits ---- */

static void go_on(struct stream *stream)
{
	if (!stream->suspended)
		return;
	stream->suspended = false;
	MHD_resume_connection(stream->connection);
}

void streams_wake(struct streams *streams)
{
	struct stream *stream;

	for (stream = TAILQ_FIRST(&streams->list); stream != NULL; stream = TAILQ_NEXT(stream, in_list))
		go_on(stream);
}

void streams_sweep(struct streams *streams)
{
	int64_t now_ms = clock_steady_ms();
	struct stream *stream;

	for (stream = TAILQ_FIRST(&streams->list); stream != NULL; stream = TAILQ_NEXT(stream, in_list)) {
		if (now_ms - stream->since_ms >= (stream->is_poll ? STREAM_POLL_MS : STREAM_COMMENT_MS))
			go_on(stream);
	}
}

void streams_end(struct streams *streams)
{
	struct stream *stream;

	for (stream = TAILQ_FIRST(&streams->list); stream != NULL; stream = TAILQ_NEXT(stream, in_list)) {
		stream->ends = true;
		go_on(stream);
	}
}
