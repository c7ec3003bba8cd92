/* SPDX-License-Identifier: Apache-2.0
 *
 * See consumer_group_reader.h.
 */
#include "sim/client/consumer_group_reader.h"

#include <stdio.h>

#include "sim/protocol/events.h"

struct ks_reader {
    ks_reader_config config;
    const ks_reader_events *events;
    void *owner;
    ks_process *process;
    ks_fetcher_queue queue;
    ks_read_partitions partitions;
    ks_fetcher *fetchers; /* the present set, in the order of their partitions */
    ks_fetcher *retired;  /* stopping: a fetch that may not be interrupted is under way */
    uint64_t version;     /* of the present set; 0: there has been none */
    bool closing, closed, dead;
    int64_t offset, lag;
    ks_membership *member;
    ks_generation *generation; /* held while its partitions are fetched */
    bool subscribed;           /* the fetchers count as a function of the generation */
    int32_t failures;          /* rounds of joining in a row */
    kafka_error trouble;       /* that a fetcher met last, and which */
    const ks_read_partition *troubled;
    kafka_error joining_failed; /* the last round of joining */
    const char *joining_step;
    ks_commits commits;
    ks_read_partition *delivered, **delivered_end; /* with a run that the trace has not told */
    ks_timer tell, say_closed;
};

static ks_kernel *kernel_of(const ks_reader *reader) { return ks_process_kernel(reader->process); }

/* ---- the trace of what was delivered ---- */

static void tell_one(ks_reader *reader, ks_read_partition *partition) {
    ks_node *node = ks_process_node(reader->process);
    ks_string member = reader->generation ? ks_generation_member_id(reader->generation) : KS_NULL_STRING;
    KS_EMIT(kernel_of(reader), node, records_delivered, .client = ks_str(ks_node_name(node)),
            .group = reader->config.fetchers.group, .member = member, .topic = partition->topic,
            .partition = partition->partition, .first_offset = partition->first_delivered,
            .last_offset = partition->last_delivered, .count = partition->delivered);
    partition->delivered = 0;
}

void ks_reader_tell_delivered(ks_reader *reader) {
    if (reader->delivered == NULL) return;
    ks_read_partition *partition = reader->delivered;
    reader->delivered = NULL;
    reader->delivered_end = &reader->delivered;
    for (; partition != NULL; partition = partition->next_delivered) tell_one(reader, partition);
}

static void time_to_tell(ks_timer *timer) { ks_reader_tell_delivered(timer->owner); }

/* Records are told in runs: as soon as the program waits for anything (the timer fires then, at the same instant), commits, or
 * an offset comes that does not go on where the run ended. */
static void note_delivered(ks_reader *reader, ks_read_partition *partition, int64_t offset) {
    if (partition->delivered > 0 && offset <= partition->last_delivered) ks_reader_tell_delivered(reader);
    if (partition->delivered++ > 0) {
        partition->last_delivered = offset;
        return;
    }
    partition->first_delivered = partition->last_delivered = offset;
    partition->next_delivered = NULL;
    if (reader->delivered == NULL) ks_timer_start(kernel_of(reader), &reader->tell, 0);
    *reader->delivered_end = partition;
    reader->delivered_end = &partition->next_delivered;
}

/* ---- fetchers ---- */

static void all_stopped(ks_reader *reader);

static void free_fetcher(ks_fetcher *fetcher) {
    ks_fetcher_abort(fetcher);
    ks_free(fetcher);
}

static void fetcher_troubled(void *owner, const ks_fetcher *fetcher, kafka_error error) {
    ks_reader *reader = owner;
    if (error == KAFKA_OK && reader->trouble == KAFKA_OK) return;
    reader->trouble = error;
    reader->troubled = fetcher->source;
    reader->events->changed(reader->owner);
}

static void fetcher_stopped(void *owner, ks_fetcher *fetcher) {
    ks_reader *reader = owner;
    ks_fetcher **link = &reader->retired;
    while (*link != fetcher) link = &(*link)->next; /* only with uninterruptible fetches */
    *link = fetcher->next;
    ks_free(fetcher);
    if (reader->retired == NULL) all_stopped(reader);
}

static void stop_fetchers(ks_reader *reader) {
    ks_fetcher *fetcher = reader->fetchers;
    reader->fetchers = NULL;
    while (fetcher != NULL) {
        ks_fetcher *next = fetcher->next;
        if (ks_fetcher_stop(fetcher)) {
            ks_free(fetcher);
        } else {
            fetcher->next = reader->retired;
            reader->retired = fetcher;
        }
        fetcher = next;
    }
}

static void new_set(ks_reader *reader) {
    stop_fetchers(reader);
    reader->version++;
}

static ks_fetcher *add_fetcher(ks_reader *reader, const char *topic, int32_t number, int64_t offset) {
    ks_read_partition *partition = ks_read_partition_get(&reader->partitions, topic, number);
    ks_fetcher *fetcher = ks_alloc(sizeof *fetcher);
    *fetcher = (ks_fetcher){ .settings = &reader->config.fetchers,
                             .queue = &reader->queue,
                             .topic = partition->topic,
                             .partition = number,
                             .version = reader->version,
                             .source = partition,
                             .trouble = fetcher_troubled,
                             .stopped = fetcher_stopped,
                             .owner = reader };
    ks_fetcher_start(fetcher, offset);
    return fetcher;
}

