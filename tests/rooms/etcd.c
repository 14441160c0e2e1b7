/* What of src/etcd needs no etcd: base64, the JSON of requests, what answers and the lines of a watch say. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "etcd/answer.h"
#include "etcd/base64.h"
#include "etcd/body.h"
#include "etcd/notice.h"

static void test_base64_both_ways(void **state)
{
	static const char *const pairs[][2] = { { "", "" }, { "f", "Zg==" }, { "fo", "Zm8=" }, { "foo", "Zm9v" },
						{ "foob", "Zm9vYg==" }, { "fooba", "Zm9vYmE=" }, { "foobar", "Zm9vYmFy" },
						{ "\xFB\xFF\xBF", "+/+/" } };

	(void)state;
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		struct buf out = { 0 };

		base64_add(&out, pairs[i][0], strlen(pairs[i][0]));
		assert_string_equal(buf_text(&out), pairs[i][1]);
		buf_clear(&out);
		assert_true(base64_read(&out, pairs[i][1], strlen(pairs[i][1])));
		assert_string_equal(buf_text(&out), pairs[i][0]);
		buf_free(&out);
	}
}

static void test_base64_of_all_bytes(void **state)
{
	char bytes[256];
	struct buf text = { 0 };
	struct buf again = { 0 };

	(void)state;
	for (int i = 0; i < 256; i++)
		bytes[i] = (char)i;
	for (size_t len = 0; len <= sizeof(bytes); len++) {
		buf_clear(&text);
		buf_clear(&again);
		base64_add(&text, bytes, len);
		assert_true(base64_read(&again, text.data, text.len));
		assert_int_equal(again.len, len);
		assert_memory_equal(again.data, bytes, len);
	}
	buf_free(&text);
	buf_free(&again);
}

static void test_base64_refuses(void **state)
{
	static const char *const wrong[] = { "Z", "Zg", "Zg=", "Zg===", "Z===", "====", "Zm9=v", "Zm9v=", "-_-_", "Zm 9",
					     "Zh==", "Zm9=Zm9v", "Zg==Zg==" };
	struct buf out = { 0 };

	(void)state;
	buf_add_str(&out, "kept");
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		assert_false(base64_read(&out, wrong[i], strlen(wrong[i])));
		assert_string_equal(buf_text(&out), "kept");
	}
	buf_free(&out);
}

/* Frees the body. */
static void expect_json(struct body *body, const char *path, const char *expected)
{
	size_t len;
	char *json = body_json(body, &len);

	assert_string_equal(json, expected);
	assert_int_equal(len, strlen(expected));
	assert_string_equal(body_path(body->kind), path);
	free(json);
	body_free(body);
}

static void test_bodies(void **state)
{
	struct body body;

	(void)state;
	body_range(&body, &(struct body_range){ .key = "/a" });
	expect_json(&body, "/v3/kv/range", "{\"key\":\"L2E=\"}");
	body_range(&body, &(struct body_range){ .key = "/a", .prefix = true, .serializable = true, .keys_only = true,
						.limit = 5, .revision = INT64_MAX });
	expect_json(&body, "/v3/kv/range", "{\"key\":\"L2E=\",\"range_end\":\"L2I=\",\"serializable\":true,"
					   "\"keys_only\":true,\"limit\":\"5\",\"revision\":\"9223372036854775807\"}");
	body_grant(&body, 5);
	expect_json(&body, "/v3/lease/grant", "{\"TTL\":\"5\"}");
	body_renew(&body, 7587852);
	expect_json(&body, "/v3/lease/keepalive", "{\"ID\":\"7587852\"}");
	body_revoke(&body, 1);
	expect_json(&body, "/v3/lease/revoke", "{\"ID\":\"1\"}");
	body_time_to_live(&body, 1);
	expect_json(&body, "/v3/lease/timetolive", "{\"ID\":\"1\"}");
	body_watch(&body, "/a", 7);
	expect_json(&body, "/v3/watch",
		    "{\"create_request\":{\"key\":\"L2E=\",\"range_end\":\"L2I=\",\"start_revision\":\"7\"}}");
	body_authenticate(&body, "pm", "a \"b\"\n");
	expect_json(&body, "/v3/auth/authenticate", "{\"name\":\"pm\",\"password\":\"a \\\"b\\\"\\n\"}");
	body_status(&body);
	expect_json(&body, "/v3/maintenance/status", "{}");
}

