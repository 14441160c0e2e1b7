#include "process/program.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "process/image.h"

#define DEPTH_MOST 4 /* interpreters of interpreters; the kernel's own limit is about this */

/* One look: at a program, or at an interpreter of it. */
struct look {
	const char *cwd;
	int depth;
	bool absent; /* there is no such file, as far as we can see */
	int error; /* errno with which the exec would fail; 0: it would succeed, and the program fail after that */
	struct program_fault *fault;
};

static void look_at_file(struct look *look, const char *path);
static void look_at_name(struct look *look, const char *name, char **place);

char **program_places(const char *name)
{
	const char *path = getenv("PATH");
	char **places;
	size_t count = 0;

	if (path == NULL)
		path = "/bin:/usr/bin";
	places = mem_zalloc(strlen(path) + 2, sizeof(*places));
	if (name[0] == '\0' || strchr(name, '/') != NULL) {
		places[0] = mem_strdup(name);
		return places;
	}
	for (bool more = true; more; path += more) {
		size_t len = strcspn(path, ":");

		places[count++] = len > 0 ? mem_printf("%.*s/%s", (int)len, path, name)
					  : mem_strdup(name);
		path += len;
		more = *path == ':';
	}
	return places;
}

/* ---- faults ---- */

/* Sets the look's fault, which takes over `words` and `cure`. */
static struct program_fault *set_fault(struct look *look, int error, char *words, char *cure)
{
	program_fault_free(&look->fault);
	look->error = error;
	look->fault = mem_zalloc(1, sizeof(*look->fault));
	look->fault->sure = true;
	look->fault->words = words;
	look->fault->cure = cure;
	return look->fault;
}

void program_fault_free(struct program_fault **fault)
{
	if (*fault == NULL)
		return;
	free((*fault)->words);
	free((*fault)->cure);
	free(*fault);
	*fault = NULL;
}

/* Returns `path` quoted as one word for a shell. The caller frees it. */
static char *shell_word(const char *path)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_./+@:,%-";
	struct buf out = { 0 };

	if (path[0] != '-' && strspn(path, plain) == strlen(path))
		return mem_strdup(path);
	buf_add_char(&out, '\'');
	for (; *path != '\0'; path++) {
		if (*path == '\'')
			buf_add_str(&out, "'\\''");
		else
			buf_add_char(&out, *path);
	}
	buf_add_char(&out, '\'');
	return buf_steal(&out);
}

/* Returns a line for a shell with the path as one word in it. The caller frees it. */
static char *shell_cure(const char *before, const char *path, const char *after)
{
	char *word = shell_word(path);
	char *cure = mem_printf("%s %s%s", before, word, after);

	free(word);
	return cure;
}

/* ---- the way to a file ---- */

/* Returns the first directory above `path` that we may not enter; NULL: there is none. The caller frees it. */
static char *closed_directory(const char *path)
{
	for (const char *at = strchr(path, '/'); at != NULL; at = strchr(at + 1, '/')) {
		char *directory = at == path ? mem_strdup("/") : mem_strndup(path, (size_t)(at - path));

		if (faccessat(AT_FDCWD, directory, X_OK, AT_EACCESS) != 0 && errno == EACCES)
			return directory;
		free(directory);
	}
	return NULL;
}

static void say_unreachable(struct look *look, const char *path, int error)
{
	char *directory = error == EACCES ? closed_directory(path) : NULL;
	char target[PATH_MAX];
	ssize_t len = error == ENOENT ? readlink(path, target, sizeof(target) - 1) : -1;

	look->absent = len < 0;
	if (directory != NULL)
		set_fault(look, error, mem_printf("\"%s\" cannot be reached: uid %u may not enter directory \"%s\"",
						  path, (unsigned)geteuid(), directory),
			  shell_cure("chmod a+x", directory, ""));
	else if (len >= 0)
		set_fault(look, error, mem_printf("\"%s\" is a link to \"%.*s\", which is not there", path,
						  (int)len, target), NULL);
	else if (error == ENOENT)
		set_fault(look, error, mem_printf("no such program: \"%s\"", path), NULL)->plain = true;
	else
		set_fault(look, error, mem_printf("\"%s\" cannot be reached: %s", path, strerror(error)), NULL);
	free(directory);
}

