/* SPDX-License-Identifier: Apache-2.0
 *
 * Testing against a simulated cluster, with any test framework or none. Each check returns NULL when it holds, else a report
 * that says what is different, the seed and the last steps: a view, valid until the simulation runs on. <kafkasim/cmocka.h>
 * makes assertions of them.
 *
 * Places are written as in "orders[0,1,2] payments[0]", in any order.
 */
#ifndef KAFKASIM_KSIM_TEST_H
#define KAFKASIM_KSIM_TEST_H

#include <kafkasim/ksim_run.h>

KAFKA_BEGIN

/** A test over one simulator. 0: it holds. */
typedef int ksim_test(ksim *sim, void *context);
/** Runs `test` with a new cluster for each of the seeds 1 to `count`, until one returns another value than 0; that one is
 *  reported on standard error with its seed and its last steps. With KSIM_SEED=n in the environment only seed n is run.
 *  @param config  of the clusters (its seed is replaced); NULL: defaults
 *  @return 0, or what the failing test returned; -1 when KSIM_SEED is no seed, `count` is 0, `test` is NULL or the config is wrong
 *  For tests that fail by jumping (cmocka's do) see ksim_test_over_seeds() in <kafkasim/cmocka.h>. */
KAFKA_API int ksim_test_seeds_with(const ksim_config *config, uint64_t count, ksim_test *test, void *context);
/** The same with a default cluster. */
KAFKA_API int ksim_test_seeds(uint64_t count, int (*test)(ksim *sim));

/** Who has what: "c1=orders[0,1,2] c3=orders[3,4,5]". */
KAFKA_API const char *ksim_check_assignment(ksim *sim, const char *group, const char *expected);
/** Values of a partition's records in order, separated by single spaces: "a b c"; with keys: "k1=a k2=b". */
KAFKA_API const char *ksim_check_records(ksim *sim, const char *topic, int32_t partition, const char *expected);
/** Committed offsets: "orders[0]=5 orders[1]=3"; "" for none. Fails for a group that is not there. */
KAFKA_API const char *ksim_check_committed(ksim *sim, const char *group, const char *expected);
/** ksim_lag() of one topic (NULL: all) is `expected`. */
KAFKA_API const char *ksim_check_lag(ksim *sim, const char *group, const char *topic, int64_t expected);
/** The order in which the members of a group gained (+) and gave up (-) partitions so far:
 *  "+c1=orders[0,1,2] -c1=orders[0,1,2] +c1=orders[0] +c2=orders[1,2]". Fails for a group that never was. */
KAFKA_API const char *ksim_check_ownership_history(ksim *sim, const char *group, const char *expected);
/** Two offsets; the report prints decimals. */
KAFKA_API const char *ksim_check_offset(ksim *sim, const char *what, int64_t actual, int64_t expected);
/** An error is KAFKA_OK; the report names it, with the simulator's or (when `address` is given) the client's detail. */
KAFKA_API const char *ksim_check_ok(ksim *sim, const kafka_address *address, const char *what, kafka_error error);

/** What a sentence of failure is given to: a loop that never ends, an invariant of the simulator itself. It should not
 *  return (cmocka's fail does not); when it does the program is aborted. NULL: print and abort. */
KAFKA_API void ksim_on_failure(ksim *sim, void (*fail)(void *context, const char *report), void *context);

KAFKA_END

#endif
