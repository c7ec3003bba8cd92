/* SPDX-License-Identifier: Apache-2.0
 *
 * Request rules: see, count, answer, delay, hold or lose chosen requests.
 *
 *     ksim_rule *rule = ksim_rule_add(sim, &(ksim_rule_config){
 *         .api = "OffsetCommit", .group = "billing", .nth = 2,
 *         .action = KSIM_ANSWER_ERROR, .error = KAFKA_ERR_REBALANCE_IN_PROGRESS });
 *     ...
 *     ksim_run_until_rule(sim, rule, 1);
 *
 * Every request that reaches a broker is laid beside the rules, the oldest rule first. Each rule whose fields all fit
 * counts it as matched; the first that also fires and is not only counting decides what happens to it. Everything a rule
 * does is an event in the trace.
 */
#ifndef KAFKASIM_KSIM_RULES_H
#define KAFKASIM_KSIM_RULES_H

#include <kafkasim/ksim_run.h>

KAFKA_BEGIN

/** A rule of one simulator; lives until ksim_rule_remove() or ksim_free(). */
typedef struct ksim_rule ksim_rule;
/** A request as a rule's function sees it; valid for that call. */
typedef struct ksim_request ksim_request;

/** What happens to a request. */
typedef enum ksim_action {
    KSIM_COUNT,        /**< nothing: it goes on (and later rules are asked) */
    KSIM_ANSWER_ERROR, /**< answered with `error` at the place where that API carries it (per topic, partition or group
                            where it has such places); not applied */
    KSIM_DELAY,        /**< arrives `delay` later, and with it all that follow on its connection */
    KSIM_DELAY_ANSWER, /**< applied now; the answer is sent `delay` later */
    KSIM_RESET_BEFORE, /**< its connection is reset; the request was not applied */
    KSIM_RESET_AFTER,  /**< applied; its connection is reset instead of the answer */
    KSIM_HOLD,         /**< waits until ksim_rule_release(), not applied yet */
    KSIM_HOLD_ANSWER,  /**< applied; the answer waits until ksim_rule_release() */
    KSIM_PASS          /**< goes on, and later rules are not asked: an exception to them */
} ksim_action;

/** What a rule's function decides. */
typedef struct ksim_decision {
    ksim_action action;   /**< KSIM_COUNT: let it go on */
    kafka_error error;    /**< of KSIM_ANSWER_ERROR: a broker's code */
    kafka_duration delay; /**< of KSIM_DELAY and KSIM_DELAY_ANSWER */
} ksim_decision;

/** Which requests, when, and what then. Borrowed for ksim_rule_add(), strings are copied. */
typedef struct ksim_rule_config {
    const char *name;   /**< shown in the trace and in reports; NULL: made from the fields */

    const char *client; /**< name of the client process; NULL: any */
    int32_t broker;     /**< 1..; 0: any */
    const char *api;    /**< Kafka's name: "JoinGroup", "Produce"; NULL: any */
    const char *topic;  /**< named anywhere in the request: "orders", or "orders[3]" for one partition; NULL: any */
    const char *group;  /**< NULL: any */

    uint64_t nth;       /**< fire on the nth match only, from 1 */
    uint64_t every;     /**< fire on every nth match */
    uint64_t first;     /**< fire on the next k matches, then no more */
    uint32_t chance;    /**< fire with probability chance / of, drawn from the simulator's stream of faults ... */
    uint32_t of;        /**< ... 0: 100, so that chance is a percentage; only with chance. At most one of nth, every, first, chance; none:
                             always */

    ksim_action action;   /**< what happens when it fires */
    kafka_error error;    /**< for KSIM_ANSWER_ERROR, which needs it; refused with another action */
    kafka_duration delay; /**< for KSIM_DELAY and KSIM_DELAY_ANSWER, which need it; refused with another action */
    /** Decides instead of `action`, `error` and `delay` when it fires; must not block or run the simulation. It may add
     *  and remove rules, its own too: see ksim_rule_add() and ksim_rule_remove(). NULL: none. */
    ksim_decision (*decide)(void *context, const ksim_request *request);
    void *context;        /**< for `decide`; kept */
} ksim_rule_config;

/** Adds a rule after those that are there. In a rule's `decide` or a subscriber to the trace: it is asked from the next
 *  request on.
 *  @return kept by the simulator. NULL when the config is wrong (ksim_error_detail()); nothing is changed then. */
KAFKA_API ksim_rule *ksim_rule_add(ksim *sim, const ksim_rule_config *config);
/** Ends a rule and releases what it holds. NULL is allowed. A rule's `decide` and a subscriber to the trace may remove any
 *  rule: it is asked no more, and what its own `decide` then returns still happens to that request, except that a removed
 *  rule holds nothing. The rule must not be used after this call, but a ksim_run_until_rule() that waits for it goes on
 *  with how often it had fired. */
KAFKA_API void ksim_rule_remove(ksim *sim, ksim_rule *rule);
/** How many requests fitted its fields so far. */
KAFKA_API uint64_t ksim_rule_matched(const ksim_rule *rule);
/** How many of them it fired on. */
KAFKA_API uint64_t ksim_rule_fired(const ksim_rule *rule);
/** Lets all go on that KSIM_HOLD or KSIM_HOLD_ANSWER holds. Later ones are held again.
 *  @return how many that were */
KAFKA_API size_t ksim_rule_release(ksim *sim, ksim_rule *rule);
/** How many messages it holds now. */
KAFKA_API size_t ksim_rule_held(const ksim_rule *rule);
/** Runs until `rule` has fired `times` times in all. Errors as ksim_run_until(), within the config's run_limit. */
KAFKA_API kafka_error ksim_run_until_rule(ksim *sim, ksim_rule *rule, uint64_t times);

/** Kafka's name of the API: "JoinGroup". View, static. */
KAFKA_API const char *ksim_request_api(const ksim_request *request);
/** API version. */
KAFKA_API int16_t ksim_request_version(const ksim_request *request);
/** Name of the client process. View for the call. */
KAFKA_API const char *ksim_request_client(const ksim_request *request);
/** Number of the broker it reached. */
KAFKA_API int32_t ksim_request_broker(const ksim_request *request);
/** Virtual time at which it arrived. */
KAFKA_API kafka_time ksim_request_time(const ksim_request *request);
/** A number or bool by Kafka's names: "GenerationId", "TopicData[0].PartitionData[1].Index". False: no such field. */
KAFKA_API bool ksim_request_int(const ksim_request *request, const char *field, int64_t *value);
/** A string or bytes by Kafka's names: "GroupId". View for the call. False: no such field. Null gives null bytes. */
KAFKA_API bool ksim_request_bytes(const ksim_request *request, const char *field, kafka_bytes *value);
/** How many items an array has: "TopicData". False: no such array. Null counts as 0. */
KAFKA_API bool ksim_request_count(const ksim_request *request, const char *field, size_t *count);
/** The whole request as one line of JSON with Kafka's names. View, valid until the simulation runs on. */
KAFKA_API const char *ksim_request_json(const ksim_request *request);

KAFKA_END

#endif