static void say_not_executable(struct look *look, const char *path)
{
	struct statvfs mount;

	if (statvfs(path, &mount) == 0 && (mount.f_flag & ST_NOEXEC) != 0)
		set_fault(look, EACCES, mem_printf("\"%s\" lies on a mount that is noexec", path), NULL);
	else
		set_fault(look, EACCES, mem_printf("\"%s\" is not executable for uid %u", path,
						   (unsigned)geteuid()),
			  shell_cure("chmod a+rx", path, "; or chgrp to a group of daemon_user's, and mode 0750"));
}

/* ---- what is in it ---- */

/* Turns the fault of an interpreter into one of the script that names it. */
static void blame_script(struct look *look, const char *path, int error)
{
	struct program_fault *fault = look->fault;

	if (fault == NULL)
		return;
	look->fault = NULL;
	set_fault(look, error, mem_printf("\"%s\" is a script whose first line names what cannot be started: %s",
					  path, fault->words),
		  mem_strdup(fault->cure))->sure = fault->sure;
	program_fault_free(&fault);
}

/* `#!/usr/bin/env NAME` looks NAME up, and does not say so when it fails. */
static void look_behind_env(struct look *look, const struct image *image)
{
	const char *base = strrchr(image->interpreter, '/');
	const char *name = image->argument;

	if (base == NULL || strcmp(base, "/env") != 0 || name[0] == '\0' || strpbrk(name, "-= \t") != NULL)
		return;
	look_at_name(look, name, NULL);
	look->error = 0;
}

static void look_at_script(struct look *look, const char *path, const struct image *image)
{
	struct look inner = { .cwd = look->cwd, .depth = look->depth + 1 };
	const char *last = image->argument[0] != '\0' ? image->argument : image->interpreter;

	if (image->has_cr) {
		set_fault(look, image->argument[0] == '\0' ? ENOENT : 0,
			  mem_printf("the first line of \"%s\" ends in a carriage return (as a file of Windows"
				     " has it), which becomes part of \"%.*s\"", path, (int)strlen(last) - 1, last),
			  shell_cure("sed -i 's/\\r$//'", path, ""));
		return;
	}
	if (image->interpreter[0] == '\0') {
		set_fault(look, ENOEXEC, mem_printf("the first line of \"%s\" names no interpreter behind #!",
						    path), NULL);
		return;
	}
	if (inner.depth > DEPTH_MOST) {
		set_fault(look, ELOOP, mem_printf("\"%s\": too many interpreters of interpreters", path), NULL);
		return;
	}
	look_at_file(&inner, image->interpreter);
	if (inner.fault == NULL)
		look_behind_env(&inner, image);
	look->fault = inner.fault;
	blame_script(look, path, inner.error);
}

/* Looks for the loader that an ELF program of our own class names (PT_INTERP). Only the kernel knows about others. */
static void look_at_elf(struct look *look, const char *path, int fd)
{
	ElfW(Ehdr) head;
	ElfW(Phdr) part;
	char loader[PATH_MAX];

	if (pread(fd, &head, sizeof(head), 0) != (ssize_t)sizeof(head) ||
	    head.e_ident[EI_CLASS] != (sizeof(void *) == 8 ? ELFCLASS64 : ELFCLASS32) ||
	    head.e_phentsize != sizeof(part))
		return;
	for (unsigned i = 0; i < head.e_phnum; i++) {
		off_t at = (off_t)head.e_phoff + (off_t)(i * sizeof(part));

		if (pread(fd, &part, sizeof(part), at) != (ssize_t)sizeof(part))
			return;
		if (part.p_type != PT_INTERP || part.p_filesz == 0 || part.p_filesz > sizeof(loader))
			continue;
		if (pread(fd, loader, part.p_filesz, (off_t)part.p_offset) != (ssize_t)part.p_filesz)
			return;
		loader[part.p_filesz - 1] = '\0';
		if (access(loader, F_OK) != 0 && errno == ENOENT)
			set_fault(look, ENOENT, mem_printf("\"%s\" is a program for another system: its loader"
							   " \"%s\" is not there", path, loader), NULL);
		return;
	}
}

