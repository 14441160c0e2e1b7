/* What the first bytes of a program say, and a look at one that is nowhere. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "process/glance.h"
#include "process/image.h"

static struct image read_text(const char *text)
{
	struct image image;

	image_read(&image, text, strlen(text));
	return image;
}

static void assert_script(const char *text, const char *interpreter, const char *argument, bool has_cr)
{
	struct image image = read_text(text);

	assert_int_equal(image.kind, IMAGE_SCRIPT);
	assert_string_equal(image.interpreter, interpreter);
	assert_string_equal(image.argument, argument);
	assert_int_equal(image.has_cr, has_cr);
}

static void first_lines(void **state)
{
	(void)state;
	assert_script("#!/bin/sh\n", "/bin/sh", "", false);
	assert_script("#! \t/bin/sh  -e x \t\nrest", "/bin/sh", "-e x", false);
	assert_script("#!/bin/sh\r\n", "/bin/sh\r", "", true);
	assert_script("#!/usr/bin/env lua\r\n", "/usr/bin/env", "lua\r", true);
	assert_script("#!/bin/sh", "/bin/sh", "", false);
	assert_script("#!\n/bin/sh\n", "", "", false);
	assert_script("#!", "", "", false);
	assert_script("#!\r\n", "\r", "", true);
}

static void other_files(void **state)
{
	(void)state;
	assert_int_equal(read_text("").kind, IMAGE_EMPTY);
	assert_int_equal(read_text("\177ELF").kind, IMAGE_ELF);
	assert_int_equal(read_text("\177EL").kind, IMAGE_NOTHING);
	assert_int_equal(read_text("#").kind, IMAGE_NOTHING);
	assert_int_equal(read_text("\xEF\xBB\xBF#!/bin/sh\n").kind, IMAGE_MARKED);
	assert_int_equal(read_text("\xEF\xBB\xBF#").kind, IMAGE_NOTHING);
	assert_true(read_text("echo").is_text);
}

/* As many bytes as are read, of any values, in a block of just this size. */
static void any_bytes(void **state)
{
	char *bytes = mem_alloc(IMAGE_BYTES);
	struct image image;
	unsigned random = 1;

	(void)state;
	for (int round = 0; round < 2000; round++) {
		for (size_t i = 0; i < IMAGE_BYTES; i++) {
			random = random * 1103515245U + 12345U;
			bytes[i] = " \t\r\n/a#!"[random >> 16 & 7];
		}
		bytes[0] = '#';
		bytes[1] = '!';
		if (round % 3 == 0)
			memset(bytes + 2, 'x', IMAGE_BYTES - 2);
		image_read(&image, bytes, IMAGE_BYTES);
		assert_int_equal(image.kind, IMAGE_SCRIPT);
		assert_true(strlen(image.interpreter) + strlen(image.argument) <= IMAGE_BYTES - 2);
	}
	free(bytes);
}

static void looks(void **state)
{
	struct program_fault *fault;
	char *place;
	bool looked;

	(void)state;
	fault = glance_at_program("/bin/sh", "/", 10000, &place, &looked);
	assert_true(looked);
	assert_null(fault);
	assert_string_equal(place, "/bin/sh");
	free(place);
	fault = glance_at_program("", "/", 10000, &place, &looked);
	assert_true(looked && fault != NULL && fault->sure);
	assert_null(place);
	program_fault_free(&fault);
	fault = glance_at_program("bin/sh", "/", 10000, NULL, &looked);
	assert_null(fault);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(first_lines),
		cmocka_unit_test(other_files),
		cmocka_unit_test(any_bytes),
		cmocka_unit_test(looks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
