/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/explain/fold.h"

#include "sim/base/hash.h"
#include "sim/explain/story_internal.h"
#include "sim/protocol/events.h"

#define KIND(x) (kind == ks_describe_ev_##x())
#define FIELDS(x) ((const ks_ev_##x *)event->fields)

typedef struct named { ks_string name; int32_t index; UT_hash_handle hh; } named;

typedef struct frame { /* a copy of all that changes */
    ks_fold_partition *partitions;
    ks_fold_group *groups;
    ks_fold_share *shares;
    ks_fold_node *nodes;
} frame;

typedef struct insides {
    ks_arena *arena;
    named *partitions, *groups, *clients, *nodes;
    int32_t *first_event; /* of each step: events [first_event[i], first_event[i + 1]) happen from step i to the next */
    frame *frames;
    int32_t frame_count;
    int32_t distance; /* of keyframes, in steps */
    ks_fold_share *shares; /* of all groups */
    int32_t group, client; /* of the event being applied */
} insides;

static int32_t index_of(insides *in, named **table, ks_string name, bool add) {
    named *found;
    KS_HASH_FIND_STRING(hh, *table, name, found);
    if (found != NULL) return found->index;
    if (!add) return -1;
    found = ks_arena_alloc(in->arena, sizeof *found);
    found->name = ks_arena_string(in->arena, name);
    found->index = (int32_t)HASH_COUNT(*table);
    named *head = *table;
    KS_HASH_ADD_STRING(hh, head, name, found);
    *table = head;
    return found->index;
}

static int32_t partition_of(ks_fold *fold, ks_string topic, int32_t partition, bool add) {
    char name[300];
    if (topic.size <= 0 || topic.size > 249 || ks_topic_is_internal(topic)) return -1;
    memcpy(name, topic.data, (size_t)topic.size);
    memcpy(name + topic.size, &partition, sizeof partition);
    insides *in = fold->internal;
    return index_of(in, &in->partitions, (ks_string){ name, topic.size + 4 }, add);
}

/* ---- which partitions, groups and clients there are in the whole run ---- */

typedef struct gather { ks_fold *fold; KS_VEC(ks_fold_partition) partitions; int32_t brokers; } gather;

static void see_partition(void *context, ks_string topic, int32_t partition) {
    gather *g = context;
    int32_t index = partition_of(g->fold, topic, partition, true);
    if (index == g->partitions.count) KS_PUSH(g->partitions, ((ks_fold_partition){ .topic = topic, .partition = partition, .leader = 0 }));
}

/* "broker-12" */
static int32_t broker_number(ks_string name) {
    int32_t number = 0;
    if (name.size < 8 || name.size > 12 || memcmp(name.data, "broker-", 7) != 0) return 0;
    for (int32_t i = 7; i < name.size; i++) {
        if (name.data[i] < '0' || name.data[i] > '9') return 0;
        number = number * 10 + (name.data[i] - '0');
    }
    return number <= 1000 ? number : 0;
}

static void see_node(gather *g, const ks_recorded *event) {
    const ks_struct *kind = event->kind;
    int32_t broker = KIND(partition_created) ? FIELDS(partition_created)->leader : KIND(leader_changed) ? FIELDS(leader_changed)->to : broker_number(event->node);
    if (broker > g->brokers && broker <= 1000) g->brokers = broker;
    if (broker_number(event->node) == 0 && event->node.size > 0) index_of(g->fold->internal, &((insides *)g->fold->internal)->nodes, event->node, true);
}

static void list_nodes(ks_fold *fold, int32_t brokers) {
    insides *in = fold->internal;
    fold->node_count = brokers + (int32_t)HASH_COUNT(in->nodes);
    fold->nodes = ks_alloc((size_t)(fold->node_count + 1) * sizeof *fold->nodes);
    for (int32_t b = 0; b < brokers; b++) fold->nodes[b] = (ks_fold_node){ ks_arena_printf(in->arena, "broker-%d", b + 1), KS_FOLD_UP, true };
    for (named *n = in->nodes; n != NULL; n = n->hh.next) {
        n->index += brokers;
        fold->nodes[n->index] = (ks_fold_node){ n->name, KS_FOLD_NOT_YET, false };
    }
}

