#include "records/saved_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "records/saved_json.h"
#include "records/silence_json.h"

static void read_nodes(const json_t *list, struct saved_cluster *cluster, struct saved_damage *damage)
{
	const json_t *item;
	size_t i;

	cluster->nodes = mem_zalloc(json_array_size(list), sizeof(*cluster->nodes));
	json_array_foreach(list, i, item) {
		cluster->node_count += saved_json_node(item, true, &cluster->nodes[cluster->node_count], damage);
	}
}

static void read_cluster(struct saved *saved, const json_t *from, struct saved_damage *damage)
{
	struct saved_cluster *cluster = &saved->clusters[saved->cluster_count];

	if (!saved_json_cluster(from, true, cluster, damage))
		return;
	read_nodes(json_object_get(from, "nodes"), cluster, damage);
	saved->cluster_count++;
}

static void read_silences(struct saved *saved, const json_t *list, struct saved_damage *damage)
{
	const char *wrong;
	size_t left_out = silence_json_read_all(list, &saved->silences, &wrong);

	for (; left_out > 0; left_out--)
		saved_json_damage(damage, wrong);
}

/* Sets `*wrong` if the file as a whole is damaged. Parts that are damaged are left out, and counted in `damage`. */
static struct saved *read_all(const json_t *root, struct saved_damage *damage, const char **wrong)
{
	struct saved *saved = mem_zalloc(1, sizeof(*saved));
	const json_t *clusters = json_object_get(root, "clusters");
	const json_t *item;
	size_t i;

	if (!json_is_array(clusters))
		*wrong = "clusters";
	if (!saved_json_counts(root, saved, damage))
		*wrong = "version";
	saved->clusters = mem_zalloc(json_array_size(clusters), sizeof(*saved->clusters));
	json_array_foreach(clusters, i, item) {
		read_cluster(saved, item, damage);
	}
	read_silences(saved, json_object_get(root, "silences"), damage);
	return saved;
}

static void set_aside(const char *path, char **why, const char *wrong)
{
	char *aside = mem_printf("%s.damaged", path);

	if (rename(path, aside) == 0)
		*why = mem_printf("state file %s is damaged (%s) and was renamed to %s: starting"
				  " without it", path, wrong, aside);
	else
		*why = mem_printf("state file %s is damaged (%s) and cannot be renamed: %s; starting"
				  " without it", path, wrong, strerror(errno));
	free(aside);
}

/* Keeps the file under another name for people to look at, as it is replaced soon; says that parts were left out. */
static char *say_left_out(const char *path, const struct saved_damage *damage)
{
	char *aside = mem_printf("%s.damaged", path);
	char *text;

	(void)unlink(aside);
	text = mem_printf("state file %s is damaged (%s): %zu parts of it, nodes, clusters or silences, are left out;"
			  " %s%s", path, damage->first, damage->count,
			  link(path, aside) == 0 ? "the damaged file is kept as " : "it cannot be kept as ", aside);
	free(aside);
	return text;
}

/* Opens a regular file; never waits, also when there is a fifo or a device. NULL: errno says why. */
static FILE *open_file(const char *path)
{
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	struct stat st;

	if (fd < 0)
		return NULL;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
		return fdopen(fd, "r");
	close(fd);
	errno = EINVAL;
	return NULL;
}

struct saved *saved_file_read(const char *path, char **why)
{
	struct saved_damage damage = { 0 };
	const char *wrong = NULL;
	struct saved *saved = NULL;
	json_error_t error;
	json_t *root;
	FILE *file = open_file(path);

	*why = NULL;
	if (file == NULL) {
		if (errno != ENOENT)
			*why = mem_printf("cannot read state file %s: %s; starting without it", path,
					  strerror(errno));
		return NULL;
	}
	root = json_loadf(file, JSON_REJECT_DUPLICATES, &error);
	(void)fclose(file);
	if (json_is_object(root))
		saved = read_all(root, &damage, &wrong);
	else
		wrong = root == NULL ? error.text : "no object";
	if (wrong != NULL) {
		set_aside(path, why, wrong);
		saved_free(&saved);
	} else if (damage.count > 0) {
		*why = say_left_out(path, &damage);
	}
	json_decref(root);
	return saved;
}
