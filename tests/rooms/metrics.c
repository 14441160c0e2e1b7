/*
 * /metrics (window/metrics.h) of fleets that are made up: what Prometheus' own tool does not find. Samples of a family
 * stand together, none is there twice, a node has eight at most and keeps them when it is lost, names are escaped.
 *
 * usage: metrics [FILE]   the text of a fleet with odd names goes into FILE as well, for promtool
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <cmocka.h>

#include <unistd.h>

#include "support/kit.h"
#include "system/descriptors.h"
#include "window/metrics.h"

#define SERIES_A_NODE 8
#define PART 512
#define MANY 5000
#define FEW 500
#define TIMES_MORE 3 /* that a node of MANY may cost of what one of FEW does */

static const char *const odd[] = { "db1", "db\"2\\n", "db3\nhas two lines", "d\xc3\xa4nisch", "not \xff utf-8", "" };

#define ODD (sizeof(odd) / sizeof(odd[0]))

static struct {
	struct config *config;
	struct fleet *fleet;
	struct board *board;
	struct pane *pane;
	struct meters meters;
	struct moment now;
	char **ids;
	size_t count;
	const char *file;
} at;

/* So many nodes, in clusters of three; with names of their own where they are few. */
static void make_fleet(size_t count)
{
	at.count = count;
	at.ids = mem_zalloc(count, sizeof(char *));
	for (size_t i = 0; i < count; i++)
		at.ids[i] = mem_printf("host%zu.example.com", i);
	at.config = kit_config((const char *const *)at.ids, count);
	for (size_t i = 0; i < ODD && i < count; i++) {
		free(at.config->nodes[i].name);
		at.config->nodes[i].name = mem_strdup(odd[i]);
	}
	at.now = kit_moment(1000000, KIT_BASE_MS);
	at.fleet = fleet_new(at.config, &at.now);
	for (size_t i = 0; i + 1 < count; i++) { /* the last one is clusterless */
		int id = (int)(i / 3);
		struct cluster *cluster = fleet_find_cluster(at.fleet, id);

		if (cluster == NULL)
			cluster = fleet_add_cluster(at.fleet, id);
		fleet_move(at.fleet->nodes[i], cluster, i % 3 == 0 ? PLACE_MASTER : i % 3 == 1 ? PLACE_SLAVE : PLACE_LOST,
			   &at.now);
	}
	meters_init(&at.meters);
	at.board = board_new();
	board_update(&at.board, at.fleet);
	at.pane = pane_new(at.board);
}

static void drop_fleet(void)
{
	pane_unref(&at.pane);
	board_unref(&at.board);
	fleet_free(&at.fleet);
	config_unref(&at.config);
	for (size_t i = 0; i < at.count; i++)
		free(at.ids[i]);
	free(at.ids);
}

static int set_up(void **state)
{
	(void)state;
	make_fleet(16);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	drop_fleet();
	return 0;
}

/* As the fleet is now. In parts of so many bytes; how many there were. */
static size_t render(struct buf *out, size_t part)
{
	struct metrics_reader reader;
	size_t parts = 1;

	board_update(&at.board, at.fleet);
	pane_unref(&at.pane);
	at.pane = pane_new(at.board);
	metrics_begin(&reader, at.pane, &at.meters, at.now.steady_ms);
	while (metrics_read(&reader, out, part))
		parts++;
	assert_false(metrics_read(&reader, out, part));
	metrics_end(&reader);
	return parts;
}

static size_t count_of(const char *text, const char *what)
{
	size_t count = 0;

	for (; (text = strstr(text, what)) != NULL; text += strlen(what))
		count++;
	return count;
}

static void assert_has(const struct buf *text, const char *line)
{
	char *whole = mem_printf("\n%s\n", line);

	if (strstr(buf_text(text), whole) == NULL)
		fail_msg("not there: %s", line);
	free(whole);
}

static int compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The lines of a text, which is changed for it. */
static struct list lines_of(char *text)
{
	struct list lines = { 0 };
	char *rest = text;

	while (*rest != '\0') {
		list_add(&lines, strsep(&rest, "\n"));
		assert_non_null(rest); /* each line ends */
	}
	return lines;
}

/* Of a sample without its value; of another line "". */
static void cut_value(char *line)
{
	char *space = strrchr(line, ' ');

	if (line[0] == '#' || space == NULL)
		line[0] = '\0';
	else
		*space = '\0';
}