static void gather_names(ks_fold *fold) {
    insides *in = fold->internal;
    gather g = { .fold = fold };
    const ks_recording *recording = fold->story->recording;
    for (int32_t i = 0; i < recording->events.count; i++) {
        const ks_recorded *event = &recording->events.items[i];
        const ks_struct *kind = event->kind;
        see_node(&g, event);
        if (KIND(topic_created)) {
            for (int32_t p = 0; p < FIELDS(topic_created)->partitions; p++) see_partition(&g, FIELDS(topic_created)->topic, p);
        } else if (KIND(partition_created)) see_partition(&g, FIELDS(partition_created)->topic, FIELDS(partition_created)->partition);
        else if (KIND(partitions_added)) {
            for (int32_t p = FIELDS(partitions_added)->from < 0 ? 0 : FIELDS(partitions_added)->from; p < FIELDS(partitions_added)->to; p++) see_partition(&g, FIELDS(partitions_added)->topic, p);
        } else if (KIND(records_appended)) see_partition(&g, FIELDS(records_appended)->topic, FIELDS(records_appended)->partition);
        else if (KIND(offsets_committed)) {
            const ks_ev_offsets_committed *e = event->fields;
            for (int32_t p = 0; p < e->partitions.count; p++) see_partition(&g, e->topic, e->partitions.items[p].partition);
            index_of(in, &in->groups, e->group, true);
        } else if (KIND(records_delivered)) {
            see_partition(&g, FIELDS(records_delivered)->topic, FIELDS(records_delivered)->partition);
            if (FIELDS(records_delivered)->group.size > 0) index_of(in, &in->groups, FIELDS(records_delivered)->group, true);
        } else if (KIND(group_state_changed)) index_of(in, &in->groups, FIELDS(group_state_changed)->group, true);
        else if (KIND(client_partitions_assigned)) {
            ks_partitions_each(FIELDS(client_partitions_assigned)->partitions, see_partition, &g);
            index_of(in, &in->groups, FIELDS(client_partitions_assigned)->group, true);
            index_of(in, &in->clients, FIELDS(client_partitions_assigned)->client, true);
        }
    }
    list_nodes(fold, g.brokers);
    fold->partitions = g.partitions.items;
    fold->partition_count = g.partitions.count;
    fold->group_count = (int32_t)HASH_COUNT(in->groups);
    fold->client_count = (int32_t)HASH_COUNT(in->clients);
    fold->groups = ks_alloc((size_t)(fold->group_count + 1) * sizeof *fold->groups);
    fold->clients = ks_alloc((size_t)(fold->client_count + 1) * sizeof *fold->clients);
    in->shares = ks_alloc(((size_t)fold->group_count * (size_t)fold->partition_count + 1) * sizeof *in->shares);
    for (named *n = in->groups; n != NULL; n = n->hh.next) {
        fold->groups[n->index].name = n->name;
        fold->groups[n->index].shares = in->shares + (size_t)n->index * (size_t)fold->partition_count;
    }
    for (named *n = in->clients; n != NULL; n = n->hh.next) fold->clients[n->index] = n->name;
    for (int64_t i = 0; i < (int64_t)fold->group_count * fold->partition_count; i++) in->shares[i] = (ks_fold_share){ -1, -1, -1 };
}

/* ---- applying events ---- */

static void gain(void *context, ks_string topic, int32_t partition) {
    ks_fold *fold = context;
    insides *in = fold->internal;
    int32_t p = partition_of(fold, topic, partition, false);
    if (p < 0 || in->group < 0) return;
    ks_fold_share *share = &fold->groups[in->group].shares[p];
    if (share->owner != in->client) share->position = share->committed; /* where a new owner begins */
    share->owner = in->client;
}

/* Only its owner can give a partition up: a late word of a former one changes nothing. */
static void release(void *context, ks_string topic, int32_t partition) {
    ks_fold *fold = context;
    insides *in = fold->internal;
    int32_t p = partition_of(fold, topic, partition, false);
    if (p < 0 || in->group < 0 || fold->groups[in->group].shares[p].owner != in->client) return;
    fold->groups[in->group].shares[p].owner = -1;
    fold->groups[in->group].shares[p].position = -1;
}