/* Without a group there is one fetcher, whose generation of entries begins with each kafka_reader_set_offset. */
static void start_partition(ks_reader *reader) {
    new_set(reader);
    reader->fetchers = add_fetcher(reader, reader->config.topic, reader->config.partition, reader->offset);
}

/* ---- generations ---- */

static void unsubscribed(ks_reader *reader) {
    if (!reader->subscribed) return;
    reader->subscribed = false;
    ks_generation *generation = reader->generation;
    ks_reader_tell_delivered(reader);
    reader->generation = NULL;
    reader->trouble = KAFKA_OK;
    reader->events->changed(reader->owner);
    ks_generation_leave(generation);
    ks_generation_release(generation);
}

static void generation_ended(void *owner) {
    ks_reader *reader = owner;
    stop_fetchers(reader);
    ks_commits_end(&reader->commits, reader->closing);
    if (reader->retired == NULL) all_stopped(reader);
}

static void subscribe(ks_reader *reader, ks_generation *generation) {
    const ks_assigned_partition *assigned;
    int32_t count = ks_generation_assigned(generation, &assigned);
    new_set(reader);
    reader->generation = ks_generation_hold(generation);
    reader->subscribed = true;
    ks_generation_enter(generation);
    ks_fetcher **end = &reader->fetchers;
    for (int32_t i = 0; i < count; i++) {
        *end = add_fetcher(reader, assigned[i].topic.data, assigned[i].partition, assigned[i].offset);
        end = &(*end)->next;
    }
}

static void next_generation(void *owner, ks_generation *generation) {
    ks_reader *reader = owner;
    reader->failures = 0;
    subscribe(reader, generation);
    ks_commits_begin(&reader->commits, generation);
    ks_generation_listen(generation, generation_ended, reader);
    if (ks_generation_has_ended(generation)) generation_ended(reader);
    reader->joining_failed = KAFKA_OK;
    reader->events->changed(reader->owner);
    ks_membership_next(reader->member);
}

/* kafka-go gives up waiting for a generation after MaxAttempts failures, says so to whoever waits, and begins to count anew. */
static void round_failed(void *owner, kafka_error error, const char *step) {
    ks_reader *reader = owner;
    bool tell = ++reader->failures >= reader->config.fetchers.max_attempts;
    if (tell) reader->failures = 0;
    reader->joining_failed = error;
    reader->joining_step = step;
    reader->events->changed(reader->owner);
    if (!reader->closing) ks_membership_next(reader->member);
    if (tell && !reader->closing) reader->events->failed(reader->owner, error, step);
}

static void left_group(void *owner) {
    ks_reader *reader = owner;
    reader->closed = true;
    ks_commits_fail(&reader->commits, KAFKA_ERR_CLOSED);
    reader->events->ready(reader->owner);
    reader->events->closed(reader->owner);
}

static void all_stopped(ks_reader *reader) {
    unsubscribed(reader);
    if (reader->closing && reader->member == NULL && !reader->closed)
        ks_timer_start(kernel_of(reader), &reader->say_closed, 0);
}

/* ---- taking ---- */

const ks_fetched *ks_reader_peek(ks_reader *reader) {
    if (reader->version == 0 && reader->config.group == NULL && !reader->closing && !reader->dead)
        start_partition(reader);
    for (;;) {
        const ks_fetched *fetched = ks_fetcher_queue_peek(&reader->queue);
        if (fetched == NULL || fetched->version >= reader->version) return fetched;
        ks_block_release(fetched->block);
        ks_fetcher_queue_drop(&reader->queue);
    }
}

void ks_reader_taken(ks_reader *reader) {
    const ks_fetched *fetched = ks_fetcher_queue_peek(&reader->queue);
    if (fetched->error == KAFKA_OK) {
        int64_t offset = fetched->record.offset;
        if (reader->config.group == NULL) {
            reader->offset = offset + 1;
            reader->lag = fetched->high_watermark - reader->offset;
        }
        note_delivered(reader, fetched->source, offset);
    }
    ks_fetcher_queue_drop(&reader->queue);
}

bool ks_reader_is_at_end(const ks_reader *reader) { return reader->closed && reader->queue.count == 0; }

static void queue_ready(void *owner) {
    ks_reader *reader = owner;
    reader->events->ready(reader->owner);
}

static void commits_have_room(void *owner) {
    ks_reader *reader = owner;
    reader->events->room(reader->owner);
}

static void describe_group(const ks_reader *reader, char *text, size_t size) {
    ks_string group = reader->config.group->group;
    const ks_assigned_partition *assigned;
    if (reader->generation != NULL && ks_generation_assigned(reader->generation, &assigned) == 0)
        snprintf(text, size, "generation %d of group %.80s gives it no partition",
                 (int)ks_generation_id(reader->generation), group.data);
    else if (reader->generation != NULL)
        snprintf(text, size, "group %.80s, generation %d", group.data, (int)ks_generation_id(reader->generation));
    else if (reader->joining_failed)
        snprintf(text, size, "group %.80s, not a member now: %s answered %s", group.data, reader->joining_step,
                 kafka_error_name(reader->joining_failed));
    else
        snprintf(text, size, "group %.80s, not joined yet", group.data);
}

