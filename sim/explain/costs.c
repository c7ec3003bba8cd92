/* SPDX-License-Identifier: Apache-2.0
 * What rebalances cost: for each partition of a group the pause from the last delivery before it was given up (or its owner died,
 * or was removed) to the first fetch that was answered after it was assigned again; the records that had piled up by then; and
 * what was delivered a second time.
 */
#include "sim/base/hash.h"
#include "sim/explain/story_internal.h"
#include "sim/protocol/events.h"

#include <utlist.h>

#define KIND(x) (kind == ks_describe_ev_##x())
#define FIELDS(x) ((const ks_ev_##x *)event->fields)

typedef struct partition_log { /* a partition of a topic */
    ks_string key;
    int64_t end;
    UT_hash_handle hh;
} partition_log;

typedef struct held { /* a partition in a group */
    ks_string key;
    ks_string group, topic;
    int32_t partition;
    partition_log *log;
    struct owner *owner;      /* NULL: nobody */
    struct held *prev, *next; /* of its owner */
    ks_string last_client;    /* who was given something of it last */
    int64_t last_delivery;    /* 0: none */
    int64_t next_offset;      /* one beyond the highest offset delivered to the group */
    int64_t position;         /* where a delivery is expected; -1: anywhere */
    int64_t committed, committed_most; /* -1: none */
    ks_string meant_for;      /* member that the leader's plan gives it to, */
    int32_t meant_in;         /* in this generation; -1: until it is meant for another */
    int32_t open, last;       /* the pause that is open, and the last one; -1 */
    UT_hash_handle hh;
} held;

typedef struct owner { /* a member: of two readers in one process each has what it has */
    ks_string member, client;
    held *has;
    struct owner *same_client; /* the next one of the same client */
    UT_hash_handle hh;
} owner;

typedef struct client { ks_string name; owner *owners; UT_hash_handle hh; } client;

typedef struct group {
    ks_string name;
    int32_t rebalance;         /* the last one that began; -1 */
    KS_VEC(int32_t) orphans;   /* pauses that began while none was under way: the next one to begin may be theirs */
    UT_hash_handle hh;
} group;

typedef struct going { /* of a member */
    ks_string member;
    KS_VEC(int32_t) began;     /* the rebalances that began because it was removed or left */
    int32_t next;              /* of them, the first one that has not begun yet */
    UT_hash_handle hh;
} going;

typedef struct ledger {
    ks_story *story;
    ks_arena *arena;
    partition_log *logs;
    held *table;
    owner *owners;
    client *clients;
    group *groups;
    going *goings;
    int32_t next_rebalance;    /* of the story, to begin */
    /* of the event at hand */
    int64_t time;
    int32_t step, event;
    owner *taker;
    ks_string group, client, member;
    int32_t generation;
} ledger;

/* ---- finding things ---- */

/* "orders" and 3 as one key; `prefix` (a group) may be null. */
static ks_string key_of(ledger *book, ks_string prefix, ks_string topic, int32_t partition, ks_buffer *text) {
    (void)book;
    ks_buffer_clear(text);
    if (prefix.size > 0) ks_buffer_append(text, prefix.data, (size_t)prefix.size);
    ks_buffer_append(text, "", 1);
    if (topic.size > 0) ks_buffer_append(text, topic.data, (size_t)topic.size);
    ks_buffer_append(text, &partition, sizeof partition);
    return (ks_string){ (const char *)text->data, (int32_t)text->size };
}

static partition_log *find_log(ledger *book, ks_string topic, int32_t partition) {
    ks_buffer text = { 0 };
    ks_string key = key_of(book, KS_NULL_STRING, topic, partition, &text);
    partition_log *found;
    KS_HASH_FIND_STRING(hh, book->logs, key, found);
    if (found == NULL) {
        found = ks_arena_alloc(book->arena, sizeof *found);
        found->key = ks_arena_string(book->arena, key);
        KS_HASH_ADD_STRING(hh, book->logs, key, found);
    }
    ks_buffer_deinit(&text);
    return found;
}

static held *find(ledger *book, ks_string in_group, ks_string topic, int32_t partition) {
    ks_buffer text = { 0 };
    ks_string key = key_of(book, in_group, topic, partition, &text);
    held *found;
    KS_HASH_FIND_STRING(hh, book->table, key, found);
    if (found == NULL) {
        found = ks_arena_alloc(book->arena, sizeof *found);
        *found = (held){ .key = ks_arena_string(book->arena, key), .group = in_group, .topic = topic, .partition = partition,
                         .log = find_log(book, topic, partition), .last_client = KS_NULL_STRING, .position = -1, .committed = -1,
                         .committed_most = -1, .open = -1, .last = -1 };
        KS_HASH_ADD_STRING(hh, book->table, key, found);
    }
    ks_buffer_deinit(&text);
    return found;
}

