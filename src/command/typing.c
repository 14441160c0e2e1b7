#include "command/typing.h"

#include <errno.h>
#include <histedit.h>
#include <locale.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <wchar.h>

#include "base/mem.h"

#define HISTORY_LINES 1000
#define WORD_CHARS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.:"

struct typing {
	EditLine *edit;
	History *history;
	char *path; /* the history's file; NULL: there is none */
	const char *prompt;
	volatile sig_atomic_t *interrupted;
	typing_complete *complete;
	void *data;
};

static struct typing *typing_of(EditLine *edit)
{
	void *data = NULL;

	(void)el_get(edit, EL_CLIENTDATA, &data);
	return data;
}

static char *prompt_of(EditLine *edit)
{
	return (char *)typing_of(edit)->prompt;
}

/* Waits for bytes. False: Ctrl-C was typed, or the terminal is gone. */
static bool wait_for_bytes(const struct typing *typing)
{
	struct pollfd ready = { .fd = STDIN_FILENO, .events = POLLIN };
	sigset_t interrupt;
	sigset_t open;
	int count = 0;

	(void)sigemptyset(&interrupt);
	(void)sigaddset(&interrupt, SIGINT);
	(void)sigprocmask(SIG_BLOCK, &interrupt, &open);
	while (*typing->interrupted == 0 && count <= 0) {
		count = ppoll(&ready, 1, NULL, &open);
		if (count < 0 && errno != EINTR)
			break;
	}
	(void)sigprocmask(SIG_SETMASK, &open, NULL);
	return *typing->interrupted == 0 && count > 0;
}

/*
 * Reads one character as libedit asks for it. Returns 1; 0 at the end; -1 after Ctrl-C, where libedit's own function
 * goes on after a signal.
 */
static int read_char(EditLine *edit, wchar_t *out)
{
	const struct typing *typing = typing_of(edit);
	mbstate_t state = { 0 };
	char byte;

	for (;;) {
		ssize_t n = wait_for_bytes(typing) ? read(STDIN_FILENO, &byte, 1) : -1;
		size_t used;

		if (n <= 0)
			return n == 0 ? 0 : -1;
		used = mbrtowc(out, &byte, 1, &state);
		if (used == (size_t)-1)
			state = (mbstate_t){ 0 }; /* bytes that are no character are left out */
		else if (used != (size_t)-2)
			return 1;
	}
}

/* Returns what all lines of `words` begin with, beyond the first `len` bytes; the caller frees it. */
static char *common_rest(const char *words, size_t len)
{
	size_t first = strcspn(words, "\n");
	size_t same = first;

	for (const char *at = words + first; at[0] == '\n' && at[1] != '\0'; at += 1 + strcspn(at + 1, "\n")) {
		size_t i = 0;

		while (i < same && at[1 + i] == words[i])
			i++;
		same = i;
	}
	return same > len ? mem_strndup(words + len, same - len) : mem_strdup("");
}

/* Handles TAB: inserts what is common to all words that could stand there; where that is nothing it shows them. */
static unsigned char on_tab(EditLine *edit, int key)
{
	const struct typing *typing = typing_of(edit);
	const LineInfo *line = el_line(edit);
	const char *begin = line->cursor;
	struct buf words = { 0 };
	unsigned char result = CC_NORM;
	char *word;
	char *rest;

	(void)key;
	while (begin > line->buffer && strchr(WORD_CHARS, begin[-1]) != NULL)
		begin--;
	word = mem_strndup(begin, (size_t)(line->cursor - begin));
	typing->complete(typing->data, word, &words);
	rest = common_rest(buf_text(&words), strlen(word));
	if (rest[0] != '\0') {
		result = el_insertstr(edit, rest) == 0 ? CC_REFRESH : CC_ERROR;
	} else if (words.len > 0 && strchr(buf_text(&words), '\n') != words.data + words.len - 1) {
		(void)printf("\n%s", buf_text(&words));
		(void)fflush(stdout);
		result = CC_REDISPLAY;
	}
	free(rest);
	free(word);
	buf_free(&words);
	return result;
}

static void open_history(struct typing *typing, const char *path)
{
	HistEvent event;

	typing->history = history_init();
	(void)history(typing->history, &event, H_SETSIZE, HISTORY_LINES);
	(void)history(typing->history, &event, H_SETUNIQUE, 1);
	if (path == NULL)
		return;
	typing->path = mem_strdup(path);
	(void)history(typing->history, &event, H_LOAD, path);
}

struct typing *typing_new(const char *history_path, volatile sig_atomic_t *interrupted, typing_complete *complete,
			  void *data)
{
	struct typing *typing = mem_zalloc(1, sizeof(*typing));

	(void)setlocale(LC_CTYPE, "");
	typing->interrupted = interrupted;
	typing->complete = complete;
	typing->data = data;
	typing->prompt = "";
	typing->edit = el_init("plusmoin", stdin, stdout, stderr);
	if (typing->edit == NULL) {
		free(typing);
		return NULL;
	}
	open_history(typing, history_path);
	(void)el_set(typing->edit, EL_CLIENTDATA, typing);
	(void)el_set(typing->edit, EL_PROMPT, prompt_of);
	(void)el_set(typing->edit, EL_EDITOR, "emacs");
	(void)el_set(typing->edit, EL_GETCFN, read_char);
	(void)el_set(typing->edit, EL_HIST, history, typing->history);
	(void)el_set(typing->edit, EL_ADDFN, "complete", "completes a name", on_tab);
	(void)el_set(typing->edit, EL_BIND, "^I", "complete", NULL);
	(void)el_source(typing->edit, NULL); /* the user's ~/.editrc */
	return typing;
}

enum typed typing_read(struct typing *typing, const char *prompt, struct buf *line)
{
	const char *text;
	int count = 0;

	typing->prompt = prompt;
	buf_clear(line);
	/* el_gets() would prepare the terminal only after the prompt, and lose what is typed before that */
	(void)el_set(typing->edit, EL_PREP_TERM, 1);
	text = el_gets(typing->edit, &count);
	if (*typing->interrupted != 0) {
		*typing->interrupted = 0;
		(void)putchar('\n');
		el_reset(typing->edit);
		return TYPED_INTERRUPT;
	}
	if (text == NULL || count <= 0)
		return TYPED_END;
	buf_add(line, text, text[count - 1] == '\n' ? (size_t)count - 1 : (size_t)count);
	return TYPED_LINE;
}

void typing_remember(struct typing *typing, const char *text)
{
	HistEvent event;

	(void)history(typing->history, &event, H_ENTER, text);
}

/* Writes the history for its owner alone, because passwords may have been typed. */
static void save_history(const struct typing *typing)
{
	mode_t mask = umask(077);
	HistEvent event;

	(void)history(typing->history, &event, H_SAVE, typing->path);
	(void)umask(mask);
}

void typing_free(struct typing **typing_p)
{
	struct typing *typing = *typing_p;

	*typing_p = NULL;
	if (typing == NULL)
		return;
	if (typing->path != NULL)
		save_history(typing);
	history_end(typing->history);
	el_end(typing->edit);
	free(typing->path);
	free(typing);
}