static void crashed(ks_fold *fold, ks_string name) {
    insides *in = fold->internal;
    int32_t client = index_of(in, &in->clients, name, false);
    if (client < 0) return;
    for (int64_t i = 0; i < (int64_t)fold->group_count * fold->partition_count; i++)
        if (in->shares[i].owner == client) in->shares[i].owner = in->shares[i].position = -1;
}

static void committed(ks_fold *fold, ks_string group, ks_string topic, int32_t partition, int64_t offset) {
    insides *in = fold->internal;
    int32_t g = index_of(in, &in->groups, group, false), p = partition_of(fold, topic, partition, false);
    if (p >= 0 && g >= 0) fold->groups[g].shares[p].committed = offset;
}

static void live(ks_fold *fold, ks_string name, ks_fold_life life) {
    insides *in = fold->internal;
    int32_t broker = broker_number(name), index = broker > 0 ? broker - 1 : index_of(in, &in->nodes, name, false);
    if (index >= 0 && index < fold->node_count) fold->nodes[index].life = life;
}

/* A trace need not have seen a process start. */
static void heard(ks_fold *fold, ks_string name) {
    insides *in = fold->internal;
    int32_t index = index_of(in, &in->nodes, name, false);
    if (index >= 0 && fold->nodes[index].life == KS_FOLD_NOT_YET) fold->nodes[index].life = KS_FOLD_UP;
}