void ks_reader_describe(const ks_reader *reader, char *text, size_t size) {
    if (reader->trouble && reader->troubled != NULL)
        snprintf(text, size, "topic %.60s, partition %d: %s", reader->troubled->topic.data,
                 (int)reader->troubled->partition, kafka_error_name(reader->trouble));
    else if (reader->config.group != NULL)
        describe_group(reader, text, size);
    else
        snprintf(text, size, "topic %.80s, partition %d, offset %lld", reader->config.topic,
                 (int)reader->config.partition, (long long)reader->offset);
}

/* ---- offsets ---- */

void ks_reader_set_offset(ks_reader *reader, int64_t offset) {
    if (offset == reader->offset) return;
    ks_node *node = ks_process_node(reader->process);
    KS_EMIT(kernel_of(reader), node, position_reset, .client = ks_str(ks_node_name(node)), .group = KS_NULL_STRING,
            .topic = ks_str(reader->config.topic), .partition = reader->config.partition, .from = reader->offset,
            .to = offset, .reason = KS_LITERAL("set_offset"));
    reader->offset = offset;
    if (reader->version > 0) start_partition(reader);
}

int64_t ks_reader_offset(const ks_reader *reader) { return reader->config.group ? -1 : reader->offset; }
int64_t ks_reader_lag(const ks_reader *reader) { return reader->config.group ? -1 : reader->lag; }
void ks_reader_set_lag(ks_reader *reader, int64_t lag) { reader->lag = lag; }

ks_read_partition *ks_reader_partition(ks_reader *reader, const char *topic, int32_t partition) {
    return ks_read_partition_get(&reader->partitions, topic, partition);
}

ks_commits *ks_reader_commits(ks_reader *reader) { return &reader->commits; }

/* ---- life ---- */

static void say_closed(ks_timer *timer) { left_group(timer->owner); }

ks_reader *ks_reader_new(const ks_reader_config *config, const ks_reader_events *events, void *owner) {
    static const ks_membership_events group_events = { .generation = next_generation,
                                                       .failed = round_failed,
                                                       .closed = left_group };
    ks_reader *reader = ks_alloc(sizeof *reader);
    reader->config = *config;
    reader->events = events;
    reader->owner = owner;
    reader->process = config->fetchers.process;
    reader->offset = KS_OFFSET_FIRST;
    reader->delivered_end = &reader->delivered;
    ks_fetcher_queue_init(&reader->queue, config->queue_capacity, queue_ready, reader);
    ks_commits_init(&reader->commits, reader->process, config->commit_interval_ns, config->queue_capacity,
                    commits_have_room, reader);
    ks_timer_init(&reader->tell, ks_process_node(reader->process), time_to_tell, reader);
    ks_timer_init(&reader->say_closed, ks_process_node(reader->process), say_closed, reader);
    if (config->group == NULL) return reader;
    reader->version = 1;
    reader->member = ks_membership_new(config->group, &group_events, reader);
    ks_membership_next(reader->member);
    return reader;
}

static void let_go(ks_reader *reader) {
    ks_timer_stop(&reader->tell);
    ks_timer_stop(&reader->say_closed);
    for (ks_fetcher *list = reader->fetchers, *next; list != NULL; list = next) {
        next = list->next;
        free_fetcher(list);
    }
    for (ks_fetcher *list = reader->retired, *next; list != NULL; list = next) {
        next = list->next;
        free_fetcher(list);
    }
    reader->fetchers = reader->retired = NULL;
    if (reader->generation != NULL) {
        ks_generation_listen(reader->generation, NULL, NULL);
        ks_generation_release(reader->generation);
    }
    reader->generation = NULL;
    reader->subscribed = false;
}

void ks_reader_crashed(ks_reader *reader) {
    reader->dead = true;
    let_go(reader);
    ks_commits_fail(&reader->commits, KAFKA_ERR_NODE_CRASHED);
    ks_membership_free(reader->member);
    reader->member = NULL;
}

void ks_reader_free(ks_reader *reader) {
    if (reader == NULL) return;
    let_go(reader);
    ks_commits_deinit(&reader->commits);
    ks_membership_free(reader->member);
    ks_fetcher_queue_deinit(&reader->queue);
    ks_read_partitions_deinit(&reader->partitions);
    ks_free(reader);
}

bool ks_reader_is_closing(const ks_reader *reader) { return reader->closing; }
bool ks_reader_is_closed(const ks_reader *reader) { return reader->closed; }

void ks_reader_close(ks_reader *reader) {
    if (reader->closing || reader->dead) return;
    reader->closing = true;
    ks_commits_closing(&reader->commits);
    if (reader->member != NULL) {
        ks_membership_close(reader->member);
        return;
    }
    stop_fetchers(reader);
    if (reader->retired == NULL) all_stopped(reader);
}