static client *find_client(ledger *book, ks_string name) {
    client *found;
    KS_HASH_FIND_STRING(hh, book->clients, name, found);
    if (found != NULL) return found;
    found = ks_arena_alloc(book->arena, sizeof *found);
    found->name = name;
    KS_HASH_ADD_STRING(hh, book->clients, name, found);
    return found;
}

static owner *find_owner(ledger *book, ks_string member, ks_string client_name) {
    owner *found;
    ks_string id = member.size > 0 ? member : client_name;
    KS_HASH_FIND_STRING(hh, book->owners, id, found);
    if (found != NULL) return found;
    found = ks_arena_alloc(book->arena, sizeof *found);
    found->member = id;
    found->client = client_name;
    KS_HASH_ADD_STRING(hh, book->owners, member, found);
    client *process = find_client(book, client_name);
    found->same_client = process->owners;
    process->owners = found;
    return found;
}

static group *find_group(ledger *book, ks_string name) {
    group *found;
    KS_HASH_FIND_STRING(hh, book->groups, name, found);
    if (found != NULL) return found;
    found = ks_arena_alloc(book->arena, sizeof *found);
    found->name = name;
    found->rebalance = -1;
    KS_HASH_ADD_STRING(hh, book->groups, name, found);
    return found;
}

/* ---- pauses ---- */

static void own(held *one, owner *new_owner) {
    if (one->owner != NULL) DL_DELETE(one->owner->has, one);
    one->owner = new_owner;
    if (new_owner != NULL) DL_APPEND(new_owner->has, one);
}

/* Does the last rebalance of the group take this away? A cooperative member gives up when the group is stable already: the plan
 * lacks something that it had. Whoever gives up what the plan gives it (it is being closed, it crashed) begins the next one. */
static bool is_under_way(const ledger *book, const group *in, const held *one) {
    if (in->rebalance < 0) return false;
    const ks_rebalance *last = &book->story->rebalances.items[in->rebalance];
    if (last->settled < 0 || last->settled >= book->event) return true;
    return (one->meant_in >= 0 && one->meant_in != last->generation) || !ks_string_equal(one->meant_for, one->owner->member);
}

/* `taken_by`: the rebalance that takes it; -1: the one that is under way, or else the next one that begins. */
static void open_pause(ledger *book, held *one, int32_t taken_by) {
    ks_story *story = book->story;
    group *in = find_group(book, one->group);
    if (taken_by < 0 && is_under_way(book, in, one)) taken_by = in->rebalance;
    ks_pause pause = { .group = one->group, .topic = one->topic, .partition = one->partition, .before = one->owner->client, .member = one->owner->member,
                       .after = KS_NULL_STRING, .from = one->last_delivery ? one->last_delivery : book->time,
                       .revoked_step = book->step, .resumed_step = -1, .next_paused = -1, .next_resumed = -1,
                       .rebalance = taken_by, .back_to = -1 };
    one->open = one->last = story->pauses.count;
    if (taken_by < 0) KS_PUSH(in->orphans, one->open);
    if (book->step >= 0) {
        pause.next_paused = story->steps.items[book->step].first_paused;
        story->steps.items[book->step].first_paused = one->open;
    }
    KS_PUSH(story->pauses, pause);
}

/* What was taken from nobody in particular by a rebalance that begins only now. */
static void rebalance_begins(ledger *book, ks_string name) {
    group *in = find_group(book, name);
    in->rebalance = book->next_rebalance++;
    for (int32_t i = 0; i < in->orphans.count; i++) {
        ks_pause *pause = &book->story->pauses.items[in->orphans.items[i]];
        if (pause->to == 0) pause->rebalance = in->rebalance;
    }
    in->orphans.count = 0;
}

static void given_up(void *context, ks_string topic, int32_t partition) {
    ledger *book = context;
    held *one = find(book, book->group, topic, partition);
    /* A late word of a former owner changes nothing. */
    if (one->owner == NULL || !ks_string_equal(one->owner->client, book->client)) return;
    if (book->member.size > 0 && !ks_string_equal(one->owner->member, book->member)) return;
    if (one->open < 0) open_pause(book, one, -1);
    own(one, NULL);
}

static void meant(void *context, ks_string topic, int32_t partition) {
    ledger *book = context;
    held *one = find(book, book->group, topic, partition);
    one->meant_for = book->member;
    one->meant_in = book->generation;
}

static void taken(void *context, ks_string topic, int32_t partition) {
    ledger *book = context;
    held *one = find(book, book->group, topic, partition);
    /* Nobody gave it up: the former owner was silent, or does not know yet. */
    if (one->owner != NULL && one->owner != book->taker && one->open < 0) open_pause(book, one, -1);
    own(one, book->taker);
    if (one->open >= 0) book->story->pauses.items[one->open].after = book->taker->client;
}