static void test_no_series_is_there_twice(void **state)
{
	struct buf text = { 0 };
	struct list lines;

	(void)state;
	(void)render(&text, PART);
	lines = lines_of(text.data);
	for (size_t i = 0; i < lines.count; i++)
		cut_value(lines.items[i]);
	qsort(lines.items, lines.count, sizeof(void *), compare);
	for (size_t i = 1; i < lines.count; i++) {
		if (((char *)lines.items[i])[0] != '\0')
			assert_string_not_equal(lines.items[i], lines.items[i - 1]);
	}
	list_free(&lines);
	buf_free(&text);
}

/* Whether the sample is of that family: its name begins with the family's, and has only the end of a histogram's more. */
static bool is_of(const char *line, const char *family)
{
	static const char *const ends[] = { "{", " ", "_bucket{", "_sum{", "_sum ", "_count{", "_count " };
	size_t len = strlen(family);

	if (strncmp(line, family, len) != 0)
		return false;
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		if (strncmp(line + len, ends[i], strlen(ends[i])) == 0)
			return true;
	}
	return false;
}

static void test_a_family_stands_together_behind_its_head(void **state)
{
	struct buf text = { 0 };
	struct list lines;
	struct list heads = { 0 };
	char family[128] = "";

	(void)state;
	(void)render(&text, PART);
	lines = lines_of(text.data);
	for (size_t i = 0; i < lines.count; i++) {
		const char *line = lines.items[i];

		if (strncmp(line, "# HELP ", 7) == 0) {
			assert_int_equal(sscanf(line, "# HELP %127s", family), 1);
			for (size_t k = 0; k < heads.count; k++)
				assert_string_not_equal(heads.items[k], family);
			list_add(&heads, mem_strdup(family));
			assert_true(++i < lines.count && strncmp(lines.items[i], "# TYPE ", 7) == 0);
		} else if (!is_of(line, family)) {
			fail_msg("'%s' stands in %s", line, family);
		}
	}
	assert_true(heads.count > 30);
	for (size_t i = 0; i < heads.count; i++)
		free(heads.items[i]);
	list_free(&heads);
	list_free(&lines);
	buf_free(&text);
}

static void test_each_node_has_eight_series_wherever_it_is(void **state)
{
	struct buf text = { 0 };

	(void)state;
	(void)render(&text, PART);
	for (size_t i = 0; i < at.count; i++) {
		char *label = mem_printf("{node=\"host%zu.example.com:5432\",name=\"", i);

		assert_int_equal(count_of(buf_text(&text), label), SERIES_A_NODE);
		free(label);
	}
	buf_free(&text);
}

static void test_names_are_escaped(void **state)
{
	struct buf text = { 0 };

	(void)state;
	(void)render(&text, PART);
	assert_has(&text, "plusmoin_node_up{node=\"host1.example.com:5432\",name=\"db\\\"2\\\\n\"} 0");
	assert_has(&text, "plusmoin_node_up{node=\"host2.example.com:5432\",name=\"db3\\nhas two lines\"} 0");
	assert_has(&text, "plusmoin_node_up{node=\"host3.example.com:5432\",name=\"d\xc3\xa4nisch\"} 0");
	assert_has(&text, "plusmoin_node_up{node=\"host4.example.com:5432\",name=\"not \xef\xbf\xbd utf-8\"} 0");
	assert_has(&text, "plusmoin_node_up{node=\"host5.example.com:5432\",name=\"\"} 0");
	if (at.file != NULL) {
		FILE *file = fopen(at.file, "we");

		assert_non_null(file);
		assert_int_equal(fwrite(text.data, 1, text.len, file), text.len);
		assert_int_equal(fclose(file), 0);
	}
	buf_free(&text);
}

static void test_parts_make_the_same_whole(void **state)
{
	struct buf whole = { 0 };
	struct buf parts = { 0 };

	(void)state;
	assert_int_equal(render(&whole, SIZE_MAX / 2), 1);
	assert_true(render(&parts, 1) > at.count);
	assert_string_equal(parts.data, whole.data);
	buf_free(&whole);
	buf_free(&parts);
}

static void observe(size_t node, const struct observation *seen)
{
	node_observe(at.fleet, at.fleet->nodes[node], seen, &at.now);
}

