/* SPDX-License-Identifier: Apache-2.0
 *
 * A partition of __consumer_offsets comes or goes with its leadership: its groups are read back from the log, or
 * dropped (Kafka's CoordinatorRuntime.scheduleLoadOperation and scheduleUnloadOperation). */
#include "sim/broker/group_events.h"
#include "sim/broker/group_shell.h"
#include "sim/protocol/events.h"

enum { READ_BYTES = 1 << 20 };

/* ---- going ---- */

/* What the machine leaves parked (a static member whose new id was being written) and handlers whose writes are on the
 * way. */
static void refuse_the_rest(ks_group_coordinator *coordinator, ks_group *group) {
    ks_group_shell *shell = group->shell;
    if (shell == NULL) return;
    for (const ks_shell_held *held = shell->held; held != NULL; held = held->next) {
        ks_group_wait_unheard(held->wait);
        ks_effect_reply(&coordinator->out, group, held->request, held->request->envelope->api_key,
                        KAFKA_ERR_NOT_COORDINATOR);
    }
}

static void unload_group(ks_group_coordinator *coordinator, ks_group *group) {
    ks_group_input in = { .kind = KS_GROUP_UNLOAD, .group_id = group->id };
    coordinator->out.no_events = true; /* Dead is what this broker calls it; coordinator_unloaded says what happens */
    ks_group_coordinator_step(coordinator, &in);
    coordinator->out.no_events = false;
    refuse_the_rest(coordinator, group);
    ks_group_unlink(group, &coordinator->out);
    ks_group_coordinator_perform(coordinator->broker);
}

static void cancel_writes(ks_group_coordinator *coordinator, int32_t partition) {
    for (ks_shell_append *append = coordinator->appends, *next; append != NULL; append = next) {
        next = append->next;
        if (append->partition != partition || append->finished) continue;
        ks_append_cancel(&append->append);
        append->finished = true; /* nothing left to cancel */
        ks_group_write write = append->write;
        append->write.response = NULL;
        write.error = KAFKA_ERR_NOT_COORDINATOR;
        if (append->token == NULL) ks_shell_write_done(coordinator, &write);
        ks_shell_append_free(append);
        next = coordinator->appends; /* `done` may have changed the list */
    }
}

static void unload(ks_group_coordinators *all, ks_broker *broker, int32_t partition) {
    ks_group_coordinator *coordinator = broker->groups;
    ks_group *group, *next;
    int32_t count = 0;
    if (!coordinator->started) return;
    cancel_writes(coordinator, partition);
    HASH_ITER(hh, coordinator->groups.by_id, group, next) {
        if (ks_group_partition_of(group->id, all->partitions) != partition) continue;
        unload_group(coordinator, group);
        count++;
    }
    if (count > 0)
        KS_EMIT(ks_cluster_kernel(all->cluster), broker->node, coordinator_unloaded, .partition = partition,
                .broker = broker->id, .groups = count);
}

/* ---- coming ---- */

/* only: of this group; null: of all */
static void apply_records(ks_group_coordinator *coordinator, ks_bytes records, ks_string only) {
    ks_record_iterator iterator;
    ks_record record;
    ks_records_begin(&iterator, records);
    while (ks_records_next_batch(&iterator)) {
        if (iterator.header.attributes & KS_ATTRIBUTE_CONTROL) continue;
        while (ks_records_next(&iterator, &record)) {
            ks_group_key key;
            ks_group_key_decode(record.key, &key);
            if (only.size >= 0 && !ks_string_equal(key.group, only)) continue;
            ks_groups_apply(&coordinator->groups, record.key, record.value, record.timestamp_ms, &coordinator->out);
        }
    }
    ks_records_end(&iterator);
}

static void apply_log(ks_group_coordinator *coordinator, const ks_log *log, ks_string only) {
    int64_t offset = ks_log_start_offset(log), end = ks_log_end_offset(log);
    while (offset < end) {
        ks_log_slice slice;
        ks_log_read(log, offset, end, READ_BYTES, true, &slice);
        if (slice.bytes.size <= 0) break;
        ks_batch_header header;
        for (ks_bytes rest = slice.bytes; ks_batch_read_header(rest, &header);) {
            offset = ks_batch_last_offset(&header) + 1;
            int32_t size = ks_batch_size(&header);
            rest = (ks_bytes){ rest.data + size, rest.size - size };
        }
        apply_records(coordinator, slice.bytes, only);
        ks_block_release(slice.block);
    }
}

