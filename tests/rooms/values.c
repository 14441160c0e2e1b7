/*
 * The values of pm.state on their way to etcd and back: changes of runs (script/assignments.h), values as bytes
 * (script/packed.h), their keys (council/values.h), and who may change them (script/shared.h).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <lauxlib.h>

#include "base/mem.h"
#include "council/values.h"
#include "script/packed.h"
#include "script/shared.h"

#define MOST 10000

/* ---- changes of runs ---- */

static bool add(struct assignments *assignments, unsigned long run, const char *name, const char *bytes)
{
	return assignments_add(assignments, run,
			       assignment_new(name, strlen(name), bytes, bytes != NULL ? strlen(bytes) : 0), MOST);
}

/* The ready changes, which are taken: "a=1 b=1 c-", where c was removed. */
static void ready_is(struct assignments *assignments, const char *expected)
{
	struct list ready = { 0 };
	struct buf text = { 0 };

	assignments_take(assignments, &ready);
	for (size_t i = 0; i < ready.count; i++) {
		const struct assignment *one = ready.items[i];

		buf_addf(&text, "%s%s%s%s", i > 0 ? " " : "", one->name, one->bytes != NULL ? "=" : "-",
			 one->bytes != NULL ? one->bytes : "");
	}
	assert_string_equal(buf_text(&text), expected);
	buf_free(&text);
	assignment_free_all(&ready);
}

static void test_changes_by_run(void **state)
{
	struct assignments all = { 0 };

	(void)state;
	assert_true(add(&all, 1, "b", "1"));
	assert_true(add(&all, 2, "c", "2"));
	assert_true(add(&all, 1, "a", "1"));
	assert_true(add(&all, 1, "b", "3")); /* the later one replaces it */
	assert_true(add(&all, 1, "d", NULL));
	ready_is(&all, "");
	assignments_end(&all, 1);
	ready_is(&all, "a=1 b=3 d-");
	assignments_end(&all, 1);
	ready_is(&all, "");
	assignments_end(&all, 2);
	ready_is(&all, "c=2");
	assert_int_equal(all.bytes, 0);
	assignments_clear(&all);
}

static void test_changes_of_one_name(void **state)
{
	struct assignments all = { 0 };

	(void)state;
	assert_true(add(&all, 7, "n", "first"));
	assert_true(add(&all, 3, "n", "second"));
	assert_true(add(&all, 5, "n", "third"));
	assignments_end(&all, 3); /* it has replaced the change of 7, and 5 has replaced this one */
	ready_is(&all, "n=second");
	assignments_end(&all, 7);
	ready_is(&all, "");
	assignments_end(&all, 5);
	ready_is(&all, "n=third");
	assert_true(add(&all, 1, "n", "old"));
	assert_true(add(&all, 2, "n", NULL));
	assignments_end(&all, 1); /* both end before anybody takes: the order is that of the changes */
	assignments_end(&all, 2);
	ready_is(&all, "n=old n-");
	assert_int_equal(all.bytes, 0);
	assignments_clear(&all);
}

static void test_changes_have_a_limit(void **state)
{
	struct assignments all = { 0 };
	char big[MOST - ASSIGNMENT_BYTES] = { 0 };

	(void)state;
	memset(big, 'x', sizeof(big) - 1);
	assert_true(add(&all, 1, "n", big));
	assert_true(add(&all, 1, "n", big)); /* in its place */
	assert_false(add(&all, 2, "n", "1"));
	assert_false(add(&all, 1, "m", ""));
	assignments_end(&all, 1);
	assert_true(add(&all, 2, "n", "1"));
	assignments_clear(&all);
	assert_int_equal(all.bytes, 0);
}

