/* SPDX-License-Identifier: Apache-2.0
 *
 * The simulator: what only a simulated cluster can do. This header gathers the others; the first thing to do is ksim_new()
 * (ksim_run.h). Assertions for cmocka are in <kafkasim/cmocka.h>.
 *
 *     ksim *sim = ksim_new(&(ksim_config){ .seed = 7, .brokers = 3 });
 *     ksim_create_topic(sim, "orders", 6);
 *     kafka_address *c1 = ksim_client(sim, "c1");
 *     ... kafka_* calls on c1 ...
 *     ksim_run_for(sim, 10 * KAFKA_SECOND);
 *     kafka_address_free(c1);
 *     ksim_free(sim);
 *
 * Everything here belongs to the thread that called ksim_new(). Two simulators know nothing of each other.
 */
#ifndef KAFKASIM_KSIM_H
#define KAFKASIM_KSIM_H

#include <kafkasim/kafka.h>
#include <kafkasim/ksim_explain.h>
#include <kafkasim/ksim_faults.h>
#include <kafkasim/ksim_fixtures.h>
#include <kafkasim/ksim_inspect.h>
#include <kafkasim/ksim_rules.h>
#include <kafkasim/ksim_run.h>
#include <kafkasim/ksim_test.h>
#include <kafkasim/ksim_trace.h>

#endif
