/* SPDX-License-Identifier: Apache-2.0
 *
 * What a test over seeds tells when it fails, is skipped or did not run. Each runs in a process of its own, since a test that fails
 * inside of a test is one.
 */
#define _POSIX_C_SOURCE 200809L
#include "tests/support/test.h"

#include <kafkasim/cmocka.h>
#include <kafkasim/kafka.h>
#include <kafkasim/ksim.h>

#include <sys/wait.h>
#include <unistd.h>

static char told[65536];

/* What a group of one test says on both outputs, in `told`; returns the number of its tests that failed. */
static int run_apart(const struct CMUnitTest *test) {
    int ends[2], status = 0;
    assert_int_equal(pipe(ends), 0);
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        if (dup2(ends[1], 1) < 0 || dup2(ends[1], 2) < 0) _exit(99);
        close(ends[0]);
        const struct CMUnitTest inner[] = { *test };
        int failed = cmocka_run_group_tests(inner, NULL, NULL);
        fflush(NULL);
        _exit(failed);
    }
    close(ends[1]);
    size_t size = 0;
    for (ssize_t got; (got = read(ends[0], told + size, sizeof told - 1 - size)) > 0;) size += (size_t)got;
    told[size] = 0;
    close(ends[0]);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static int times(const char *text) {
    int count = 0;
    for (const char *at = told; (at = strstr(at, text)) != NULL; at++) count++;
    return count;
}

static void expect_once(const char *text) {
    if (times(text) != 1) fail_msg("\"%s\" is told %d times in:\n%s", text, times(text), told);
}

static void fails_by_a_check(void **state) {
    assert_int_equal(ksim_create_topic(*state, "t", 1), KAFKA_OK);
    assert_partition_records(*state, "t", 0, ksim_seed(*state) == 2 ? "never" : "");
}

static void fails_by_itself(void **state) {
    assert_int_equal(ksim_create_topic(*state, "t", 1), KAFKA_OK);
    assert_true(ksim_seed(*state) != 2);
}

static void is_skipped(void **state) {
    assert_int_equal(ksim_create_topic(*state, "t", 1), KAFKA_OK);
    if (ksim_seed(*state) == 2) skip();
}

static const struct CMUnitTest by_a_check = ksim_test_over_seeds(fails_by_a_check, 3), by_itself = ksim_test_over_seeds(fails_by_itself, 3),
                               skipped = ksim_test_over_seeds(is_skipped, 3);

static void a_failure_has_its_seed_and_its_last_steps_once(void **state) {
    (void)state;
    assert_int_equal(run_apart(&by_a_check), 1);
    expect_once("KSIM_SEED=2 repeats it");
    expect_once("he last steps:");
    assert_int_equal(run_apart(&by_itself), 1);
    expect_once("KSIM_SEED=2 repeats it");
    expect_once("he last steps:");
}

static void a_skipped_test_is_no_failure(void **state) {
    (void)state;
    assert_int_equal(run_apart(&skipped), 0);
    assert_non_null(strstr(told, "SKIPPED"));
    assert_int_equal(times("repeats it"), 0);
}

static void a_wrong_seed_fails_the_test_and_is_named(void **state) {
    (void)state;
    setenv("KSIM_SEED", "1x", 1);
    assert_int_equal(run_apart(&by_itself), 1);
    unsetenv("KSIM_SEED");
    expect_once("KSIM_SEED is \"1x\": a seed is a whole number from 1 on");
    expect_once("the test did not run");
    assert_int_equal(times("repeats it"), 0);
    setenv("KSIM_SEED", "2", 1);
    assert_int_equal(run_apart(&by_itself), 1);
    setenv("KSIM_SEED", "3", 1);
    assert_int_equal(run_apart(&by_itself), 0);
    unsetenv("KSIM_SEED");
}

static void a_folder_for_pages_that_cannot_be_written_is_named_once(void **state) {
    (void)state;
    setenv("KSIM_PAGES", "/nowhere/at/all", 1);
    assert_int_equal(run_apart(&by_a_check), 1);
    expect_once("/nowhere/at/all/fails_by_a_check.html cannot be written");
    assert_int_equal(run_apart(&by_itself), 1);
    expect_once("/nowhere/at/all/fails_by_itself.html cannot be written");
    unsetenv("KSIM_PAGES");
}

static void a_page_that_is_left_is_named_once(void **state) {
    (void)state;
    char folder[] = "/tmp/ksim-pages-XXXXXX", path[64];
    assert_non_null(mkdtemp(folder));
    setenv("KSIM_PAGES", folder, 1);
    assert_int_equal(run_apart(&by_a_check), 1);
    expect_once("fails_by_a_check.html");
    assert_int_equal(run_apart(&by_itself), 1);
    expect_once("fails_by_itself.html");
    unsetenv("KSIM_PAGES");
    snprintf(path, sizeof path, "%s/fails_by_a_check.html", folder);
    assert_int_equal(unlink(path), 0);
    snprintf(path, sizeof path, "%s/fails_by_itself.html", folder);
    assert_int_equal(unlink(path), 0);
    rmdir(folder);
}

int main(void) {
    unsetenv("KSIM_SEED");
    unsetenv("KSIM_PAGES");
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_failure_has_its_seed_and_its_last_steps_once),
        cmocka_unit_test(a_skipped_test_is_no_failure),
        cmocka_unit_test(a_wrong_seed_fails_the_test_and_is_named),
        cmocka_unit_test(a_folder_for_pages_that_cannot_be_written_is_named_once),
        cmocka_unit_test(a_page_that_is_left_is_named_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