static void test_what_is_seen_of_nodes_is_shown(void **state)
{
	struct buf text = { 0 };
	struct observation master = kit_master();
	struct observation failure = kit_failure(REASON_REFUSED, false);

	(void)state;
	observe(0, &master);
	at.now.steady_ms += 2500;
	observe(0, &failure);
	(void)render(&text, PART);
	assert_has(&text, "plusmoin_node_up{node=\"host0.example.com:5432\",name=\"db1\"} 0");
	assert_has(&text, "plusmoin_node_place{node=\"host0.example.com:5432\",name=\"db1\",place=\"master\"} 1");
	assert_has(&text, "plusmoin_node_place{node=\"host0.example.com:5432\",name=\"db1\",place=\"lost\"} 0");
	assert_has(&text, "plusmoin_node_condition{node=\"host0.example.com:5432\",name=\"db1\"} 1");
	assert_has(&text, "plusmoin_node_lag_seconds{node=\"host0.example.com:5432\",name=\"db1\"} NaN");
	assert_has(&text, "plusmoin_node_last_answer_age_seconds{node=\"host0.example.com:5432\",name=\"db1\"} 2.5");
	assert_has(&text, "plusmoin_node_last_answer_age_seconds{node=\"host5.example.com:5432\",name=\"\"} NaN");
	assert_has(&text, "plusmoin_cluster_has_master{cluster=\"0\"} 1");
	assert_has(&text, "plusmoin_cluster_lost{cluster=\"4\"} 1");
	assert_has(&text, "plusmoin_nodes 16");
	buf_clear(&text);
	observe(0, &master);
	fleet_move(at.fleet->nodes[0], at.fleet->nodes[0]->cluster, PLACE_LOST, &at.now);
	(void)render(&text, PART);
	assert_has(&text, "plusmoin_node_place{node=\"host0.example.com:5432\",name=\"db1\",place=\"lost\"} 1");
	assert_has(&text, "plusmoin_cluster_has_master{cluster=\"0\"} 0");
	buf_free(&text);
}

static void test_what_is_measured_is_shown(void **state)
{
	struct cluster_meter *meter = at.fleet->nodes[4]->cluster->meter;
	struct buf text = { 0 };

	(void)state;
	histogram_add(&at.meters.detection, 20000);
	histogram_add(&at.meters.detection, 70000000);
	histogram_add(&meter->observation, 1500);
	counter_add(&meter->rounds, 7);
	counter_add(&meter->failures[FAILURE_TIMEOUT], 2);
	counter_add(&at.meters.failures[REASON_DNS], 5);
	counter_add(&at.meters.runs_failed, 3);
	gauge_set(&at.meters.queue_length, 9);
	gauge_set(&at.meters.queued_ms, at.now.steady_ms - 61500);
	gauge_set(&at.meters.turned_ms, at.now.steady_ms - 150);
	gauge_set(&at.meters.load_failed, 1);
	gauge_set(&at.meters.loaded_ms, KIT_BASE_MS + 1);
	(void)render(&text, PART);
	assert_has(&text, "plusmoin_detection_seconds_bucket{le=\"0.01\"} 0");
	assert_has(&text, "plusmoin_detection_seconds_bucket{le=\"0.025\"} 1");
	assert_has(&text, "plusmoin_detection_seconds_bucket{le=\"60\"} 1");
	assert_has(&text, "plusmoin_detection_seconds_bucket{le=\"+Inf\"} 2");
	assert_has(&text, "plusmoin_detection_seconds_sum 70.02");
	assert_has(&text, "plusmoin_detection_seconds_count 2");
	assert_has(&text, "plusmoin_cluster_observation_seconds_bucket{cluster=\"1\",le=\"0.001\"} 0");
	assert_has(&text, "plusmoin_cluster_observation_seconds_bucket{cluster=\"1\",le=\"0.01\"} 1");
	assert_has(&text, "plusmoin_cluster_observation_seconds_sum{cluster=\"1\"} 0.0015");
	assert_has(&text, "plusmoin_cluster_rounds_total{cluster=\"1\"} 7");
	assert_has(&text, "plusmoin_cluster_failures_total{cluster=\"1\",class=\"timeout\"} 2");
	assert_has(&text, "plusmoin_failures_total{reason=\"dns\"} 5");
	assert_has(&text, "plusmoin_trigger_runs_total{outcome=\"failed\"} 3");
	assert_has(&text, "plusmoin_queue_length 9");
	assert_has(&text, "plusmoin_queue_oldest_seconds 61.5");
	assert_has(&text, "plusmoin_loop_silence_seconds 0.15");
	assert_has(&text, "plusmoin_config_last_load_successful 0");
	assert_has(&text, "plusmoin_config_loaded_timestamp_seconds 1700000000.001");
	assert_int_equal(count_of(buf_text(&text), "plusmoin_failures_total{reason="), REASONS - 3);
	buf_free(&text);
}