static void apply(ks_fold *fold, const ks_recorded *event) {
    insides *in = fold->internal;
    const ks_struct *kind = event->kind;
    int32_t p = -1;
    if (KIND(records_appended)) {
        p = partition_of(fold, FIELDS(records_appended)->topic, FIELDS(records_appended)->partition, false);
        if (p >= 0) fold->partitions[p].end = FIELDS(records_appended)->last_offset + 1, fold->partitions[p].exists = true;
    } else if (KIND(log_start_advanced)) {
        p = partition_of(fold, FIELDS(log_start_advanced)->topic, FIELDS(log_start_advanced)->partition, false);
        if (p >= 0) fold->partitions[p].start = FIELDS(log_start_advanced)->to;
    } else if (KIND(partition_created)) {
        p = partition_of(fold, FIELDS(partition_created)->topic, FIELDS(partition_created)->partition, false);
        if (p >= 0) {
            fold->partitions[p].exists = true;
            fold->partitions[p].leader = FIELDS(partition_created)->leader;
            fold->partitions[p].start = fold->partitions[p].end = 0;
        }
    } else if (KIND(topic_created)) {
        for (int32_t i = 0; i < FIELDS(topic_created)->partitions; i++) {
            p = partition_of(fold, FIELDS(topic_created)->topic, i, false);
            if (p >= 0) fold->partitions[p].exists = true;
        }
    } else if (KIND(topic_deleted)) {
        for (p = 0; p < fold->partition_count; p++) {
            if (!ks_string_equal(fold->partitions[p].topic, FIELDS(topic_deleted)->topic)) continue;
            fold->partitions[p].exists = false;
            fold->partitions[p].start = fold->partitions[p].end = 0;
        }
    } else if (KIND(leader_changed)) {
        p = partition_of(fold, FIELDS(leader_changed)->topic, FIELDS(leader_changed)->partition, false);
        if (p >= 0) fold->partitions[p].leader = FIELDS(leader_changed)->to;
    } else if (KIND(offsets_committed)) {
        const ks_ev_offsets_committed *e = event->fields;
        for (int32_t i = 0; i < e->partitions.count; i++) committed(fold, e->group, e->topic, e->partitions.items[i].partition, e->partitions.items[i].offset);
    } else if (KIND(offsets_deleted)) {
        committed(fold, FIELDS(offsets_deleted)->group, FIELDS(offsets_deleted)->topic, FIELDS(offsets_deleted)->partition, -1);
    } else if (KIND(records_delivered)) {
        p = partition_of(fold, FIELDS(records_delivered)->topic, FIELDS(records_delivered)->partition, false);
        int32_t g = index_of(in, &in->groups, FIELDS(records_delivered)->group, false);
        if (p < 0 || g < 0) return;
        ks_fold_share *share = &fold->groups[g].shares[p];
        if (share->owner >= 0 && share->owner != index_of(in, &in->clients, FIELDS(records_delivered)->client, false)) return; /* a former owner */
        share->position = FIELDS(records_delivered)->last_offset + 1;
    } else if (KIND(client_fetch_began)) { /* where its new owner goes on */
        p = partition_of(fold, FIELDS(client_fetch_began)->topic, FIELDS(client_fetch_began)->partition, false);
        int32_t g = index_of(in, &in->groups, FIELDS(client_fetch_began)->group, false);
        if (p >= 0 && g >= 0) fold->groups[g].shares[p].position = FIELDS(client_fetch_began)->offset;
    } else if (KIND(position_reset)) {
        p = partition_of(fold, FIELDS(position_reset)->topic, FIELDS(position_reset)->partition, false);
        int32_t g = index_of(in, &in->groups, FIELDS(position_reset)->group, false);
        if (p >= 0 && g >= 0) fold->groups[g].shares[p].position = FIELDS(position_reset)->to;
    } else if (KIND(group_loaded)) { /* by another coordinator, which knows what was written and nothing else */
        int32_t g = index_of(in, &in->groups, FIELDS(group_loaded)->group, false);
        if (g < 0) return;
        fold->groups[g].state = FIELDS(group_loaded)->state;
        fold->groups[g].generation = FIELDS(group_loaded)->generation;
        fold->groups[g].exists = true;
        fold->groups[g].coordinator = event->node;
    } else if (KIND(group_state_changed)) {
        int32_t g = index_of(in, &in->groups, FIELDS(group_state_changed)->group, false);
        if (g < 0) return;
        fold->groups[g].state = FIELDS(group_state_changed)->to;
        fold->groups[g].generation = FIELDS(group_state_changed)->generation;
        fold->groups[g].exists = true;
        fold->groups[g].coordinator = event->node;
    } else if (KIND(group_deleted)) {
        int32_t g = index_of(in, &in->groups, FIELDS(group_deleted)->group, false);
        if (g >= 0) fold->groups[g].exists = false;
    } else if (KIND(client_partitions_assigned) || KIND(client_partitions_revoked) || KIND(client_partitions_lost)) {
        const ks_ev_client_partitions_assigned *e = event->fields; /* the three have the same fields */
        in->group = index_of(in, &in->groups, e->group, false);
        in->client = index_of(in, &in->clients, e->client, false);
        ks_partitions_each(e->partitions, KIND(client_partitions_assigned) ? gain : release, fold);
    } else if (KIND(node_crashed)) {
        crashed(fold, FIELDS(node_crashed)->name);
        live(fold, FIELDS(node_crashed)->name, KS_FOLD_DOWN);
    } else if (KIND(request_sent)) heard(fold, FIELDS(request_sent)->from);
    else if (KIND(node_started)) live(fold, FIELDS(node_started)->name, KS_FOLD_UP);
    else if (KIND(node_paused)) live(fold, FIELDS(node_paused)->name, KS_FOLD_PAUSED);
    else if (KIND(node_resumed)) live(fold, FIELDS(node_resumed)->name, KS_FOLD_UP);
}

static void apply_step(ks_fold *fold, int32_t index) {
    const insides *in = fold->internal;
    for (int32_t i = in->first_event[index]; i < in->first_event[index + 1]; i++) apply(fold, &fold->story->recording->events.items[i]);
    fold->at = index;
}

/* ---- keyframes ---- */

static size_t share_bytes(const ks_fold *fold) {
    return (size_t)fold->group_count * (size_t)fold->partition_count * sizeof(ks_fold_share);
}

static size_t frame_bytes(const ks_fold *fold) {
    return share_bytes(fold) + (size_t)fold->partition_count * sizeof(ks_fold_partition) + (size_t)fold->group_count * sizeof(ks_fold_group) +
           (size_t)fold->node_count * sizeof(ks_fold_node);
}

/* Doubled until all frames fit, or only the first is left. */
static int32_t choose_distance(const ks_fold *fold) {
    size_t most = KS_FOLD_KEPT_MAX / (frame_bytes(fold) + 1);
    int64_t distance = KS_FOLD_KEYFRAME, steps = fold->story->steps.count;
    while (distance <= steps && (size_t)(steps / distance + 1) > most) distance *= 2;
    return distance > INT32_MAX ? INT32_MAX : (int32_t)distance;
}