/* What is stored at each end of a run is what the name had after that run's last change, if nothing newer is stored. */
static void test_changes_at_random(void **state)
{
	struct assignments all = { 0 };
	unsigned long last[4] = { 0 };   /* the order of the last change that is stored, by name */
	unsigned long own[8][4] = { 0 }; /* of the last change by each run, by name */
	unsigned seed = 1;

	(void)state;
	for (int round = 0; round < 20000; round++) {
		unsigned run = (unsigned)rand_r(&seed) % 8;
		unsigned name = (unsigned)rand_r(&seed) % 4;
		struct list ready = { 0 };

		if (rand_r(&seed) % 3 > 0) {
			char text[2] = { (char)('a' + name), '\0' };

			assert_true(add(&all, run, text, "v"));
			own[run][name] = all.order;
			continue;
		}
		assignments_end(&all, run);
		assignments_take(&all, &ready);
		for (name = 0; name < 4; name++) {
			unsigned long stored = 0;

			for (size_t i = 0; i < ready.count; i++) {
				const struct assignment *one = ready.items[i];

				if (one->name[0] == (char)('a' + name))
					stored = one->order;
			}
			assert_int_equal(stored, own[run][name] > last[name] ? own[run][name] : 0);
			last[name] = stored > 0 ? stored : last[name];
			own[run][name] = 0;
		}
		assignment_free_all(&ready);
	}
	assignments_clear(&all);
}

/* ---- values as bytes ---- */

/* Packs what the Lua code returns; the bytes are as expected, sound, and are the same after a way through Lua. */
static void packs(lua_State *L, const char *code, const char *expected, size_t len)
{
	struct buf out = { 0 };
	struct buf again = { 0 };

	assert_int_equal(luaL_dostring(L, code), LUA_OK);
	packed_add(L, &out, MOST);
	assert_int_equal(out.len, len);
	assert_memory_equal(buf_text(&out), expected, len);
	assert_true(packed_is_sound(out.data, out.len));
	packed_push(L, out.data, out.len);
	packed_add(L, &again, MOST);
	assert_int_equal(again.len, len);
	assert_memory_equal(buf_text(&again), expected, len);
	lua_settop(L, 0);
	buf_free(&out);
	buf_free(&again);
}

static void test_values_as_bytes(void **state)
{
	lua_State *L = luaL_newstate();

	(void)state;
	packs(L, "return false", "f", 1);
	packs(L, "return true", "t", 1);
	packs(L, "return -9223372036854775807 - 1", "i-9223372036854775808;", 22);
	packs(L, "return 1.5", "d0x1.8p+0;", 10);
	packs(L, "return 5e-324", "d0x0.0000000000001p-1022;", 25);
	packs(L, "return 1 / 0", "dinf;", 5);
	packs(L, "return ''", "s0:", 3);
	packs(L, "return 'a\\0;}'", "s4:a\0;}", 7);
	packs(L, "return {}", "{}", 2);
	packs(L, "return { 'x', { [2.5] = true } }", "{i1;s1:xi2;{d0x1.4p+1;t}}", 25);
	lua_pushlightuserdata(L, NULL);
	lua_setfield(L, LUA_REGISTRYINDEX, "null");
	packs(L, "return { { [{}] = 1 } }", "{i1;{{}i1;}}", 12);
	lua_close(L);
}

static void test_unsound_bytes(void **state)
{
	static const char *const unsound[] = {
		"", "x", "}", "{", "{}}", "tt", "i;", "i1", "i1x;", "i9223372036854775808;", "d;", "dx;", "d1", "s", "s:", "s1:", "s2:a",
		"s-1:", "s1x:a", "s99999999999999999999:a", "{t}", "{ti1;t}", "{dnan;t}", "{tt", "i111111111111111111111111111111111111111111;",
	};
	struct buf deep = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(unsound) / sizeof(unsound[0]); i++) {
		if (packed_is_sound(unsound[i], strlen(unsound[i])))
			fail_msg("%s is sound", unsound[i]);
	}
	for (int i = 0; i < 100000; i++)
		buf_add_str(&deep, "{t");
	assert_false(packed_is_sound(deep.data, deep.len));
	buf_free(&deep);
	assert_true(packed_is_sound("{{dnan;t}dnan;}", 15) == false);
	assert_true(packed_is_sound("{tdnan;}", 8));
	assert_true(packed_is_sound("{00}", 4)); /* pm.json.null is a key in Lua, too */
}