/* The rebalance, after those that began already, that begins because this member is removed or leaves; -1: none in its group. A
 * member of a consumer group that dies or does not give up in time while one is under way: what it kept is taken by that next one. */
static int32_t begun_by_going(ledger *book, const group *in, const owner *gone) {
    going *found;
    KS_HASH_FIND_STRING(hh, book->goings, gone->member, found);
    if (found == NULL) return -1;
    const ks_rebalance *all = book->story->rebalances.items;
    while (found->next < found->began.count && all[found->began.items[found->next]].began < book->event) found->next++;
    if (found->next == found->began.count) return -1;
    int32_t rebalance = found->began.items[found->next];
    return ks_string_equal(all[rebalance].group, in->name) ? rebalance : -1;
}

/* Everything of a member that is there no more. */
static void lose_all(ledger *book, owner *gone) {
    for (held *one = gone->has, *next; one != NULL; one = next) {
        next = one->next;
        if (one->open < 0) open_pause(book, one, begun_by_going(book, find_group(book, one->group), gone));
        own(one, NULL);
    }
}

static void came_back(ledger *book, held *one, int64_t at) {
    if (one->open < 0 || one->owner == NULL) return;
    ks_pause *pause = &book->story->pauses.items[one->open];
    pause->to = book->time;
    pause->resumed_step = book->step;
    pause->lag = one->log->end > at ? one->log->end - at : 0;
    one->position = at;
    one->open = -1;
    if (book->step < 0) return;
    ks_step *step = &book->story->steps.items[book->step];
    step->resumes = true;
    pause->next_resumed = step->first_resumed;
    step->first_resumed = one->last;
}

/* ---- events ---- */

static void on_delivery(ledger *book, const ks_ev_records_delivered *delivered) {
    if (delivered->group.size <= 0) return;
    held *one = find(book, delivered->group, delivered->topic, delivered->partition);
    bool owns = one->owner != NULL && ks_string_equal(one->owner->client, delivered->client);
    if (owns) came_back(book, one, delivered->first_offset);
    if (delivered->first_offset < one->next_offset) {
        int64_t last = delivered->last_offset < one->next_offset ? delivered->last_offset : one->next_offset - 1;
        KS_PUSH(book->story->again, ((ks_again){ book->event, delivered->first_offset, last }));
        bool goes_on = one->last >= 0 && owns && (one->position < 0 || one->position == delivered->first_offset);
        if (goes_on) { /* else the application itself went back */
            ks_pause *pause = &book->story->pauses.items[one->last];
            if (pause->back_to < 0) {
                pause->back_to = delivered->first_offset;
                pause->set_back = one->committed_most > delivered->first_offset;
            }
            pause->read_again += last - delivered->first_offset + 1;
        }
    }
    if (owns) one->position = delivered->last_offset + 1;
    if (delivered->last_offset >= one->next_offset) one->next_offset = delivered->last_offset + 1;
    one->last_delivery = book->time;
    one->last_client = delivered->client;
}

static void on_commit(ledger *book, const ks_ev_offsets_committed *committed) {
    for (int32_t p = 0; p < committed->partitions.count; p++) {
        held *one = find(book, committed->group, committed->topic, committed->partitions.items[p].partition);
        one->committed = committed->partitions.items[p].offset;
        if (one->committed > one->committed_most) one->committed_most = one->committed;
    }
}

static void on_member_gone(ledger *book, ks_string member) {
    owner *found = NULL;
    if (member.size > 0) KS_HASH_FIND_STRING(hh, book->owners, member, found);
    if (found != NULL) lose_all(book, found);
}

static void on_crash(ledger *book, ks_string name) {
    client *process;
    KS_HASH_FIND_STRING(hh, book->clients, name, process);
    if (process == NULL) return;
    for (owner *one = process->owners; one != NULL; one = one->same_client) lose_all(book, one);
}

static void on_topic_deleted(ledger *book, ks_string topic) {
    for (held *one = book->table; one != NULL; one = one->hh.next) {
        if (!ks_string_equal(one->topic, topic)) continue;
        one->log->end = one->next_offset = 0;
        one->position = one->committed = one->committed_most = -1;
    }
}

