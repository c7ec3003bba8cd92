/* SPDX-License-Identifier: Apache-2.0
 *
 * The "uniform" server-side assignor (UniformAssignor), for members that all subscribe to the same topics: everybody gets
 * T div M partitions and the first T mod M one more, and keeps as many of its own as fit. The other case lives in
 * assignor_uniform_unequal.c. */
#include "sim/broker/assignor_uniform.h"

enum { ABSENT = -1 }; /* the quota of a member number that is not in the group */

typedef struct equal {
    const ks_server_assignor_input *in;
    int32_t *quota;    /* by member: how many more it may have */
    int32_t *released; /* by member: how many of its own it had to give up */
    int32_t **cells;   /* targets still to be filled, in the order in which they are handed out */
    int32_t cell_count, released_total;
} equal;

static const ks_server_member *anyone(const ks_server_assignor_input *in) { return &in->members[in->order[0]]; }

static void clear_targets(const ks_server_assignor_input *in) {
    for (int32_t t = 0; t < in->topic_count; t++)
        for (int32_t p = 0; p < in->topics[t].partition_count; p++) in->topics[t].target[p] = -1;
}

/* The first T mod M members may have one more, whether they use it or not. */
static void set_quotas(equal *e) {
    const ks_server_member *member = anyone(e->in);
    int32_t total = 0;
    for (int32_t i = 0; i < member->topic_count; i++) total += e->in->topics[member->topics[i]].partition_count;
    for (int32_t m = 0; m < e->in->member_count; m++) e->quota[m] = ABSENT;
    for (int32_t i = 0; i < e->in->order_count; i++)
        e->quota[e->in->order[i]] = total / e->in->order_count + (i < total % e->in->order_count);
}

static int32_t former_owner(const equal *e, const ks_server_topic *topic, int32_t partition) {
    int32_t owner = topic->owner ? topic->owner[partition] : -1;
    return owner >= 0 && owner < e->in->member_count && e->quota[owner] != ABSENT ? owner : -1;
}

/* Everybody keeps what it has, topics and partitions ascending, up to its quota. What nobody had is handed out first. */
static void keep(equal *e) {
    const ks_server_member *member = anyone(e->in);
    for (int32_t i = 0; i < member->topic_count; i++) {
        const ks_server_topic *topic = &e->in->topics[member->topics[i]];
        for (int32_t p = 0; p < topic->partition_count; p++) {
            int32_t owner = former_owner(e, topic, p);
            if (owner < 0) {
                e->cells[e->cell_count++] = &topic->target[p];
            } else if (e->quota[owner] > 0) {
                e->quota[owner]--;
                topic->target[p] = owner;
            } else {
                e->released[owner]++;
                e->released_total++;
            }
        }
    }
}

/* What was given up is handed out last: by the member that gave it, then by topic and partition. */
static void line_up_released(equal *e) {
    if (e->released_total == 0) return;
    int32_t *next = e->released; /* turned from counts into positions in `cells` */
    for (int32_t i = 0, position = e->cell_count; i < e->in->order_count; i++) {
        int32_t count = next[e->in->order[i]];
        next[e->in->order[i]] = position;
        position += count;
    }
    const ks_server_member *member = anyone(e->in);
    for (int32_t i = 0; i < member->topic_count; i++) {
        const ks_server_topic *topic = &e->in->topics[member->topics[i]];
        for (int32_t p = 0; p < topic->partition_count; p++) {
            int32_t owner = former_owner(e, topic, p);
            if (owner >= 0 && topic->target[p] < 0) e->cells[next[owner]++] = &topic->target[p];
        }
    }
    e->cell_count += e->released_total;
}

static void fill(equal *e) {
    int32_t next = 0;
    for (int32_t i = 0; i < e->in->order_count && next < e->cell_count; i++) {
        int32_t member = e->in->order[i];
        for (; e->quota[member] > 0; e->quota[member]--) *e->cells[next++] = member;
    }
    ks_assert(next == e->cell_count);
}

static void assign_equal(const ks_server_assignor_input *in, ks_arena *scratch) {
    size_t partitions = 0;
    for (int32_t t = 0; t < in->topic_count; t++) partitions += (size_t)in->topics[t].partition_count;
    equal e = { .in = in };
    e.quota = ks_arena_alloc(scratch, ((size_t)in->member_count + 1) * sizeof *e.quota);
    e.released = ks_arena_alloc(scratch, ((size_t)in->member_count + 1) * sizeof *e.released);
    e.cells = ks_arena_alloc(scratch, (partitions + 1) * sizeof *e.cells);
    set_quotas(&e);
    keep(&e);
    line_up_released(&e);
    fill(&e);
}

void ks_server_assign_uniform(const ks_server_assignor_input *input, ks_arena *scratch) {
    clear_targets(input);
    if (input->order_count == 0) return;
    if (ks_server_subscriptions_equal(input))
        assign_equal(input, scratch);
    else
        ks_server_assign_uniform_unequal(input, scratch);
}