/* Bytes that are changed at random are either unsound, or a value that Lua can have. Under ASan nothing is read beyond. */
static void test_damaged_bytes(void **state)
{
	static const char whole[] = "{i1;s5:helloi2;{d0x1.8p+0;t}s3:keyi-12;f{}}";
	lua_State *L = luaL_newstate();
	unsigned seed = 2;
	size_t sound = 0;

	(void)state;
	for (int round = 0; round < 50000; round++) {
		size_t len = sizeof(whole) - 1 - (size_t)rand_r(&seed) % 3;
		char *bytes = mem_alloc(len); /* of this length: no terminator */

		memcpy(bytes, whole, len);
		for (int i = rand_r(&seed) % 4; i > 0; i--)
			bytes[(size_t)rand_r(&seed) % len] = whole[(size_t)rand_r(&seed) % (sizeof(whole) - 1)];
		if (packed_is_sound(bytes, len)) {
			packed_push(L, bytes, len);
			lua_settop(L, 0);
			sound++;
		}
		free(bytes);
	}
	assert_true(sound > 100);
	lua_close(L);
}

/* ---- keys ---- */

static void key_is(const char *name, size_t len, const char *expected)
{
	struct assignment *value = assignment_new(name, len, "t", 1);
	struct commit *commit = commit_new(1, NULL);
	struct assignment *read;

	values_put(commit, value);
	assert_string_equal(((struct commit_put *)commit->puts.items[0])->key, expected);
	read = values_read(expected, "t", 1);
	assert_non_null(read);
	assert_int_equal(read->name_len, len);
	assert_memory_equal(read->name, name, len);
	assignment_free(&read);
	assignment_free(&value);
	commit_free(&commit);
}

static void test_keys(void **state)
{
	static const char *const none[] = { "pm.state/%", "pm.state/%4", "pm.state/%zz", "pm.state/a%1", "state/a", "" };

	(void)state;
	key_is("seen", 4, "pm.state/seen");
	key_is("", 0, "pm.state/");
	key_is("A-z_0.9", 7, "pm.state/A-z_0.9");
	key_is("a b/%\0\xff", 7, "pm.state/a%20b%2F%25%00%FF");
	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++)
		assert_null(values_read(none[i], "t", 1));
	assert_null(values_read("pm.state/a", "", 0));
}

/* ---- who may change them ---- */

static enum shared_result set(struct shared *shared, const struct job *job, const char *bytes)
{
	return shared_set(shared, job, "n", 1, mem_strdup(bytes), bytes != NULL ? strlen(bytes) : 0);
}

static void value_is(struct shared *shared, const char *expected)
{
	size_t len;
	char *bytes = shared_get(shared, "n", 1, &len);

	if (expected == NULL)
		assert_null(bytes);
	else
		assert_string_equal(bytes, expected);
	free(bytes);
}

static void test_who_may_change(void **state)
{
	struct shared *shared = shared_new();
	struct job *job = job_new_code(1, "s", "=c", "", 1000);
	struct list values = { 0 };

	(void)state;
	assert_int_equal(set(shared, NULL, "f"), SHARED_LOADS);
	assert_int_equal(set(shared, job, "t"), SHARED_DONE);
	assert_false(shared_end_job(shared, job, false));
	assert_int_equal(set(shared, job, "t"), SHARED_DONE); /* of one monitor nothing is kept, and nothing refused */
	job_unref(&job);
	job = job_new_code(2, "s", "=c", "", 1000);
	shared_track(shared);
	assert_int_equal(set(shared, job, "f"), SHARED_SHUT);
	value_is(shared, "t");
	shared_open(shared, &values);
	value_is(shared, NULL);
	assert_int_equal(set(shared, NULL, "f"), SHARED_LOADS);
	assert_int_equal(set(shared, job, "f"), SHARED_DONE);
	assert_int_equal(set(shared, job, NULL), SHARED_DONE);
	assert_int_equal(set(shared, job, "i1;"), SHARED_DONE);
	assert_true(shared_end_job(shared, job, false));
	assert_int_equal(set(shared, job, "f"), SHARED_OVER);
	shared_take(shared, &values);
	assert_int_equal(values.count, 1);
	assert_false(shared_has_assignments(shared));
	shared_shut(shared);
	value_is(shared, "i1;");
	shared_open(shared, NULL);
	value_is(shared, "i1;");
	assignment_free_all(&values);
	job_unref(&job);
	shared_free(&shared);
}

static enum shared_result set_named(struct shared *shared, const struct job *job, const char *name, const char *bytes)
{
	return shared_set(shared, job, name, strlen(name), mem_strdup(bytes), bytes != NULL ? strlen(bytes) : 0);
}

