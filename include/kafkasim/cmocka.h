/* SPDX-License-Identifier: Apache-2.0
 *
 * Assertions for cmocka over a simulated cluster: they print a readable difference, the seed and the last steps, and fail
 * the test. Include cmocka's four headers first. Macros only: libkafkasim does not need cmocka; the function beside each
 * (ksim_test.h) gives the report to any other framework.
 *
 *     static int set_up(void **state) { *state = ksim_new(&(ksim_config){ .seed = 7 }); ksim_fail_by_cmocka(*state); return 0; }
 *     static int tear_down(void **state) { ksim_free((ksim *)*state); return 0; }
 */
#ifndef KAFKASIM_CMOCKA_H
#define KAFKASIM_CMOCKA_H

#include <kafkasim/ksim.h>

/** Fails the test with `report` (of a ksim_check_* function) unless that is NULL. Long reports are printed whole. */
#define ksim_assert_report(report) ksim_cmocka_report((report), __FILE__, __LINE__)

/** "c1=orders[0,1,2] c3=orders[3,4,5]": ksim_check_assignment(). */
#define assert_group_assignment(sim, group, expected) ksim_assert_report(ksim_check_assignment((sim), (group), (expected)))
/** "a b c" or "k1=a k2=b": ksim_check_records(). */
#define assert_partition_records(sim, topic, partition, expected)                                                      \
    ksim_assert_report(ksim_check_records((sim), (topic), (partition), (expected)))
/** "orders[0]=5 orders[1]=3": ksim_check_committed(). */
#define assert_committed_offsets(sim, group, expected) ksim_assert_report(ksim_check_committed((sim), (group), (expected)))
/** ksim_check_lag(). */
#define assert_group_lag(sim, group, topic, expected) ksim_assert_report(ksim_check_lag((sim), (group), (topic), (expected)))
/** "+c1=orders[0,1] -c1=orders[0,1] +c2=orders[1]": ksim_check_ownership_history(). */
#define assert_ownership_history(sim, group, expected)                                                                 \
    ksim_assert_report(ksim_check_ownership_history((sim), (group), (expected)))
/** Two offsets, printed as decimals: ksim_check_offset(). */
#define assert_offset_equal(sim, actual, expected) ksim_assert_report(ksim_check_offset((sim), #actual, (actual), (expected)))
/** A ksim_* call returned KAFKA_OK: ksim_check_ok(). */
#define assert_ksim_ok(sim, call) ksim_assert_report(ksim_check_ok((sim), NULL, #call, (call)))
/** A kafka_* call of the client at `address` returned KAFKA_OK: ksim_check_ok(). */
#define assert_kafka_ok(sim, address, call) ksim_assert_report(ksim_check_ok((sim), (address), #call, (call)))

/** Lets the simulator's own failures (a loop that never ends, a broken invariant) fail the test instead of aborting it. */
#define ksim_fail_by_cmocka(sim) ksim_on_failure((sim), ksim_cmocka_failed, NULL)

/** What ksim_test_over_seeds() keeps. */
typedef struct ksim_cmocka_seeds {
    void (*test)(void **state);  /**< the test */
    uint64_t count;              /**< of seeds */
    const ksim_config *config;   /**< of the clusters; NULL: defaults */
    ksim *sim;                   /**< the one that runs; not NULL afterwards when the test failed */
    const char *name;            /**< of the test */
    bool steps_told;             /**< the report that was printed had the last steps, */
    bool page_told;              /**< and where the page is */
    bool skipped;                /**< it called skip(), which is no failure */
} ksim_cmocka_seeds;

/** Part of ksim_test_over_seeds(): where the test that runs now is kept; NULL: none of these. */
static inline ksim_cmocka_seeds **ksim_cmocka_running(void) {
    static ksim_cmocka_seeds *running;
    return &running;
}

