/* SPDX-License-Identifier: Apache-2.0
 *
 * Making a simulated cluster, its client processes, and running it.
 *
 * Virtual time moves only while some call waits: a blocking kafka_* call on the program's own stack, or one of the
 * ksim_run_* calls here. Those are for the program's own stack only: inside a task or a callback they are refused with
 * KAFKA_ERR_WRONG_PLACE (tasks use kafka_sleep()), on another thread with KAFKA_ERR_WRONG_THREAD.
 */
#ifndef KAFKASIM_KSIM_RUN_H
#define KAFKASIM_KSIM_RUN_H

#include <kafkasim/address.h>
#include <kafkasim/base.h>
#include <kafkasim/error.h>

KAFKA_BEGIN

/** One simulated cluster with its clients, its clock and its trace. */
typedef struct ksim ksim;

/** A setting by Kafka's name, as in server.properties or a topic's configs. */
typedef struct ksim_setting {
    const char *name;  /**< "group.initial.rebalance.delay.ms" */
    const char *value; /**< as Kafka's text: "0", "true", "compact,delete" */
} ksim_setting;

/** What a cluster is made from. Everything zero is a good default. Borrowed for ksim_new(). */
typedef struct ksim_config {
    uint64_t seed;           /**< of every random draw; the same seed, the same run. 0: 1 */
    int32_t brokers;         /**< how many: broker-1 .. broker-N at port 9092. 0: 3; at most 1000 */
    kafka_time start;        /**< what the clock shows first. 0: 2027-01-01T00:00:00Z; from 1970 to 2200 */
    kafka_duration latency;  /**< of every message, one way. 0: 500 us; KSIM_NO_LATENCY: none; at most a year */
    kafka_duration stuck_after; /**< how long all calls may be blocked, without a bound of their own, while nothing but
                                     periodic work happens, before they end with KAFKA_ERR_NOTHING_CAN_WAKE;
                                     144 times as long while clients try again and again in vain. A bound
                                     that is more than a year away is none. 0: ten (virtual) minutes */
    kafka_duration run_limit;   /**< of the ksim_run_until_* calls that take no limit. 0: ten (virtual) minutes */
    const ksim_setting *settings; /**< broker configs by Kafka's names, ended by a NULL name; NULL: none. A wrong name or
                                       value is refused. */
    const char *const *racks; /**< of the brokers, `brokers` of them (each may be NULL); NULL: no racks */
    int32_t trace_ring;      /**< how many of the last trace events, without those that go on all the time, are kept for reports. 0: 4096 */
    char *problem;           /**< where ksim_new() writes the sentence that says what is wrong when it returns NULL;
                                  NULL: to standard error */
    size_t problem_size;     /**< bytes at `problem`, with the NUL */
} ksim_config;

/** For ksim_config.latency: messages arrive at the instant at which they are sent. */
#define KSIM_NO_LATENCY ((kafka_duration)-1)

/** Makes a cluster: all brokers up, no topics but __consumer_offsets, clock at its start.
 *  @param config  NULL: all defaults
 *  @return owned: ksim_free(). NULL when the config is wrong, and a sentence at config->problem (or standard error) names
 *          the field, the value and what is allowed.
 *  Costs some tens of microseconds: make one for every test. */
KAFKA_API ksim *ksim_new(const ksim_config *config);

/** Frees the cluster with everything in it, whatever state it is in: also after a jump (longjmp) out of a task, a callback
 *  or a predicate, as a failed cmocka assertion makes. Tasks that have not ended are dropped, their stacks not unwound: what they allocated
 *  or read and did not release stays allocated.
 *  Writers, readers and addresses that were left open are freed too, and if the run ended well one sentence on standard
 *  error names the first of them. NULL is allowed. */
KAFKA_API void ksim_free(ksim *sim);

/** The last failure of a ksim_* call in words: which name, which value, what to do. View, valid until the next failure;
 *  "" when nothing failed yet. */
KAFKA_API const char *ksim_error_detail(const ksim *sim);

/** The client process `name`, made when it is new, and an address for what it does. The same name is the same process:
 *  what crashes, pauses and restarts by that name (ksim_faults.h).
 *  @param name  copied: 1 to 100 letters, digits, '.', '_', '-'; not a broker's
 *  @return owned: kafka_address_free(). NULL for a wrong name (see ksim_error_detail()). */
KAFKA_API kafka_address *ksim_client(ksim *sim, const char *name);

/** The seed it was made with. */
KAFKA_API uint64_t ksim_seed(const ksim *sim);
/** The virtual time. */
KAFKA_API kafka_time ksim_now(const ksim *sim);
/** Virtual time since the start. */
KAFKA_API kafka_duration ksim_elapsed(const ksim *sim);
/** How many events the kernel has run so far. */
KAFKA_API uint64_t ksim_steps(const ksim *sim);

/** Runs for `duration` of virtual time, idle or not. Tasks and callbacks run. Negative: KAFKA_ERR_INVALID_ARGUMENT. */
KAFKA_API kafka_error ksim_run_for(ksim *sim, kafka_duration duration);
/** Runs until the clock shows `time`. A time in the past returns at once with KAFKA_ERR_INVALID_ARGUMENT. */
KAFKA_API kafka_error ksim_run_until_time(ksim *sim, kafka_time time);
/** Runs the next event (moving the clock to it) and what became ready by it.
 *  @return KAFKA_ERR_NOTHING_CAN_WAKE when nothing is left to happen */
KAFKA_API kafka_error ksim_step(ksim *sim);

/** Asked between events; must not block, run the simulation or free things. */
typedef bool ksim_predicate(ksim *sim, void *context);
/** Runs until `predicate` holds; it is asked at once and after every event.
 *  @param what   for people: "every order is billed"; NULL: "the predicate"
 *  @param limit  of virtual time; 0: the config's run_limit
 *  @return KAFKA_ERR_LIMIT when it did not hold within `limit`; ksim_error_detail() says what never came
 *          KAFKA_ERR_NOTHING_CAN_WAKE when nothing is left to happen */
KAFKA_API kafka_error ksim_run_until(ksim *sim, ksim_predicate *predicate, void *context, const char *what, kafka_duration limit);

/** Runs until the group is stable: its state is Stable, its members are those of the live clients that joined it (a reader
 *  joins from the moment at which it is made) and none of a crashed or paused one, and each of them knows its assignment.
 *  @return KAFKA_ERR_LIMIT after the config's run_limit; ksim_error_detail() says what is missing. */
KAFKA_API kafka_error ksim_run_until_group_stable(ksim *sim, const char *group);

KAFKA_END

#endif