/* The changes that are ready, or (`stored` given) all values beside what is stored. */
static void gives(struct shared *shared, const struct list *stored, const char *expected)
{
	struct list out = { 0 };
	struct buf text = { 0 };

	if (stored != NULL)
		shared_copy(shared, stored, &out);
	else
		shared_take(shared, &out);
	for (size_t i = 0; i < out.count; i++) {
		const struct assignment *one = out.items[i];

		buf_addf(&text, "%s%s%s", i > 0 ? " " : "", one->name, one->bytes != NULL ? one->bytes : "-");
	}
	assert_string_equal(buf_text(&text), expected);
	buf_free(&text);
	assignment_free_all(&out);
}

/* What runs under way have changed is left to their ends, also where all values are written. */
static void test_runs_under_way(void **state)
{
	struct shared *shared = shared_new();
	struct job *first = job_new_code(1, "s", "=c", "", 1000);
	struct job *second = job_new_code(2, "s", "=c", "", 1000);
	struct list stored = { 0 };

	(void)state;
	shared_track(shared);
	list_add(&stored, assignment_new("a", 1, "f", 1));
	list_add(&stored, assignment_new("b", 1, "f", 1));
	list_add(&stored, assignment_new("c", 1, "f", 1));
	shared_open(shared, &stored);
	assert_int_equal(set_named(shared, first, "a", "t"), SHARED_DONE);
	assert_int_equal(set_named(shared, first, "b", NULL), SHARED_DONE);
	assert_int_equal(set_named(shared, second, "b", NULL), SHARED_DONE); /* etcd has it still */
	assert_int_equal(set_named(shared, second, "c", NULL), SHARED_DONE);
	assert_int_equal(set_named(shared, second, "nothing", NULL), SHARED_DONE);
	gives(shared, &stored, "");
	assert_true(shared_end_job(shared, second, true));
	gives(shared, NULL, "b- c-");
	gives(shared, &stored, "b- c-"); /* but for a */
	shared_leave(shared);
	assert_false(shared_end_job(shared, first, true)); /* it runs again elsewhere */
	gives(shared, NULL, "");
	assignment_free_all(&stored);
	job_unref(&first);
	job_unref(&second);
	shared_free(&shared);
}

static void test_bounds_with_several(void **state)
{
	struct shared *shared = shared_new();
	struct job *job = job_new_code(1, "s", "=c", "", 1000);
	char name[STORE_NAME_BYTES + 2] = { 0 };

	(void)state;
	shared_track(shared);
	shared_open(shared, NULL);
	memset(name, 'n', STORE_NAME_BYTES);
	assert_int_equal(set_named(shared, job, name, "t"), SHARED_DONE);
	name[STORE_NAME_BYTES] = 'n';
	assert_int_equal(set_named(shared, job, name, "t"), SHARED_LONG);
	for (size_t i = 1; i < STORE_VALUES; i++) {
		(void)snprintf(name, sizeof(name), "%zu", i);
		assert_int_equal(set_named(shared, job, name, "t"), SHARED_DONE);
		if (i % 1000 == 0) { /* else its changes would be too many */
			(void)shared_end_job(shared, job, false);
			job_unref(&job);
			job = job_new_code(i, "s", "=c", "", 1000);
		}
	}
	assert_int_equal(set_named(shared, job, "more", "t"), SHARED_MANY);
	assert_int_equal(set_named(shared, job, "1", "f"), SHARED_DONE);
	assert_int_equal(set_named(shared, job, "1", NULL), SHARED_DONE);
	assert_int_equal(set_named(shared, job, "more", "t"), SHARED_DONE);
	job_unref(&job);
	shared_free(&shared);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_changes_by_run),
		cmocka_unit_test(test_changes_of_one_name),
		cmocka_unit_test(test_changes_have_a_limit),
		cmocka_unit_test(test_changes_at_random),
		cmocka_unit_test(test_values_as_bytes),
		cmocka_unit_test(test_unsound_bytes),
		cmocka_unit_test(test_damaged_bytes),
		cmocka_unit_test(test_keys),
		cmocka_unit_test(test_who_may_change),
		cmocka_unit_test(test_runs_under_way),
		cmocka_unit_test(test_bounds_with_several),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