static void test_prefixes(void **state)
{
	struct body body;

	(void)state;
	body_range(&body, &(struct body_range){ .key = "", .prefix = true });
	expect_json(&body, "/v3/kv/range", "{\"key\":\"AA==\",\"range_end\":\"AA==\"}"); /* all keys */
	body_range(&body, &(struct body_range){ .key = "a\xFF\xFF", .prefix = true });
	expect_json(&body, "/v3/kv/range", "{\"key\":\"Yf//\",\"range_end\":\"Yg==\"}");
	body_range(&body, &(struct body_range){ .key = "a", .prefix = true, .after = "ab" });
	expect_json(&body, "/v3/kv/range", "{\"key\":\"YWIA\",\"range_end\":\"Yg==\"}");
	body_range(&body, &(struct body_range){ .key = "\xFF", .prefix = true });
	expect_json(&body, "/v3/kv/range", "{\"key\":\"/w==\",\"range_end\":\"AA==\"}");
}

static void test_transaction(void **state)
{
	struct body body;

	(void)state;
	body_txn(&body);
	assert_int_equal(body_operations(&body), 0);
	body_compare(&body, "/a", BODY_CREATE_REVISION, BODY_EQUAL, 0);
	body_compare(&body, "/b", BODY_MOD_REVISION, BODY_NOT_EQUAL, 5);
	body_put(&body, BODY_SUCCESS, "/a", "x\0y", 3, 9);
	body_put(&body, BODY_SUCCESS, "/b", "", 0, 0);
	body_delete(&body, BODY_SUCCESS, "/c", true);
	body_get(&body, BODY_FAILURE, "/a", false);
	assert_int_equal(body_operations(&body), 3);
	assert_true(body.bytes > 6 * 2 + 3);
	expect_json(&body, "/v3/kv/txn",
		    "{\"compare\":[{\"target\":\"CREATE\",\"result\":\"EQUAL\",\"key\":\"L2E=\",\"create_revision\":\"0\"},"
		    "{\"target\":\"MOD\",\"result\":\"NOT_EQUAL\",\"key\":\"L2I=\",\"mod_revision\":\"5\"}],"
		    "\"success\":[{\"request_put\":{\"key\":\"L2E=\",\"value\":\"eAB5\",\"lease\":\"9\"}},"
		    "{\"request_put\":{\"key\":\"L2I=\",\"value\":\"\"}},"
		    "{\"request_delete_range\":{\"key\":\"L2M=\",\"range_end\":\"L2Q=\"}}],"
		    "\"failure\":[{\"request_range\":{\"key\":\"L2E=\"}}]}");
	body_txn(&body);
	expect_json(&body, "/v3/kv/txn", "{\"compare\":[],\"success\":[],\"failure\":[]}");
}

#define HEADER "\"header\":{\"cluster_id\":\"18446744073709551615\",\"member_id\":\"2\",\"revision\":\"7\",\"raft_term\":\"3\"}"

static struct answer read_text(enum body_kind kind, long status, const char *text)
{
	struct answer answer = { 0 };

	answer_read(&answer, kind, status, text, strlen(text));
	return answer;
}

struct expected {
	enum body_kind kind;
	long status;
	const char *text;
	enum etcd_outcome outcome;
	enum etcd_reason reason;
};