static void see(ledger *book, const ks_recorded *event) {
    const ks_struct *kind = event->kind;
    if (KIND(records_delivered)) on_delivery(book, event->fields);
    else if (KIND(records_appended)) {
        const ks_ev_records_appended *e = event->fields;
        if (e->client.size > 0) find_log(book, e->topic, e->partition)->end = e->last_offset + 1;
    } else if (KIND(offsets_committed)) on_commit(book, event->fields);
    else if (KIND(offsets_deleted)) {
        const ks_ev_offsets_deleted *e = event->fields;
        find(book, e->group, e->topic, e->partition)->committed = -1;
    } else if (KIND(rebalance_started)) rebalance_begins(book, FIELDS(rebalance_started)->group);
    else if (KIND(client_partitions_revoked) || KIND(client_partitions_lost)) {
        const ks_ev_client_partitions_revoked *e = event->fields; /* both kinds have the same fields */
        book->client = e->client;
        book->member = e->member;
        book->group = e->group;
        ks_partitions_each(e->partitions, given_up, book);
    } else if (KIND(client_partitions_assigned)) {
        const ks_ev_client_partitions_assigned *e = event->fields;
        if (e->partitions.size <= 0) return;
        book->group = e->group;
        book->taker = find_owner(book, e->member, e->client);
        ks_partitions_each(e->partitions, taken, book);
    } else if (KIND(client_fetch_began)) {
        const ks_ev_client_fetch_began *e = event->fields;
        held *one = find(book, e->group, e->topic, e->partition);
        if (one->owner != NULL && ks_string_equal(one->owner->client, e->client)) came_back(book, one, e->offset);
    } else if (KIND(group_assignment_stored)) {
        const ks_ev_group_assignment_stored *e = event->fields;
        book->group = e->group;
        book->member = e->member;
        book->generation = e->generation;
        ks_partitions_each(e->assignment, meant, book);
    } else if (KIND(group_member_target_changed)) { /* of a consumer group: only whose target is another one now is named */
        const ks_ev_group_member_target_changed *e = event->fields;
        book->group = e->group;
        book->member = e->member;
        book->generation = -1;
        ks_partitions_each(e->target, meant, book);
    } else if (KIND(node_crashed)) on_crash(book, FIELDS(node_crashed)->name);
    else if (KIND(group_member_expired) || KIND(group_member_removed) || KIND(group_member_left)) {
        const ks_ev_group_member_left *e = event->fields; /* the three have the same fields */
        on_member_gone(book, e->member);
    } else if (KIND(topic_deleted)) on_topic_deleted(book, FIELDS(topic_deleted)->topic);
}

static void learn_goings(ledger *book) {
    static const char *const reasons[] = { "session_timeout", "rebalance_timeout", "member_left", NULL };
    for (int32_t r = 0; r < book->story->rebalances.count; r++) {
        const ks_ev_rebalance_started *e = book->story->recording->events.items[book->story->rebalances.items[r].began].fields;
        bool goes = false;
        for (int i = 0; reasons[i] != NULL; i++) goes = goes || ks_string_equal(e->reason, ks_str(reasons[i]));
        if (!goes || e->member.size <= 0) continue;
        going *one;
        KS_HASH_FIND_STRING(hh, book->goings, e->member, one);
        if (one == NULL) {
            one = ks_arena_alloc(book->arena, sizeof *one);
            one->member = e->member;
            KS_HASH_ADD_STRING(hh, book->goings, member, one);
        }
        KS_PUSH(one->began, r);
    }
}

void ks_story_count_pauses(ks_story *story) {
    ledger book = { .story = story, .arena = ks_arena_new(), .member = KS_NULL_STRING };
    learn_goings(&book);
    int32_t latest = -1;
    for (int32_t i = 0; i < story->recording->events.count; i++) {
        const ks_recorded *event = &story->recording->events.items[i];
        while (latest + 1 < story->steps.count && story->steps.items[latest + 1].event <= i) latest++;
        book.time = event->time;
        book.event = i;
        /* What the application itself did has no step that caused it: it is told where it happened. */
        book.step = story->step_of_event[i] >= 0 ? story->step_of_event[i] : latest;
        see(&book, event);
    }
    for (const held *one = book.table; one != NULL; one = one->hh.next) {
        if (one->open < 0) continue;
        int64_t at = one->committed >= 0 ? one->committed : 0;
        story->pauses.items[one->open].lag = one->log->end > at ? one->log->end - at : 0;
    }
    for (group *g = book.groups; g != NULL; g = g->hh.next) ks_free(g->orphans.items);
    HASH_CLEAR(hh, book.logs);
    HASH_CLEAR(hh, book.table);
    HASH_CLEAR(hh, book.owners);
    HASH_CLEAR(hh, book.clients);
    for (going *one = book.goings; one != NULL; one = one->hh.next) ks_free(one->began.items);
    HASH_CLEAR(hh, book.groups);
    HASH_CLEAR(hh, book.goings);
    ks_arena_free(book.arena);
}

const ks_again *ks_story_again(const ks_story *story, int32_t event) {
    int32_t low = 0, high = story->again.count - 1;
    while (low <= high) {
        int32_t middle = low + (high - low) / 2;
        if (story->again.items[middle].event == event) return &story->again.items[middle];
        if (story->again.items[middle].event < event) low = middle + 1;
        else high = middle - 1;
    }
    return NULL;
}