/** Prints a report line by line (cmocka cuts long messages) and fails. */
static inline void ksim_cmocka_report(const char *report, const char *file, int line) {
    if (report == NULL) return;
    ksim_cmocka_seeds *running = *ksim_cmocka_running();
    if (running) running->steps_told = strstr(report, "last steps") != NULL;
    if (running) running->page_told = strstr(report, "as a page") != NULL;
    while (*report) {
        size_t size = strcspn(report, "\n");
        print_error("%.*s\n", (int)(size < 1000 ? size : 1000), report);
        report += size + (report[size] != 0);
    }
    _fail(file, line);
}

/** For ksim_on_failure(). */
static inline void ksim_cmocka_failed(void *context, const char *report) {
    (void)context;
    ksim_cmocka_report(report, "kafkasim", 0);
}

/** cmocka's skip(), which a test over seeds may call too: it is skipped then, not failed. From a file that does not include this
 *  header it would be told as a failure of its seed. */
static inline void ksim_cmocka_skip(const char *file, int line) {
    if (*ksim_cmocka_running()) (*ksim_cmocka_running())->skipped = true;
    _skip(file, line);
}
#undef skip
#define skip() ksim_cmocka_skip(__FILE__, __LINE__)

/** An entry of a CMUnitTest array: runs `test` with a new cluster in *state for each of the seeds 1 to `count` (KSIM_SEED=n:
 *  only n) and names the seed that failed. `count` and `test` are constants. With KSIM_PAGES=FOLDER a test that fails, by whatever
 *  assertion, leaves the run as a page behind: FOLDER/TEST.html.
 *
 *      ksim_test_over_seeds(billing_survives_a_crashed_consumer, 1000) */
#define ksim_test_over_seeds(test, count)                                                                              \
    { #test, ksim_cmocka_run_seeds, ksim_cmocka_seeds_set_up, ksim_cmocka_seeds_tear_down,                             \
      (void *)&(ksim_cmocka_seeds){ (test), (count), NULL, NULL, #test, false, false, false } }

/** Part of ksim_test_over_seeds(). */
static inline int ksim_cmocka_seeds_set_up(void **state) {
    ksim_cmocka_seeds *seeds = (ksim_cmocka_seeds *)*state;
    seeds->sim = NULL;
    seeds->steps_told = seeds->page_told = seeds->skipped = false;
    *ksim_cmocka_running() = seeds;
    return 0;
}

/** Part of ksim_test_over_seeds(): a failed test leaves by a jump, so the report is made here. */
static inline int ksim_cmocka_seeds_tear_down(void **state) {
    ksim_cmocka_seeds *seeds = (ksim_cmocka_seeds *)*state;
    *ksim_cmocka_running() = NULL;
    if (seeds->sim && !seeds->skipped) {
        print_error("seed %llu failed; KSIM_SEED=%llu repeats it.\n", (unsigned long long)ksim_seed(seeds->sim),
                    (unsigned long long)ksim_seed(seeds->sim));
        if (!seeds->steps_told) print_error("The last steps:\n%s\n", ksim_last_steps(seeds->sim, 0));
        const char *page = ksim_explain_failed(seeds->sim);
        if (page && !seeds->page_told) print_error("The run as a page: %s\n", page);
    }
    ksim_free(seeds->sim);
    seeds->sim = NULL;
    return 0;
}

/** Part of ksim_test_over_seeds(). */
static inline int ksim_cmocka_one_seed(ksim *sim, void *context) {
    ksim_cmocka_seeds *seeds = (ksim_cmocka_seeds *)context;
    void *state = sim;
    seeds->sim = sim;
    ksim_fail_by_cmocka(sim);
    ksim_explain_failures(sim, seeds->name);
    seeds->test(&state);
    seeds->sim = NULL;
    return 0;
}

/** Part of ksim_test_over_seeds(). */
static inline void ksim_cmocka_run_seeds(void **state) {
    ksim_cmocka_seeds *seeds = (ksim_cmocka_seeds *)*state;
    if (ksim_test_seeds_with(seeds->config, seeds->count, ksim_cmocka_one_seed, seeds) != 0)
        ksim_cmocka_report("the test did not run: KSIM_SEED is no seed, the count is 0, or the config is wrong (see above)", "kafkasim", 0);
}

#endif
