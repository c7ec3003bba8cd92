/* SPDX-License-Identifier: Apache-2.0
 *
 * A balancer with its counters: kafka-go's balancer.go. The rule is a kafka_balancer; what it remembers between
 * messages is here, one for each writer.
 */
#ifndef KS_BALANCER_H
#define KS_BALANCER_H

#include <kafkasim/balancer.h>

#include "sim/base/base.h"

/* Uniform in [0, bound): the world's chance, so that a balancer draws from the seeded stream it is given. */
typedef uint64_t ks_draw_fn(void *source, uint64_t bound);

typedef struct ks_balancer {
    kafka_balancer rule;
    ks_draw_fn *draw;
    void *source;
    uint32_t turns; /* round robin's 32-bit counter; it wraps */
    struct ks_load {
        uint64_t bytes;
        int32_t partition;
    } * loads; /* least bytes: a binary heap, the next partition on top */
    int32_t load_count;
} ks_balancer;

/* "": the rule can be used; otherwise what is wrong with it, in words. */
const char *ks_balancer_problem(const kafka_balancer *rule);
void ks_balancer_init(ks_balancer *balancer, const kafka_balancer *rule, ks_draw_fn *draw, void *source);
void ks_balancer_deinit(ks_balancer *balancer);
/* n > 0. Cost: the key's hash; least bytes O(log n), and O(n) when n changes. */
int32_t ks_balancer_choose(ks_balancer *balancer, const kafka_message *message, int32_t n);
/* Where the key alone decides, else -1. */
int32_t ks_balancer_by_key(const kafka_balancer *rule, kafka_bytes key, int32_t n);

#endif
