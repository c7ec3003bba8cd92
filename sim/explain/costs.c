/* SPDX-License-Identifier: Apache-2.0
 * What rebalances cost: for each partition of a group the pause from the last delivery before it was given up (or its owner
 * died) to the first fetch answered after it was assigned again, and what was delivered a second time.
 */
#include "sim/base/hash.h"
#include "sim/explain/story_internal.h"
#include "sim/protocol/events.h"
#include "sim/protocol/messages.h"

typedef struct held {
    ks_string key; /* group NUL topic NUL partition */
    ks_string group, topic;
    int32_t partition;
    ks_string owner;          /* client; null: nobody */
    int64_t last_delivery;    /* 0: none */
    int64_t next;             /* one beyond the highest offset delivered to the group */
    int32_t open;             /* index of the pause that is open; -1 */
    UT_hash_handle hh;
} held;

typedef struct ledger {
    ks_story *story;
    held *table;
    ks_string client, group;
    int64_t time;
    int32_t step;
} ledger;

static held *find(ledger *book, ks_string group, ks_string topic, int32_t partition) {
    char text[1024];
    int32_t size = group.size + topic.size + 16 > (int32_t)sizeof text ? 0 : group.size + topic.size;
    if (size == 0) return NULL;
    memcpy(text, group.data, (size_t)group.size);
    memcpy(text + group.size, topic.data, (size_t)topic.size);
    memcpy(text + size, &partition, sizeof partition);
    text[size + 4] = (char)group.size;
    ks_string key = { text, size + 5 };
    held *found;
    KS_HASH_FIND_STRING(hh, book->table, key, found);
    if (found != NULL) return found;
    found = ks_arena_alloc(book->story->arena, sizeof *found);
    found->key = ks_arena_string(book->story->arena, key);
    found->group = group;
    found->topic = topic;
    found->partition = partition;
    found->owner = KS_NULL_STRING;
    found->open = -1;
    KS_HASH_ADD_STRING(hh, book->table, key, found);
    return found;
}

static void given_up(void *context, ks_string topic, int32_t partition) {
    ledger *book = context;
    held *one = find(book, book->group, topic, partition);
    if (one == NULL || !ks_string_equal(one->owner, book->client)) return;
    if (one->open < 0) {
        ks_pause pause = { .group = one->group, .topic = one->topic, .partition = partition, .before = one->owner,
                           .after = KS_NULL_STRING, .from = one->last_delivery ? one->last_delivery : book->time,
                           .revoked_step = book->step, .resumed_step = -1 };
        KS_PUSH(book->story->pauses, pause);
        one->open = book->story->pauses.count - 1;
    }
    one->owner = KS_NULL_STRING;
}

static void taken(void *context, ks_string topic, int32_t partition) {
    ledger *book = context;
    held *one = find(book, book->group, topic, partition);
    if (one == NULL) return;
    one->owner = book->client;
    if (one->open >= 0) book->story->pauses.items[one->open].after = book->client;
}

/* A fetch or delivery for the owner ends the pause. */
static void came_back(ledger *book, held *one) {
    if (one->open < 0 || one->owner.size < 0) return;
    ks_pause *pause = &book->story->pauses.items[one->open];
    pause->to = book->time;
    pause->resumed_step = book->step;
    if (book->step >= 0) book->story->steps.items[book->step].resumes = true;
    one->open = -1;
}

static void on_delivery(ledger *book, const ks_ev_records_delivered *delivered) {
    held *one = find(book, delivered->group, delivered->topic, delivered->partition);
    if (one == NULL || delivered->group.size <= 0) return;
    if (one->owner.size < 0) one->owner = delivered->client;
    came_back(book, one);
    if (delivered->first_offset < one->next) {
        int64_t last = delivered->last_offset < one->next ? delivered->last_offset : one->next - 1;
        for (int32_t p = book->story->pauses.count - 1; p >= 0; p--) {
            ks_pause *pause = &book->story->pauses.items[p];
            if (pause->partition != one->partition || !ks_string_equal(pause->topic, one->topic) ||
                !ks_string_equal(pause->group, one->group))
                continue;
            pause->read_again += last - delivered->first_offset + 1;
            break;
        }
    }
    if (delivered->last_offset >= one->next) one->next = delivered->last_offset + 1;
    one->last_delivery = book->time;
}

/* A crashed process gives nothing up; its partitions wait from its last delivery all the same. */
static void on_crash(ledger *book, ks_string client) {
    for (held *one = book->table; one != NULL; one = one->hh.next) {
        if (!ks_string_equal(one->owner, client)) continue;
        book->group = one->group;
        book->client = client;
        given_up(book, one->topic, one->partition);
    }
}

static void on_fetch_answered(ledger *book, ks_string client, ks_string topic, int32_t partition) {
    for (held *one = book->table; one != NULL; one = one->hh.next)
        if (one->open >= 0 && one->partition == partition && ks_string_equal(one->topic, topic) && ks_string_equal(one->owner, client))
            came_back(book, one);
}

void ks_story_count_pauses(ks_story *story) {
    ledger book = { .story = story };
    int32_t open = 0; /* so that fetches are looked at only while something is paused */
    int32_t latest = -1;
    for (int32_t i = 0; i < story->recording->events.count; i++) {
        const ks_recorded *event = &story->recording->events.items[i];
        const ks_struct *kind = event->kind;
        while (latest + 1 < story->steps.count && story->steps.items[latest + 1].event <= i) latest++;
        book.time = event->time;
        /* What the application itself did has no step that caused it: it is told where it happened. */
        book.step = story->step_of_event[i] >= 0 ? story->step_of_event[i] : latest;
        if (kind == ks_describe_ev_records_delivered()) on_delivery(&book, event->fields);
        else if (kind == ks_describe_ev_client_partitions_revoked() || kind == ks_describe_ev_client_partitions_lost()) {
            const ks_ev_client_partitions_revoked *gone = event->fields; /* both kinds have the same fields */
            book.client = gone->client;
            book.group = gone->group;
            ks_partitions_each(gone->partitions, given_up, &book);
        } else if (kind == ks_describe_ev_client_partitions_assigned()) {
            const ks_ev_client_partitions_assigned *got = event->fields;
            book.client = got->client;
            book.group = got->group;
            ks_partitions_each(got->partitions, taken, &book);
        } else if (kind == ks_describe_ev_node_crashed()) {
            on_crash(&book, ((const ks_ev_node_crashed *)event->fields)->name);
        } else if (kind == ks_describe_ev_fetch_completed()) {
            const ks_ev_fetch_completed *fetched = event->fields;
            open = 0;
            for (int32_t p = story->pauses.count - 1; p >= 0 && p >= story->pauses.count - 64; p--) open += story->pauses.items[p].to == 0;
            if (open > 0) on_fetch_answered(&book, fetched->client, fetched->topic, fetched->partition);
        }
    }
    HASH_CLEAR(hh, book.table);
}
