/* SPDX-License-Identifier: Apache-2.0
 *
 * Kafka's StripedReplicaPlacer: leaders go round the racks, followers go to the other racks in turn, and inside a rack
 * the brokers take turns. Unlike Kafka's, lists are not shuffled again after as many partitions as there are brokers
 * (TC-6).
 */
#include "sim/broker/placement.h"

#include <stdlib.h>

typedef struct turn { /* a list of brokers that take turns */
    int32_t *ids;
    int32_t count;
    int32_t begin; /* where this partition's turn began */
    int32_t taken; /* by this partition */
    int32_t round; /* the partition this is about */
} turn;

typedef struct rack {
    ks_string name;
    turn unfenced, fenced;
} rack;

typedef struct placer {
    rack *racks;
    int32_t rack_count;
    int32_t rack_offset; /* the rack where the present partition begins */
    int32_t round;       /* 0, 1, ... one per partition */
} placer;

static int by_rack_then_id(const void *a, const void *b) {
    const ks_placement_broker *x = a, *y = b;
    int order = ks_string_compare(x->rack, y->rack); /* no rack sorts first */
    return order != 0 ? order : (x->id > y->id) - (x->id < y->id);
}

/* The next broker of the list that this partition has not taken; -1: none is left. A list begins one place later each
 * time another partition comes to it. */
static int32_t take(turn *list, int32_t round) {
    if (list->count == 0) return -1;
    if (list->round != round) {
        list->round = round;
        list->taken = 0;
        list->begin = (list->begin + 1) % list->count;
    }
    if (list->taken >= list->count) return -1;
    return list->ids[(list->begin + list->taken++) % list->count];
}

static int32_t take_any(rack *from, int32_t round) {
    int32_t id = take(&from->unfenced, round);
    return id >= 0 ? id : take(&from->fenced, round);
}

static void place_one(placer *p, int32_t replication_factor, int32_t *replicas) {
    int32_t leader_rack = p->rack_offset;
    while ((replicas[0] = take(&p->racks[leader_rack].unfenced, p->round)) < 0)
        leader_rack = (leader_rack + 1) % p->rack_count;
    int32_t at = p->rack_offset, skip = leader_rack; /* the leader's rack has had its turn, once */
    for (int32_t i = 1; i < replication_factor;) {
        int32_t id = -1;
        if (at == skip)
            skip = -1;
        else
            id = take_any(&p->racks[at], p->round);
        at = (at + 1) % p->rack_count;
        if (id >= 0) replicas[i++] = id;
    }
    p->round++;
    p->rack_offset = (p->rack_offset + 1) % p->rack_count;
}

static int32_t below(ks_placement_draw *draw, void *context, int32_t bound) {
    return draw == NULL || bound <= 1 ? 0 : (int32_t)draw(context, (uint64_t)bound);
}

static void build(placer *p, const ks_placement_broker *sorted, int32_t count, int32_t *ids) {
    for (int32_t i = 0, end; i < count; i = end) {
        rack *r = &p->racks[p->rack_count++];
        r->name = sorted[i].rack;
        for (end = i; end < count && ks_string_compare(sorted[end].rack, r->name) == 0;) end++;
        r->unfenced.ids = ids;
        for (int32_t j = i; j < end; j++)
            if (!sorted[j].fenced) ids[r->unfenced.count++] = sorted[j].id;
        ids += r->unfenced.count;
        r->fenced.ids = ids;
        for (int32_t j = i; j < end; j++)
            if (sorted[j].fenced) ids[r->fenced.count++] = sorted[j].id;
        ids += r->fenced.count;
    }
}

void ks_place(const ks_placement_broker *brokers, int32_t broker_count, int32_t partitions, int32_t replication_factor,
              ks_placement_draw *draw, void *context, int32_t *replicas) {
    ks_assert(replication_factor >= 1 && replication_factor <= broker_count);
    ks_placement_broker *sorted = ks_alloc((size_t)broker_count * sizeof *sorted);
    memcpy(sorted, brokers, (size_t)broker_count * sizeof *sorted);
    qsort(sorted, (size_t)broker_count, sizeof *sorted, by_rack_then_id);
    int32_t *ids = ks_alloc((size_t)broker_count * sizeof *ids);
    placer p = { .racks = ks_alloc((size_t)broker_count * sizeof *p.racks) };
    build(&p, sorted, broker_count, ids);
    p.rack_offset = below(draw, context, p.rack_count);
    for (int32_t i = 0; i < p.rack_count; i++) {
        p.racks[i].unfenced.begin = below(draw, context, p.racks[i].unfenced.count);
        p.racks[i].fenced.begin = below(draw, context, p.racks[i].fenced.count);
    }
    for (int32_t i = 0; i < partitions; i++)
        place_one(&p, replication_factor, replicas + (size_t)i * (size_t)replication_factor);
    ks_free(p.racks);
    ks_free(ids);
    ks_free(sorted);
}