static void save(const ks_fold *fold, frame *f) {
    const insides *in = fold->internal;
    f->partitions = ks_alloc((size_t)(fold->partition_count + 1) * sizeof *f->partitions);
    f->groups = ks_alloc((size_t)(fold->group_count + 1) * sizeof *f->groups);
    f->shares = ks_alloc(share_bytes(fold) + 1);
    f->nodes = ks_alloc((size_t)(fold->node_count + 1) * sizeof *f->nodes);
    if (fold->node_count > 0) memcpy(f->nodes, fold->nodes, (size_t)fold->node_count * sizeof *f->nodes);
    if (fold->partition_count > 0) memcpy(f->partitions, fold->partitions, (size_t)fold->partition_count * sizeof *f->partitions);
    if (fold->group_count > 0) memcpy(f->groups, fold->groups, (size_t)fold->group_count * sizeof *f->groups);
    memcpy(f->shares, in->shares, share_bytes(fold));
}

static void restore(ks_fold *fold, const frame *f) {
    insides *in = fold->internal;
    if (fold->partition_count > 0) memcpy(fold->partitions, f->partitions, (size_t)fold->partition_count * sizeof *f->partitions);
    if (fold->group_count > 0) memcpy(fold->groups, f->groups, (size_t)fold->group_count * sizeof *f->groups);
    if (fold->node_count > 0) memcpy(fold->nodes, f->nodes, (size_t)fold->node_count * sizeof *f->nodes);
    memcpy(in->shares, f->shares, share_bytes(fold));
}

ks_fold *ks_fold_new(const ks_story *story) {
    ks_fold *fold = ks_alloc(sizeof *fold);
    insides *in = ks_alloc(sizeof *in);
    fold->story = story;
    fold->internal = in;
    fold->at = -1;
    in->arena = ks_arena_new();
    gather_names(fold);
    in->first_event = ks_alloc((size_t)(story->steps.count + 1) * sizeof *in->first_event);
    for (int32_t i = 0; i < story->steps.count; i++) in->first_event[i] = i == 0 ? 0 : story->steps.items[i].event;
    in->first_event[story->steps.count] = story->recording->events.count;
    in->distance = choose_distance(fold);
    in->frame_count = story->steps.count / in->distance + 1;
    in->frames = ks_alloc((size_t)in->frame_count * sizeof *in->frames);
    for (int32_t i = 0; i <= story->steps.count; i++) {
        if (i % in->distance == 0) save(fold, &in->frames[i / in->distance]);
        if (i < story->steps.count) apply_step(fold, i);
    }
    return fold;
}

void ks_fold_free(ks_fold *fold) {
    if (fold == NULL) return;
    insides *in = fold->internal;
    for (int32_t i = 0; i < in->frame_count; i++) {
        ks_free(in->frames[i].partitions);
        ks_free(in->frames[i].groups);
        ks_free(in->frames[i].shares);
        ks_free(in->frames[i].nodes);
    }
    ks_free(in->frames);
    ks_free(in->first_event);
    ks_free(in->shares);
    HASH_CLEAR(hh, in->partitions);
    HASH_CLEAR(hh, in->groups);
    HASH_CLEAR(hh, in->clients);
    HASH_CLEAR(hh, in->nodes);
    ks_arena_free(in->arena);
    ks_free(in);
    ks_free(fold->partitions);
    ks_free(fold->groups);
    ks_free(fold->clients);
    ks_free(fold->nodes);
    ks_free(fold);
}

void ks_fold_seek(ks_fold *fold, int32_t index) {
    const insides *in = fold->internal;
    if (index >= fold->story->steps.count) index = fold->story->steps.count - 1;
    if (index < -1) index = -1;
    if (index < fold->at || index - fold->at > in->distance) {
        int32_t key = (index + 1) / in->distance; /* frame k holds the state before step k * distance */
        restore(fold, &in->frames[key]);
        fold->at = key * in->distance - 1;
    }
    while (fold->at < index) apply_step(fold, fold->at + 1);
}

size_t ks_fold_kept(const ks_fold *fold) { return (size_t)((const insides *)fold->internal)->frame_count * frame_bytes(fold); }