static void load(ks_group_coordinators *all, ks_broker *broker, int32_t partition) {
    ks_group_coordinator *coordinator = ks_group_coordinator_get(broker);
    ks_group *group, *next;
    int32_t count = 0;
    apply_log(coordinator, all->topic->partitions[partition]->log, KS_NULL_STRING);
    ks_group_coordinator_perform(broker); /* groups that were replaced on the way */
    HASH_ITER(hh, coordinator->groups.by_id, group, next) {
        if (ks_group_partition_of(group->id, all->partitions) != partition) continue;
        ks_group_input in = { .kind = KS_GROUP_LOADED, .group_id = group->id };
        ks_group_coordinator_step(coordinator, &in);
        ks_group_tell_loaded(group, &coordinator->out);
        ks_group_coordinator_perform(broker);
        count++;
    }
    KS_EMIT(ks_cluster_kernel(all->cluster), broker->node, coordinator_loaded, .partition = partition,
            .broker = broker->id, .groups = count);
}

void ks_group_reload(ks_group_coordinator *coordinator, ks_string group_id) {
    ks_group_coordinators *all = coordinator->all;
    ks_group *group = ks_groups_find(&coordinator->groups, group_id);
    if (group != NULL) {
        refuse_the_rest(coordinator, group);
        ks_group_unlink(group, &coordinator->out);
        ks_group_coordinator_perform(coordinator->broker);
    }
    apply_log(coordinator, all->topic->partitions[ks_group_partition_of(group_id, all->partitions)]->log, group_id);
    ks_group_coordinator_perform(coordinator->broker);
    ks_group_input in = { .kind = KS_GROUP_LOADED, .group_id = group_id };
    ks_group_coordinator_step(coordinator, &in);
}

static void end_loading(ks_group_coordinators *all, int32_t partition) {
    if (!all->loading[partition]) return;
    ks_timer_stop(&all->load_timers[partition]);
    all->loading[partition] = false;
    all->loading_count--;
}

static void on_load_timer(ks_timer *timer) {
    ks_group_coordinators *all = timer->owner;
    int32_t partition = (int32_t)(timer - all->load_timers);
    ks_broker *broker = ks_partition_leader(all->topic->partitions[partition]);
    end_loading(all, partition);
    if (broker != NULL) load(all, broker, partition);
}

static void begin_loading(ks_group_coordinators *all, int32_t partition) {
    if (all->load_timers == NULL) {
        all->load_timers = ks_alloc(sizeof *all->load_timers * (size_t)all->partitions);
        for (int32_t i = 0; i < all->partitions; i++) ks_timer_init(&all->load_timers[i], NULL, on_load_timer, all);
    }
    all->loading[partition] = true;
    all->loading_count++;
    ks_timer_start(ks_cluster_kernel(all->cluster), &all->load_timers[partition], all->load_ns);
}

/* ---- leaders ---- */

static void on_leader_changed(void *context, ks_partition *partition, int32_t from, int32_t to) {
    ks_group_coordinators *all = context;
    if (partition->topic != all->topic) return;
    ks_broker *former = ks_cluster_broker_find(all->cluster, from);
    end_loading(all, partition->index);
    if (former != NULL && former->up)
        unload(all, former, partition->index); /* else it died and forgets all by itself */
    if (to != KS_NO_LEADER && ks_log_end_offset(partition->log) > ks_log_start_offset(partition->log))
        begin_loading(all, partition->index);
}

void ks_group_load_init(ks_group_coordinators *all) {
    all->load_ns = 10 * KS_MS;
    all->watch.leader_changed = on_leader_changed;
}

void ks_group_coordinators_set_load_time(ks_cluster *cluster, int64_t load_ns) {
    ks_group_coordinators_of(cluster)->load_ns = load_ns;
}
