/* SPDX-License-Identifier: Apache-2.0
 *
 * The "uniform" server-side assignor for members with different subscriptions (UniformHeterogeneousAssignmentBuilder):
 * keep what is still subscribed, place what is free on the least loaded subscribers, then even out topic by topic. Balance
 * comes before stickiness; for overlapping subscriptions the result is good, not the best possible.
 *
 * Members are called by their place in the id order here ("index"), so that ties fall to the lower id. */
#include "sim/broker/assignor_uniform.h"

#include <stdlib.h>

enum { SWEEPS_MAX = 16 };

typedef struct topic_rank {
    int32_t topic, partitions, subscribers;
} topic_rank;

typedef struct loaded {
    int32_t load, index;
} loaded;

typedef struct unequal {
    const ks_server_assignor_input *in;
    int32_t *load;              /* by index: partitions it has so far */
    int32_t *index_of;          /* by member number: its place in the order, -1 absent */
    int32_t *first;             /* by topic: where its subscribers begin in `subscribers`; one more at the end */
    int32_t *subscribers;       /* indexes, ascending within a topic */
    topic_rank *ranks;          /* topics in the order in which they are served */
    loaded *line;               /* scratch: the subscribers of one topic by (load, index) */
    int32_t *owned_first, *owned; /* scratch: partitions of one topic by owner's place in `line` */
    int32_t *place;             /* scratch: by index, its place in `line` */
    int32_t *stamp;             /* scratch: by index, the last topic it was seen to subscribe to, plus one */
} unequal;

static int32_t subscriber_count(const unequal *u, int32_t topic) { return u->first[topic + 1] - u->first[topic]; }

static void list_subscribers(unequal *u) {
    const ks_server_assignor_input *in = u->in;
    for (int32_t i = 0; i < in->order_count; i++) {
        const ks_server_member *member = &in->members[in->order[i]];
        for (int32_t t = 0; t < member->topic_count; t++) u->first[member->topics[t] + 1]++;
    }
    for (int32_t t = 0; t < in->topic_count; t++) u->first[t + 1] += u->first[t];
    for (int32_t i = in->order_count - 1; i >= 0; i--) { /* filled from the end, so that `first` need not be restored */
        const ks_server_member *member = &in->members[in->order[i]];
        for (int32_t t = 0; t < member->topic_count; t++) u->subscribers[--u->first[member->topics[t] + 1]] = i;
    }
    for (int32_t t = 0; t < in->topic_count; t++) u->first[t] = u->first[t + 1];
    int32_t total = 0;
    for (int32_t i = 0; i < in->order_count; i++) total += in->members[in->order[i]].topic_count;
    u->first[in->topic_count] = total;
}

/* Most partitions a subscriber first, then fewest subscribers, then by name. */
static int compare_ranks(const void *a, const void *b) {
    const topic_rank *x = a, *y = b;
    int64_t left = (int64_t)x->partitions * y->subscribers, right = (int64_t)y->partitions * x->subscribers;
    if (left != right) return left > right ? -1 : 1;
    if (x->subscribers != y->subscribers) return x->subscribers < y->subscribers ? -1 : 1;
    return x->topic < y->topic ? -1 : x->topic > y->topic;
}

static int32_t rank_topics(unequal *u) {
    int32_t count = 0;
    for (int32_t t = 0; t < u->in->topic_count; t++)
        if (subscriber_count(u, t) > 0)
            u->ranks[count++] = (topic_rank){ t, u->in->topics[t].partition_count, subscriber_count(u, t) };
    qsort(u->ranks, (size_t)count, sizeof *u->ranks, compare_ranks);
    return count;
}

static void keep_subscribed(unequal *u, int32_t topic_index) {
    const ks_server_topic *topic = &u->in->topics[topic_index];
    if (topic->owner == NULL) return;
    for (int32_t i = u->first[topic_index]; i < u->first[topic_index + 1]; i++) u->stamp[u->subscribers[i]] = topic_index + 1;
    for (int32_t p = 0; p < topic->partition_count; p++) {
        int32_t owner = topic->owner[p];
        int32_t index = owner >= 0 && owner < u->in->member_count ? u->index_of[owner] : -1;
        if (index < 0 || u->stamp[index] != topic_index + 1) continue;
        topic->target[p] = owner;
        u->load[index]++;
    }
}

static int compare_loaded(const void *a, const void *b) {
    const loaded *x = a, *y = b;
    if (x->load != y->load) return x->load < y->load ? -1 : 1;
    return x->index < y->index ? -1 : x->index > y->index;
}

static int32_t line_up(unequal *u, int32_t topic) {
    int32_t count = subscriber_count(u, topic);
    for (int32_t i = 0; i < count; i++) {
        int32_t index = u->subscribers[u->first[topic] + i];
        u->line[i] = (loaded){ u->load[index], index };
    }
    qsort(u->line, (size_t)count, sizeof *u->line, compare_loaded);
    return count;
}

/* ---- the two ends of the line: levels of equal load, one filled (or drained) before the next starts ---- */

typedef struct low_end {
    int32_t end, next, level; /* line[0, end) is at `level`; those before `next` have had their turn in this round */
} low_end;

static int32_t next_least(const unequal *u, low_end *low, int32_t count) {
    if (low->next >= low->end) {
        low->level = low->end == 0 ? u->line[0].load : low->level + 1;
        while (low->end < count && u->line[low->end].load == low->level) low->end++;
        low->next = 0;
    }
    return low->next;
}

