/* SPDX-License-Identifier: Apache-2.0
 *
 * "rack-affinity" (kafka-go, groupbalancer.go). Two rounds per topic: first every rack serves its own members up to an even
 * share, then what is left goes to whoever has less than that, whatever its rack. Upstream visits racks in Go's random map
 * order; here it is ascending bytes.
 */
#include <stdlib.h>

#include "sim/base/base.h"
#include "sim/client/kafka_go_balancer.h"
#include "sim/client/kafka_go_balancer_topics.h"

typedef struct placed { /* a partition or a member with its rack */
    kafka_bytes rack;
    int32_t index; /* into what the balancer was given */
    int32_t order; /* in the topic */
} placed;

typedef struct rack_balance {
    const kafka_group_member *members;
    const kafka_group_partition *partitions;
    int32_t *owners;
    int32_t *has;        /* per member: how many partitions of this topic */
    int32_t base, extra; /* everybody's share, and how many may have one more */
} rack_balance;

static int compare_racks(kafka_bytes a, kafka_bytes b) {
    size_t shorter = a.size < b.size ? a.size : b.size;
    int order = shorter > 0 ? memcmp(a.data, b.data, shorter) : 0;
    return order != 0 ? order : (a.size > b.size) - (a.size < b.size);
}

static int by_rack(const void *left, const void *right) {
    const placed *a = left, *b = right;
    int order = compare_racks(a->rack, b->rack);
    return order != 0 ? order : (a->order > b->order) - (a->order < b->order);
}

static int32_t least(int32_t a, int32_t b) { return a < b ? a : b; }

static void give(rack_balance *balance, int32_t member, int32_t partition) {
    balance->owners[partition] = member;
    balance->has[member]++;
}

/* The first round in one rack. Returns how many of its partitions were given away (the first ones). */
static int32_t serve_rack(rack_balance *balance, const placed *members, int32_t member_count, const placed *partitions,
                          int32_t partition_count) {
    int32_t share = least(partition_count / member_count, balance->base), given = 0;
    for (int32_t m = 0; m < member_count; m++)
        for (int32_t k = 0; k < share; k++) give(balance, members[m].index, partitions[given++].index);
    int32_t left = partition_count - given;
    if (share == balance->base) { /* the rack has enough for all of its own: it may use up the extra ones too */
        left = least(least(left, balance->extra), member_count);
        balance->extra -= left;
    }
    for (int32_t m = 0; m < left; m++) give(balance, members[m].index, partitions[given++].index);
    return given;
}

static int32_t same_rack(const placed *things, int32_t count) {
    int32_t length = 1;
    while (length < count && compare_racks(things[length].rack, things[0].rack) == 0) length++;
    return length;
}

/* The first round in all racks; what no member of its own rack took is left at the front of `partitions`. Returns how many. */
static int32_t serve_racks(rack_balance *balance, const placed *members, int32_t member_count, placed *partitions,
                           int32_t partition_count) {
    int32_t left = 0;
    for (int32_t p = 0, m = 0; p < partition_count;) {
        int32_t offers = same_rack(partitions + p, partition_count - p), given = 0;
        while (m < member_count && compare_racks(members[m].rack, partitions[p].rack) < 0) m++;
        if (m < member_count && compare_racks(members[m].rack, partitions[p].rack) == 0)
            given = serve_rack(balance, members + m, same_rack(members + m, member_count - m), partitions + p, offers);
        for (int32_t k = given; k < offers; k++) partitions[left++] = partitions[p + k];
        p += offers;
    }
    return left;
}

/* The second round: in the order of the members, not of the racks. */
static void serve_rest(rack_balance *balance, const ks_balanced_topic *topic, const placed *rest, int32_t count) {
    int32_t next = 0;
    for (int32_t m = 0; m < topic->member_count; m++) {
        int32_t need = balance->base - balance->has[topic->members[m]];
        if (need >= 0 && balance->extra > 0) {
            need++;
            balance->extra--;
        }
        for (; need > 0 && next < count; need--) give(balance, topic->members[m], rest[next++].index);
    }
}

static void rack_affinity_of_topic(void *context, const ks_balanced_topic *topic) {
    rack_balance *balance = context;
    placed *members = ks_alloc((size_t)topic->member_count * sizeof *members);
    placed *partitions = ks_alloc((size_t)topic->partition_count * sizeof *partitions);
    for (int32_t m = 0; m < topic->member_count; m++) {
        members[m] = (placed){ balance->members[topic->members[m]].user_data, topic->members[m], m };
        balance->has[topic->members[m]] = 0;
    }
    for (int32_t p = 0; p < topic->partition_count; p++) {
        const char *rack = balance->partitions[topic->partitions[p]].leader_rack;
        partitions[p] = (placed){ kafka_string(rack ? rack : ""), topic->partitions[p], p };
    }
    qsort(members, (size_t)topic->member_count, sizeof *members, by_rack);
    qsort(partitions, (size_t)topic->partition_count, sizeof *partitions, by_rack);
    balance->base = topic->partition_count / topic->member_count;
    balance->extra = topic->partition_count % topic->member_count;
    int32_t left = serve_racks(balance, members, topic->member_count, partitions, topic->partition_count);
    serve_rest(balance, topic, partitions, left);
    ks_free(members);
    ks_free(partitions);
}

kafka_error ks_kafka_go_rack_affinity(void *argument, const kafka_group_member *members, size_t member_count,
                                      const kafka_group_partition *partitions, size_t partition_count,
                                      int32_t *owners) {
    rack_balance balance = { .members = members, .partitions = partitions, .owners = owners };
    balance.has = ks_alloc((member_count + 1) * sizeof *balance.has);
    ks_balance_topics(members, member_count, partitions, partition_count, KS_MEMBERS_AS_GIVEN, rack_affinity_of_topic,
                      &balance);
    ks_free(balance.has);
    return KAFKA_OK;
}

kafka_error ks_kafka_go_rack_data(void *argument, kafka_bytes *data) {
    *data = kafka_string(argument ? argument : "");
    return KAFKA_OK;
}