static void say_no_program(struct look *look, const char *path, const struct image *image)
{
	if (image->kind == IMAGE_EMPTY)
		set_fault(look, ENOEXEC, mem_printf("\"%s\" is empty", path), NULL);
	else if (image->kind == IMAGE_MARKED)
		set_fault(look, ENOEXEC, mem_printf("\"%s\" begins with a byte order mark, so its #! is not seen",
						    path), shell_cure("sed -i '1s/^\\xEF\\xBB\\xBF//'", path, ""));
	else
		set_fault(look, ENOEXEC, mem_printf("\"%s\" is no program: it neither begins with #! nor is it an"
						    " ELF file, and no shell runs it", path),
			  image->is_text ? shell_cure("sed -i '1i #!/bin/sh'", path, "; or what it is a script for")
					 : NULL)->sure = image->is_text; /* binfmt_misc may know it */
}

static void look_inside(struct look *look, const char *path, int fd)
{
	char bytes[IMAGE_BYTES];
	ssize_t len = pread(fd, bytes, sizeof(bytes), 0);
	struct image image;

	if (len < 0)
		return;
	image_read(&image, bytes, (size_t)len);
	if (image.kind == IMAGE_SCRIPT)
		look_at_script(look, path, &image);
	else if (image.kind == IMAGE_ELF)
		look_at_elf(look, path, fd);
	else
		say_no_program(look, path, &image);
}

static void look_at_full_path(struct look *look, const char *path)
{
	struct stat st;
	int fd;

	if (stat(path, &st) != 0)
		say_unreachable(look, path, errno);
	else if (S_ISDIR(st.st_mode))
		set_fault(look, EACCES, mem_printf("\"%s\" is a directory", path), NULL);
	else if (!S_ISREG(st.st_mode))
		set_fault(look, EACCES, mem_printf("\"%s\" is no file", path), NULL);
	else if (faccessat(AT_FDCWD, path, X_OK, AT_EACCESS) != 0)
		say_not_executable(look, path);
	else if ((fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY)) >= 0) {
		look_inside(look, path, fd);
		close(fd);
	} else if (errno == EACCES) {
		set_fault(look, 0, mem_printf("\"%s\" may be executed and not read by uid %u, which is enough for"
					      " a program, and not for a script", path, (unsigned)geteuid()),
			  shell_cure("chmod a+r", path, ""))->sure = false;
	}
}

static void look_at_file(struct look *look, const char *path)
{
	char *full = path[0] == '/' ? mem_strdup(path)
				    : mem_printf("%s/%s", strcmp(look->cwd, "/") == 0 ? "" : look->cwd, path);

	look_at_full_path(look, full);
	free(full);
}

/* ---- looking it up ---- */

static void say_not_in_path(struct look *look, const char *name)
{
	const char *path = getenv("PATH");

	set_fault(look, ENOENT, mem_printf("no such program in PATH: \"%s\" (%s)", name,
					   path != NULL ? path : "/bin:/usr/bin"),
		  mem_strdup("its full path, beginning with /"));
}

/*
 * Looks at the places of a name in order, up to the first one that the kernel would start, or at which it would stop
 * with an error. If there is none, keeps the fault of the first place that has such a file. A directory of PATH that we
 * may not enter counts as one without it.
 */
static void look_at_name(struct look *look, const char *name, char **place)
{
	char **places = program_places(name);
	struct look first = { 0 };
	bool over = false;

	for (char **at = places; *at != NULL && !over; at++) {
		program_fault_free(&look->fault);
		look->error = 0;
		look->absent = false;
		look_at_file(look, *at);
		over = look->fault == NULL || !PROGRAM_LOOKS_ON(look->error);
		if (over && look->fault == NULL && place != NULL)
			*place = mem_strdup(*at);
		if (!over && first.fault == NULL && !look->absent) {
			first = *look;
			look->fault = NULL;
		}
	}
	if (over) {
		program_fault_free(&first.fault);
	} else if (first.fault != NULL) {
		program_fault_free(&look->fault);
		*look = first;
	} else if (strchr(name, '/') == NULL) {
		say_not_in_path(look, name);
	}
	mem_free_strings(places);
}

struct program_fault *program_look(const char *name, const char *cwd, char **place)
{
	struct look look = { .cwd = cwd };

	if (place != NULL)
		*place = NULL;
	look_at_name(&look, name, place);
	return look.fault;
}

char *program_why(const char *name, const char *cwd, int error)
{
	struct program_fault *fault = program_look(name, cwd, NULL);
	char *why = fault == NULL || fault->plain ? mem_strdup(strerror(error))
						  : mem_printf("%s (%s)", strerror(error), fault->words);

	program_fault_free(&fault);
	return why;
}