static void place_free(unequal *u, int32_t topic_index) {
    const ks_server_topic *topic = &u->in->topics[topic_index];
    int32_t p = 0;
    while (p < topic->partition_count && topic->target[p] >= 0) p++;
    if (p == topic->partition_count) return;
    int32_t count = line_up(u, topic_index);
    low_end low = { 0 };
    for (; p < topic->partition_count; p++) {
        if (topic->target[p] >= 0) continue;
        loaded *taker = &u->line[next_least(u, &low, count)];
        low.next++;
        taker->load++;
        u->load[taker->index]++;
        topic->target[p] = u->in->order[taker->index];
    }
}

typedef struct high_end {
    int32_t start, next, level; /* line[start, count) is at `level` */
} high_end;

/* The next most loaded subscriber that has a partition of the topic to give; -1: none at a level above `floor`. */
static int32_t next_most(const unequal *u, high_end *high, int32_t count, int32_t floor, const int32_t *left) {
    for (;;) {
        if (high->next < high->start) {
            high->level = high->start == count ? u->line[count - 1].load : high->level - 1;
            while (high->start > 0 && u->line[high->start - 1].load >= high->level) high->start--;
            high->next = count - 1;
        }
        if (high->level <= floor) return -1;
        for (; high->next >= high->start; high->next--) {
            if (u->line[high->next].load == high->level && left[high->next] > 0) return high->next;
        }
    }
}

static void bucket_partitions(unequal *u, int32_t topic_index, int32_t count) {
    const ks_server_topic *topic = &u->in->topics[topic_index];
    for (int32_t i = 0; i < count; i++) u->place[u->line[i].index] = i;
    memset(u->owned_first, 0, ((size_t)count + 1) * sizeof *u->owned_first);
    for (int32_t p = 0; p < topic->partition_count; p++) u->owned_first[u->place[u->index_of[topic->target[p]]] + 1]++;
    for (int32_t i = 0; i < count; i++) u->owned_first[i + 1] += u->owned_first[i];
}

static bool even_out(unequal *u, int32_t topic_index, int32_t *left) {
    const ks_server_topic *topic = &u->in->topics[topic_index];
    int32_t count = subscriber_count(u, topic_index);
    if (count < 2 || topic->partition_count == 0) return false;
    line_up(u, topic_index);
    if (u->line[count - 1].load - u->line[0].load <= 1) return false;
    bucket_partitions(u, topic_index, count);
    for (int32_t i = 0; i < count; i++) left[i] = 0;
    for (int32_t p = 0; p < topic->partition_count; p++) { /* ascending within each bucket: the highest lies on top */
        int32_t place = u->place[u->index_of[topic->target[p]]];
        u->owned[u->owned_first[place] + left[place]++] = p;
    }
    bool moved = false;
    low_end low = { 0 };
    high_end high = { .start = count, .next = -1 };
    for (;;) {
        int32_t to = next_least(u, &low, count);
        int32_t from = next_most(u, &high, count, low.level + 1, left);
        if (from < 0 || high.level - low.level <= 1) return moved;
        int32_t partition = u->owned[u->owned_first[from] + --left[from]];
        low.next++;
        high.next--;
        u->line[from].load--;
        u->load[u->line[from].index]--;
        u->line[to].load++;
        u->load[u->line[to].index]++;
        topic->target[partition] = u->in->order[u->line[to].index];
        moved = true;
    }
}

static void *zeroed(ks_arena *scratch, size_t count, size_t size) { return ks_arena_alloc(scratch, (count + 2) * size); }

void ks_server_assign_uniform_unequal(const ks_server_assignor_input *in, ks_arena *scratch) {
    size_t members = (size_t)in->order_count, topics = (size_t)in->topic_count, subscriptions = 0, partitions = 0;
    for (int32_t i = 0; i < in->order_count; i++) subscriptions += (size_t)in->members[in->order[i]].topic_count;
    for (int32_t t = 0; t < in->topic_count; t++)
        if ((size_t)in->topics[t].partition_count > partitions) partitions = (size_t)in->topics[t].partition_count;
    unequal u = { .in = in,
                  .load = zeroed(scratch, members, sizeof(int32_t)),
                  .index_of = zeroed(scratch, (size_t)in->member_count, sizeof(int32_t)),
                  .first = zeroed(scratch, topics, sizeof(int32_t)),
                  .subscribers = zeroed(scratch, subscriptions, sizeof(int32_t)),
                  .ranks = zeroed(scratch, topics, sizeof(topic_rank)),
                  .line = zeroed(scratch, members, sizeof(loaded)),
                  .owned_first = zeroed(scratch, members, sizeof(int32_t)),
                  .owned = zeroed(scratch, partitions, sizeof(int32_t)),
                  .place = zeroed(scratch, members, sizeof(int32_t)),
                  .stamp = zeroed(scratch, members, sizeof(int32_t)) };
    int32_t *left = zeroed(scratch, members, sizeof(int32_t));
    for (int32_t m = 0; m < in->member_count; m++) u.index_of[m] = -1;
    for (int32_t i = 0; i < in->order_count; i++) u.index_of[in->order[i]] = i;
    list_subscribers(&u);
    int32_t count = rank_topics(&u);
    for (int32_t i = 0; i < count; i++) keep_subscribed(&u, u.ranks[i].topic);
    for (int32_t i = 0; i < count; i++) place_free(&u, u.ranks[i].topic);
    bool moved = true;
    for (int32_t sweep = 0; sweep < SWEEPS_MAX && moved; sweep++) {
        moved = false;
        for (int32_t i = 0; i < count; i++) moved |= even_out(&u, u.ranks[i].topic, left);
    }
}