/* As etcd 3.4.23 answered (etcd-notes.md), and what others said in its place. */
static const struct expected table[] = {
	{ BODY_TXN, 200, "{" HEADER ",\"succeeded\":true}", ETCD_DONE, ETCD_REASON_NONE },
	{ BODY_TXN, 200, "{" HEADER "}", ETCD_DIFFERS, ETCD_REASON_NONE },
	{ BODY_TXN, 200, "{" HEADER ",\"succeeded\":\"true\"}", ETCD_DIFFERS, ETCD_REASON_NONE },
	{ BODY_TXN, 200, "{\"succeeded\":true}", ETCD_UNKNOWN, ETCD_REASON_NOT_ETCD },
	{ BODY_TXN, 200, "{}", ETCD_UNKNOWN, ETCD_REASON_NOT_ETCD },
	{ BODY_TXN, 200, "[]", ETCD_UNKNOWN, ETCD_REASON_NOT_ETCD },
	{ BODY_TXN, 200, "", ETCD_UNKNOWN, ETCD_REASON_NOT_ETCD },
	{ BODY_TXN, 200, "{" HEADER ",\"succeeded\":tr", ETCD_UNKNOWN, ETCD_REASON_NOT_ETCD },
	{ BODY_TXN, 404, "Not Found", ETCD_REFUSED, ETCD_REASON_NOT_ETCD },
	{ BODY_TXN, 405, "Method Not Allowed", ETCD_REFUSED, ETCD_REASON_NOT_ETCD },
	{ BODY_TXN, 502, "<html>etcdserver: permission denied</html>", ETCD_UNKNOWN, ETCD_REASON_NOT_ETCD },
	{ BODY_TXN, 400, "CommonName of client sending a request against gateway will be ignored", ETCD_REFUSED,
	  ETCD_REASON_LOGIN },
	{ BODY_TXN, 503, "{\"error\":\"etcdserver: no leader\",\"message\":\"etcdserver: no leader\",\"code\":14}", ETCD_AWAY,
	  ETCD_REASON_NO_LEADER },
	{ BODY_TXN, 500, "{\"error\":\"context deadline exceeded\",\"message\":\"context deadline exceeded\",\"code\":2}",
	  ETCD_UNKNOWN, ETCD_REASON_TIMEOUT },
	{ BODY_TXN, 503, "{\"error\":\"etcdserver: request timed out\",\"code\":14}", ETCD_UNKNOWN, ETCD_REASON_TIMEOUT },
	{ BODY_TXN, 503, "{\"error\":\"transport is closing\",\"code\":14}", ETCD_UNKNOWN, ETCD_REASON_OTHER },
	{ BODY_TXN, 503, "{\"error\":\"etcdserver: leader changed\",\"code\":14}", ETCD_UNKNOWN, ETCD_REASON_OTHER },
	{ BODY_TXN, 400, "{\"error\":\"x\",\"message\":\"etcdserver: too many operations in txn request\",\"code\":3}",
	  ETCD_REFUSED, ETCD_REASON_TOO_MANY },
	{ BODY_TXN, 400, "{\"message\":\"etcdserver: duplicate key given in txn request\",\"code\":3}", ETCD_REFUSED,
	  ETCD_REASON_OTHER },
	{ BODY_TXN, 400, "{\"message\":\"etcdserver: request is too large\",\"code\":3}", ETCD_REFUSED,
	  ETCD_REASON_TOO_LARGE },
	{ BODY_TXN, 429, "{\"message\":\"grpc: received message larger than max (3 vs. 2)\",\"code\":8}", ETCD_REFUSED,
	  ETCD_REASON_TOO_LARGE },
	{ BODY_TXN, 429, "{\"message\":\"etcdserver: mvcc: database space exceeded\",\"code\":8}", ETCD_REFUSED,
	  ETCD_REASON_NO_SPACE },
	{ BODY_TXN, 403, "{\"message\":\"etcdserver: permission denied\",\"code\":7}", ETCD_REFUSED, ETCD_REASON_PERMISSION },
	{ BODY_TXN, 404, "{\"message\":\"etcdserver: requested lease not found\",\"code\":5}", ETCD_REFUSED,
	  ETCD_REASON_LEASE_GONE },
	{ BODY_RANGE, 200, "{" HEADER "}", ETCD_DONE, ETCD_REASON_NONE },
	{ BODY_RANGE, 200, "{" HEADER ",\"kvs\":[{\"key\":\"*\"}]}", ETCD_UNKNOWN, ETCD_REASON_NOT_ETCD },
	{ BODY_RANGE, 400, "{\"message\":\"etcdserver: mvcc: required revision has been compacted\",\"code\":11}",
	  ETCD_REFUSED, ETCD_REASON_COMPACTED },
	{ BODY_RANGE, 400, "{\"message\":\"etcdserver: user name is empty\",\"code\":3}", ETCD_REFUSED, ETCD_REASON_LOGIN },
	{ BODY_RANGE, 401, "{\"message\":\"etcdserver: invalid auth token\",\"code\":16}", ETCD_REFUSED, ETCD_REASON_LOGIN },
	{ BODY_AUTHENTICATE, 412, "{\"message\":\"etcdserver: authentication is not enabled\",\"code\":9}", ETCD_REFUSED,
	  ETCD_REASON_NO_LOGIN },
	{ BODY_AUTHENTICATE, 200, "{" HEADER "}", ETCD_UNKNOWN, ETCD_REASON_NOT_ETCD },
	{ BODY_AUTHENTICATE, 200, "{" HEADER ",\"token\":\"t.1\"}", ETCD_DONE, ETCD_REASON_NONE },
	{ BODY_RENEW, 200, "{\"result\":{" HEADER ",\"ID\":\"5\",\"TTL\":\"3\"}}\n", ETCD_DONE, ETCD_REASON_NONE },
	{ BODY_RENEW, 200, "{\"result\":{" HEADER ",\"ID\":\"5\"}}\n", ETCD_REFUSED, ETCD_REASON_LEASE_GONE },
	{ BODY_RENEW, 200, "{\"error\":{\"grpc_code\":14,\"http_code\":503,\"message\":\"etcdserver: no leader\"}}", ETCD_AWAY,
	  ETCD_REASON_NO_LEADER },
	{ BODY_TIME_TO_LIVE, 200, "{" HEADER ",\"ID\":\"5\",\"TTL\":\"-1\"}", ETCD_REFUSED, ETCD_REASON_LEASE_GONE },
	{ BODY_TIME_TO_LIVE, 200, "{" HEADER ",\"ID\":\"5\",\"TTL\":\"2\",\"grantedTTL\":\"5\"}", ETCD_DONE,
	  ETCD_REASON_NONE },
	{ BODY_GRANT, 200, "{" HEADER ",\"ID\":5,\"TTL\":2}", ETCD_DONE, ETCD_REASON_NONE }, /* numbers, too */
	{ BODY_REVOKE, 200, "{" HEADER "}", ETCD_DONE, ETCD_REASON_NONE },
	{ BODY_STATUS, 200, "{" HEADER ",\"version\":\"3.4.23\",\"leader\":\"2\"}", ETCD_DONE, ETCD_REASON_NONE },
};