/* The numbers that HELP gives are those of the conditions. */
static void test_help_names_the_conditions(void **state)
{
	struct buf text = { 0 };

	(void)state;
	(void)render(&text, PART);
	for (int condition = CONDITION_WELL; condition <= CONDITION_UNKNOWN; condition++) {
		char *words = mem_printf("%d %s", condition, condition_name((enum condition)condition));
		const char *help = strstr(text.data, "# HELP plusmoin_node_condition");

		assert_non_null(help);
		assert_true(strstr(help, words) != NULL && strstr(help, words) < strchr(help, '\n'));
		free(words);
	}
	buf_free(&text);
}

/* Also when there is none left to count them with. */
static void test_descriptors_are_counted(void **state)
{
	size_t before = descriptors_used();
	struct rlimit limit;
	struct rlimit low;
	int fds[3];

	(void)state;
	for (size_t i = 0; i < 3; i++)
		assert_true((fds[i] = dup(STDIN_FILENO)) >= 0);
	assert_int_equal(descriptors_used(), before + 3);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	low = limit;
	low.rlim_cur = (rlim_t)fds[2] + 1;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
	assert_int_equal(descriptors_used(), fds[2] + 1);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(close(fds[i]), 0);
	assert_int_equal(descriptors_used(), before);
}

static double cpu_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
	return (double)ts.tv_sec * 1e3 + (double)ts.tv_nsec / 1e6;
}

/* The least of some times, ms for all; the longest part. */
static double cost_of(size_t count, double *longest_ms, size_t *bytes)
{
	double least_ms = 1e9;

	make_fleet(count);
	for (int i = 0; i < 5; i++) {
		struct metrics_reader reader;
		struct buf text = { 0 };
		double begin_ms = cpu_ms();
		double part_ms = 0;
		bool more = true;

		*bytes = 0;
		metrics_begin(&reader, at.pane, &at.meters, at.now.steady_ms);
		while (more) {
			double began_ms = cpu_ms();

			more = metrics_read(&reader, &text, 65536);
			part_ms = cpu_ms() - began_ms > part_ms ? cpu_ms() - began_ms : part_ms;
			*bytes += text.len;
			buf_clear(&text);
		}
		metrics_end(&reader);
		if (cpu_ms() - begin_ms < least_ms) {
			least_ms = cpu_ms() - begin_ms;
			*longest_ms = part_ms;
		}
		buf_free(&text);
	}
	drop_fleet();
	return least_ms;
}

static void test_many_nodes_cost_as_many_times_one(void **state)
{
	double longest_ms;
	size_t bytes;
	double few_ms = cost_of(FEW, &longest_ms, &bytes);
	double many_ms = cost_of(MANY, &longest_ms, &bytes);

	(void)state;
	printf("%d nodes: %.1f ms; %d: %.1f ms, %zu bytes, no part of 64 KiB longer than %.2f ms\n", FEW, few_ms, MANY,
	       many_ms, bytes, longest_ms);
	assert_true(many_ms / MANY < few_ms / FEW * TIMES_MORE);
}

#define staged(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		staged(test_no_series_is_there_twice),
		staged(test_a_family_stands_together_behind_its_head),
		staged(test_each_node_has_eight_series_wherever_it_is),
		staged(test_names_are_escaped),
		staged(test_parts_make_the_same_whole),
		staged(test_what_is_seen_of_nodes_is_shown),
		staged(test_what_is_measured_is_shown),
		staged(test_help_names_the_conditions),
		cmocka_unit_test(test_descriptors_are_counted),
		cmocka_unit_test(test_many_nodes_cost_as_many_times_one),
	};

	at.file = argc > 1 ? argv[1] : NULL;
	return cmocka_run_group_tests_name("metrics", tests, NULL, NULL);
}