static void test_outcomes(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct answer answer = read_text(table[i].kind, table[i].status, table[i].text);

		if (answer.outcome != table[i].outcome || answer.reason != table[i].reason)
			fail_msg("%ld %s: %s, %s", table[i].status, table[i].text, refusal_outcome_name(answer.outcome),
				 refusal_reason_name(answer.reason));
		assert_int_equal(answer.words[0] == '\0', answer.outcome == ETCD_DONE || answer.outcome == ETCD_DIFFERS);
		answer_free(&answer);
	}
}

static void test_what_an_answer_holds(void **state)
{
	struct answer answer = read_text(BODY_TXN, 200,
		"{" HEADER ",\"succeeded\":true,\"responses\":[{\"response_put\":{}},{\"response_delete_range\":"
		"{\"deleted\":\"4\"}},{\"response_range\":{\"kvs\":[{\"key\":\"L2E=\",\"create_revision\":\"5\","
		"\"mod_revision\":\"6\",\"version\":\"2\",\"value\":\"eAB5\",\"lease\":\"7587852\"},{\"key\":\"L2I=\"}]}}]}");
	const struct etcd_pair *pair;

	(void)state;
	assert_true(answer.header.cluster_id == UINT64_MAX);
	assert_int_equal(answer.header.revision, 7);
	assert_int_equal(answer.header.raft_term, 3);
	assert_int_equal(answer.part_count, 3);
	assert_int_equal(answer.parts[1].deleted, 4);
	assert_int_equal(answer.parts[2].pairs.count, 2);
	pair = &answer.parts[2].pairs.items[0];
	assert_string_equal(pair->key, "/a");
	assert_int_equal(pair->value_len, 3);
	assert_memory_equal(pair->value, "x\0y", 4);
	assert_int_equal(pair->create_revision, 5);
	assert_int_equal(pair->mod_revision, 6);
	assert_int_equal(pair->version, 2);
	assert_int_equal(pair->lease, 7587852);
	assert_string_equal(answer.parts[2].pairs.items[1].value, "");
	answer_free(&answer);
}

static struct notice read_line(const char *line, bool is_one)
{
	struct notice notice;

	assert_int_equal(notice_read(&notice, line, strlen(line)), is_one);
	return notice;
}

static void test_notices(void **state)
{
	static const char *const wrong[] = { "", "{}", "[1]", "<html>", "{\"result\":5}", "{\"result\":{}}",
					     "{\"result\":{" HEADER ",\"events\":[{}]}}" };
	struct notice notice = read_line("{\"result\":{" HEADER ",\"created\":true}}", true);

	(void)state;
	assert_true(notice.created && !notice.canceled);
	assert_int_equal(notice.header.revision, 7);
	notice_free(&notice);
	notice = read_line("{\"result\":{" HEADER ",\"events\":[{\"kv\":{\"key\":\"L2E=\",\"mod_revision\":\"7\"}},"
			   "{\"type\":\"DELETE\",\"kv\":{\"key\":\"L2I=\",\"mod_revision\":\"7\"}}]}}", true);
	assert_int_equal(notice.event_count, 2);
	assert_false(notice.events[0].deleted);
	assert_true(notice.events[1].deleted);
	assert_string_equal(notice.events[1].pair.key, "/b");
	notice_free(&notice);
	notice = read_line("{\"result\":{" HEADER ",\"canceled\":true,\"compact_revision\":\"7\"}}", true);
	assert_true(notice.canceled && notice.reason == ETCD_REASON_COMPACTED && notice.compact_revision == 7);
	notice_free(&notice);
	notice = read_line("{\"error\":{\"grpc_code\":14,\"http_code\":503,\"message\":\"etcdserver: no leader\"}}", true);
	assert_true(notice.canceled && notice.reason == ETCD_REASON_NO_LEADER);
	notice_free(&notice);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		notice = read_line(wrong[i], false);
		notice_free(&notice);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_base64_both_ways), cmocka_unit_test(test_base64_of_all_bytes),
		cmocka_unit_test(test_base64_refuses),   cmocka_unit_test(test_bodies),
		cmocka_unit_test(test_prefixes),         cmocka_unit_test(test_transaction),
		cmocka_unit_test(test_outcomes),         cmocka_unit_test(test_what_an_answer_holds),
		cmocka_unit_test(test_notices),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
