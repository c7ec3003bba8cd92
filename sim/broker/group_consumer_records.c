/* SPDX-License-Identifier: Apache-2.0
 *
 * The records of KIP-848 groups: ConsumerGroupMetadata (key 3), PartitionMetadata (4), MemberMetadata (5),
 * TargetAssignmentMetadata (6), TargetAssignmentMember (7), CurrentMemberAssignment (8). Keys are old-style, values
 * flexible, version 0. */
#include "sim/broker/group_consumer_internal.h"
#include "sim/broker/group_offsets.h"

enum { KEY_EPOCH = 3, KEY_TOPICS, KEY_MEMBER, KEY_TARGET_EPOCH, KEY_TARGET, KEY_CURRENT };

/* ---- flexible encoding ---- */

static void put_varint(ks_buffer *out, uint32_t value) {
    for (; value >= 0x80; value >>= 7) ks_put_i8(out, (int8_t)(value | 0x80));
    ks_put_i8(out, (int8_t)value);
}
static void put_count(ks_buffer *out, int32_t count) { put_varint(out, (uint32_t)(count + 1)); }
static void put_compact(ks_buffer *out, ks_string value) { /* null is 0 */
    put_varint(out, (uint32_t)((value.size < 0 ? -1 : value.size) + 1));
    ks_buffer_string(out, value);
}
static void put_no_tags(ks_buffer *out) { put_varint(out, 0); }

static uint32_t read_varint(ks_reader *in) {
    uint32_t value = 0;
    for (int shift = 0; shift < 35; shift += 7) {
        uint8_t byte = (uint8_t)ks_read_i8(in);
        value |= (uint32_t)(byte & 0x7F) << shift;
        if (!(byte & 0x80)) return value;
    }
    in->failed = true;
    return 0;
}
static ks_bytes read_span(ks_reader *in) {
    uint32_t size = read_varint(in);
    if (in->failed || size == 0) return KS_NULL_BYTES;
    if (size - 1 > (uint32_t)(in->end - in->at)) {
        in->failed = true;
        return KS_NULL_BYTES;
    }
    in->at += size - 1;
    return (ks_bytes){ in->at - (size - 1), (int32_t)(size - 1) };
}
static ks_string read_compact(ks_reader *in) {
    ks_bytes span = read_span(in);
    return (ks_string){ (const char *)span.data, span.size };
}
static int32_t read_flexible_count(ks_reader *in, int32_t least_size) {
    uint32_t count = read_varint(in);
    if (count > 0 && (count - 1) > (uint32_t)((in->end - in->at) / least_size)) in->failed = true;
    return in->failed ? -1 : (int32_t)count - 1;
}
static ks_uuid read_uuid(ks_reader *in) {
    ks_uuid id = { { 0 } };
    for (int i = 0; i < 16; i++) id.bytes[i] = (uint8_t)ks_read_i8(in);
    return id;
}
static void skip_tags(ks_reader *in) {
    for (uint32_t tags = read_varint(in); tags > 0 && !in->failed; tags--) {
        uint32_t tag = read_varint(in), size = read_varint(in);
        (void)tag;
        for (; size > 0 && !in->failed; size--) ks_read_i8(in);
    }
}

/* ---- writing ---- */

static ks_bytes make_key(int16_t version, ks_string group, ks_string member, ks_arena *arena) {
    ks_buffer out = { 0 };
    ks_put_i16(&out, version);
    ks_put_string(&out, group);
    if (member.size >= 0) ks_put_string(&out, member);
    return ks_put_done(&out, arena);
}

static void add(ks_consumer_step *step, int16_t version, ks_string member, ks_buffer *value) {
    ks_arena *arena = step->out->scratch;
    KS_PUSH(step->records, (ks_group_record){ make_key(version, step->group->id, member, arena),
                                              value != NULL ? ks_put_done(value, arena) : KS_NULL_BYTES });
}

static void put_epoch(ks_buffer *out, int32_t epoch) {
    ks_put_i16(out, 0);
    ks_put_i32(out, epoch);
    put_no_tags(out);
}

void ks_consumer_write_epoch(ks_consumer_step *step) {
    ks_buffer out = { 0 };
    put_epoch(&out, step->group->consumer->group_epoch);
    add(step, KEY_EPOCH, KS_NULL_STRING, &out);
}

void ks_consumer_write_target_epoch(ks_consumer_step *step) {
    ks_buffer out = { 0 };
    put_epoch(&out, step->group->consumer->assignment_epoch);
    add(step, KEY_TARGET_EPOCH, KS_NULL_STRING, &out);
}

void ks_consumer_write_topics(ks_consumer_step *step) {
    const ks_consumer_group *consumer = step->group->consumer;
    ks_buffer out = { 0 };
    int32_t count = 0;
    for (const ks_consumer_name *name = consumer->names; name != NULL; name = name->hh.next) count += name->slot >= 0;
    ks_put_i16(&out, 0);
    put_count(&out, count);
    for (const ks_consumer_name *name = consumer->names; name != NULL; name = name->hh.next) {
        if (name->slot < 0) continue;
        const ks_consumer_topic *topic = consumer->topics.items[name->slot];
        ks_buffer_append(&out, topic->id.bytes, sizeof topic->id.bytes);
        put_compact(&out, topic->name);
        ks_put_i32(&out, topic->partition_count);
        put_count(&out, 0); /* racks of replicas: the assignors here do not look at them */
        put_no_tags(&out);
    }
    put_no_tags(&out);
    add(step, KEY_TOPICS, KS_NULL_STRING, &out);
}

static void put_classic(ks_buffer *out, const ks_consumer_member *member) {
    ks_buffer tag = { 0 };
    ks_put_i8(&tag, 1); /* of a nullable struct: it is there */
    ks_put_i32(&tag, member->session_timeout_ms);
    put_count(&tag, member->protocol_count);
    for (int32_t i = 0; i < member->protocol_count; i++) {
        put_compact(&tag, member->protocols[i].name);
        put_varint(&tag, (uint32_t)member->protocols[i].metadata.size + 1);
        if (member->protocols[i].metadata.size > 0)
            ks_buffer_append(&tag, member->protocols[i].metadata.data, (size_t)member->protocols[i].metadata.size);
        put_no_tags(&tag);
    }
    put_no_tags(&tag);
    put_varint(out, 1);
    put_varint(out, 0);
    put_varint(out, (uint32_t)tag.size);
    ks_buffer_append(out, tag.data, tag.size);
    ks_buffer_deinit(&tag);
}

void ks_consumer_write_member(ks_consumer_step *step, const ks_consumer_member *member) {
    const ks_group_settings *settings = &step->group->groups->settings;
    ks_buffer out = { 0 };
    ks_put_i16(&out, 0);
    put_compact(&out, member->instance_id);
    put_compact(&out, member->rack_id);
    put_compact(&out, member->client_id.size < 0 ? KS_LITERAL("") : member->client_id);
    put_compact(&out, member->client_host.size < 0 ? KS_LITERAL("") : member->client_host);
    int32_t names = member->subscription != NULL ? member->subscription->count : 0;
    put_count(&out, names);
    for (int32_t i = 0; i < names; i++) put_compact(&out, member->subscription->names[i]);
    put_compact(&out, KS_NULL_STRING); /* regex */
    ks_put_i32(&out, member->rebalance_timeout_ms);
    put_compact(&out, member->assignor >= 0 ? settings->assignors[member->assignor] : KS_NULL_STRING);
    if (member->classic)
        put_classic(&out, member);
    else
        put_no_tags(&out);
    add(step, KEY_MEMBER, member->id, &out);
}

static void put_partitions(ks_buffer *out, const ks_group *group, const ks_tp *items, int32_t count) {
    int32_t topics = 0;
    for (int32_t i = 0; i < count; i++) topics += i == 0 || KS_TP_SLOT(items[i]) != KS_TP_SLOT(items[i - 1]);
    put_count(out, topics);
    for (int32_t i = 0; i < count;) {
        int32_t end = i;
        while (end < count && KS_TP_SLOT(items[end]) == KS_TP_SLOT(items[i])) end++;
        ks_buffer_append(out, ks_consumer_topic_of(group, items[i])->id.bytes, 16);
        put_count(out, end - i);
        for (; i < end; i++) ks_put_i32(out, KS_TP_PARTITION(items[i]));
        put_no_tags(out);
    }
}

void ks_consumer_write_target(ks_consumer_step *step, const ks_consumer_member *member) {
    ks_buffer out = { 0 };
    ks_put_i16(&out, 0);
    put_partitions(&out, step->group, member->target, member->target_count);
    put_no_tags(&out);
    add(step, KEY_TARGET, member->id, &out);
}

void ks_consumer_write_current(ks_consumer_step *step, const ks_consumer_member *member) {
    ks_buffer out = { 0 };
    ks_put_i16(&out, 0);
    ks_put_i32(&out, member->epoch);
    ks_put_i32(&out, member->previous_epoch);
    ks_put_i8(&out, (int8_t)member->state);
    put_partitions(&out, step->group, member->assigned.items, member->assigned.count);
    put_partitions(&out, step->group, member->revoking.items, member->revoking.count);
    put_no_tags(&out);
    add(step, KEY_CURRENT, member->id, &out);
}

void ks_consumer_write_member_gone(ks_consumer_step *step, ks_string member_id) {
    add(step, KEY_CURRENT, member_id, NULL);
    add(step, KEY_TARGET, member_id, NULL);
    add(step, KEY_MEMBER, member_id, NULL);
}

void ks_consumer_group_tombstones(const ks_group *group, ks_arena *arena, ks_group_records *records) {
    static const int16_t of_member[] = { KEY_CURRENT, KEY_TARGET, KEY_MEMBER },
                         of_group[] = { KEY_TARGET_EPOCH, KEY_TOPICS, KEY_EPOCH };
    for (int k = 0; k < 3; k++)
        for (int32_t m = 0; m < group->consumer->member_count; m++)
            KS_PUSH(*records,
                    (ks_group_record){ make_key(of_member[k], group->id, group->consumer->sorted[m]->id, arena),
                                       KS_NULL_BYTES });
    for (int k = 0; k < 3; k++)
        KS_PUSH(*records, (ks_group_record){ make_key(of_group[k], group->id, KS_NULL_STRING, arena), KS_NULL_BYTES });
}

/* ---- reading back ---- */

static void apply_topics(ks_group *group, ks_reader *in) {
    ks_read_i16(in);
    int32_t count = read_flexible_count(in, 22);
    for (ks_consumer_name *name = group->consumer->names; name != NULL; name = name->hh.next) name->slot = -1;
    for (int32_t i = 0; i < count && !in->failed; i++) {
        ks_uuid id = read_uuid(in);
        ks_string text = read_compact(in);
        int32_t partitions = ks_read_i32(in);
        int32_t racks = read_flexible_count(in, 1);
        for (; racks > 0 && !in->failed; racks--) { /* written by a real broker */
            ks_read_i32(in);
            for (int32_t hosts = read_flexible_count(in, 1); hosts > 0 && !in->failed; hosts--) read_compact(in);
            skip_tags(in);
        }
        skip_tags(in);
        if (in->failed || partitions < 0 || partitions > 1 << 20) break;
        ks_consumer_topic *topic = ks_consumer_topic_make(group, id, text, partitions);
        ks_consumer_name *name;
        KS_HASH_FIND_STRING(hh, group->consumer->names, text, name);
        if (name != NULL) name->slot = topic->slot;
    }
}

static void read_classic(ks_reader *in, ks_consumer_member *member, ks_arena *arena) {
    if (ks_read_i8(in) != 1) return;
    int32_t timeout = ks_read_i32(in), count = read_flexible_count(in, 3);
    ks_join_group_request_protocol *protocols =
        ks_arena_alloc(arena, sizeof *protocols * (size_t)(count > 0 ? count : 1));
    for (int32_t i = 0; i < count && !in->failed; i++) {
        protocols[i].name = read_compact(in);
        protocols[i].metadata = read_span(in);
        skip_tags(in);
    }
    if (!in->failed && count > 0) ks_consumer_member_set_classic(member, protocols, count, timeout);
}

static void apply_member(ks_group *group, ks_string member_id, ks_reader *in, ks_arena *arena) {
    const ks_group_settings *settings = &group->groups->settings;
    ks_read_i16(in);
    ks_string instance = read_compact(in), rack = read_compact(in), client = read_compact(in), host = read_compact(in);
    int32_t count = read_flexible_count(in, 1), assignor = -1;
    ks_string *names = ks_arena_alloc(arena, sizeof *names * (size_t)(count > 0 ? count : 1));
    for (int32_t i = 0; i < count && !in->failed; i++) names[i] = read_compact(in);
    read_compact(in); /* regex */
    int32_t timeout = ks_read_i32(in);
    ks_string preferred = read_compact(in);
    if (in->failed) return;
    for (int32_t i = 0; i < settings->assignor_count; i++)
        if (ks_string_equal(settings->assignors[i], preferred)) assignor = i;
    ks_consumer_member *member = ks_consumer_member_find(group, member_id);
    if (member == NULL) member = ks_consumer_member_add(group, member_id, instance);
    ks_string_replace(&member->rack_id, rack);
    ks_string_replace(&member->client_id, client);
    ks_string_replace(&member->client_host, host);
    member->rebalance_timeout_ms = timeout;
    ks_consumer_member_prefer(member, assignor);
    ks_consumer_member_subscribe(member, names, count > 0 ? count : 0);
    ks_consumer_member_set_consumer(member);
    for (uint32_t tags = read_varint(in); tags > 0 && !in->failed; tags--) {
        uint32_t tag = read_varint(in), size = read_varint(in);
        if (size > (uint32_t)(in->end - in->at)) return;
        ks_reader inner = { in->at, in->at + size, false };
        if (tag == 0) read_classic(&inner, member, arena);
        in->at += size;
    }
}

static ks_tps read_partitions(ks_group *group, ks_reader *in) {
    ks_tps set = { 0 };
    int32_t topics = read_flexible_count(in, 18);
    for (int32_t t = 0; t < topics && !in->failed; t++) {
        ks_uuid id = read_uuid(in);
        int32_t count = read_flexible_count(in, 4);
        ks_consumer_topic *topic = ks_consumer_topic_make(group, id, KS_NULL_STRING, 0);
        for (int32_t i = 0; i < count && !in->failed; i++) {
            int32_t partition = ks_read_i32(in);
            if (partition < 0 || partition > 1 << 20) continue;
            if (partition >= topic->partition_count) ks_consumer_topic_make(group, id, KS_NULL_STRING, partition + 1);
            KS_PUSH(set, KS_TP(topic->slot, partition));
        }
        skip_tags(in);
    }
    ks_tps_sort(&set);
    return set;
}

static void forget_target(ks_group *group, const ks_consumer_member *member) { /* O(partitions): only while loading */
    for (int32_t t = 0; t < group->consumer->topics.count; t++) {
        ks_consumer_topic *topic = group->consumer->topics.items[t];
        for (int32_t p = 0; topic->targeted && p < topic->partition_count; p++)
            if (topic->target[p] == member->number) topic->target[p] = -1;
    }
}

static void apply_target(ks_group *group, ks_consumer_member *member, ks_reader *in) {
    forget_target(group, member);
    ks_read_i16(in);
    ks_tps set = read_partitions(group, in);
    for (int32_t i = 0; i < set.count; i++) {
        ks_consumer_topic *topic = group->consumer->topics.items[KS_TP_SLOT(set.items[i])];
        topic->target[KS_TP_PARTITION(set.items[i])] = member->number;
        topic->targeted = true;
    }
    ks_free(set.items);
}

static void apply_current(ks_group *group, ks_consumer_member *member, ks_reader *in) {
    ks_read_i16(in);
    int32_t epoch = ks_read_i32(in), previous = ks_read_i32(in);
    int8_t state = ks_read_i8(in);
    ks_tps assigned = read_partitions(group, in), revoking = read_partitions(group, in);
    if (state < KS_MEMBER_STABLE || state > KS_MEMBER_UNRELEASED_PARTITIONS) state = KS_MEMBER_STABLE;
    ks_consumer_member_set_current(member, (ks_consumer_member_state)state, epoch, previous, assigned, revoking);
}

static void apply_value(ks_group *group, const ks_group_key *key, ks_reader *in, ks_arena *arena) {
    ks_consumer_group *consumer = group->consumer;
    ks_consumer_member *member = key->member.size >= 0 ? ks_consumer_member_find(group, key->member) : NULL;
    switch (key->version) {
    case KEY_EPOCH:
        ks_read_i16(in);
        consumer->group_epoch = ks_read_i32(in);
        break;
    case KEY_TARGET_EPOCH:
        ks_read_i16(in);
        consumer->assignment_epoch = ks_read_i32(in);
        consumer->settled = 0;
        for (int32_t m = 0; m < consumer->member_count; m++)
            consumer->settled += ks_consumer_member_settled(consumer->sorted[m]);
        break;
    case KEY_TOPICS: apply_topics(group, in); break;
    case KEY_MEMBER: apply_member(group, key->member, in, arena); break;
    case KEY_TARGET:
        if (member != NULL) apply_target(group, member, in);
        break;
    case KEY_CURRENT:
        if (member != NULL) apply_current(group, member, in);
        break;
    default: break;
    }
}

static void apply_tombstone(ks_group *group, const ks_group_key *key, ks_effects *out) {
    ks_consumer_member *member = key->member.size >= 0 ? ks_consumer_member_find(group, key->member) : NULL;
    if (key->version == KEY_MEMBER && member != NULL) {
        forget_target(group, member);
        member->target_count = 0;
        ks_consumer_member_remove(member);
    } else if (key->version == KEY_TARGET && member != NULL) {
        forget_target(group, member);
    } else if (key->version == KEY_CURRENT && member != NULL) {
        ks_consumer_member_set_current(member, KS_MEMBER_STABLE, -1, -1, (ks_tps){ 0 }, (ks_tps){ 0 });
    } else if (key->version == KEY_EPOCH && ks_consumer_group_is_empty(group)) {
        bool has_offsets = group->offsets != NULL && group->offsets->count > 0;
        ks_consumer_group_free(group);
        if (!has_offsets) ks_group_unlink(group, out);
    }
}

void ks_consumer_group_apply(ks_groups *groups, const ks_group_key *key, ks_bytes value, int64_t now_ms,
                             ks_effects *out) {
    ks_group *group = ks_groups_find(groups, key->group);
    ks_reader in = { value.data, value.size > 0 ? value.data + value.size : value.data, false };
    if (value.size < 0) {
        if (group != NULL && group->kind == KS_GROUP_CONSUMER) apply_tombstone(group, key, out);
        return;
    }
    if (group == NULL) group = ks_group_new(groups, key->group, now_ms);
    if (group->kind == KS_GROUP_CLASSIC) {
        if (group->member_count > 0) return; /* its tombstone comes before */
        ks_consumer_group_make(group);
    }
    apply_value(group, key, &in, out->scratch);
}

void ks_consumer_group_loaded(ks_group *group, ks_effects *out) {
    ks_consumer_group *consumer = group->consumer;
    ks_consumer_targets_rebuild(group);
    consumer->told_state = ks_consumer_group_state_text(group);
    for (int32_t m = 0; m < consumer->member_count; m++) {
        ks_consumer_member *member = consumer->sorted[m];
        int32_t timeout =
            member->classic ? member->session_timeout_ms : group->groups->settings.consumer_session_timeout_ms;
        ks_effect_timer_start(out, group, KS_GROUP_TIMER_CONSUMER_SESSION, member->id, timeout);
        if (member->state != KS_MEMBER_UNREVOKED_PARTITIONS || member->classic) continue;
        member->rebalance_timer_epoch = member->epoch;
        ks_effect_timer_start(out, group, KS_GROUP_TIMER_REBALANCE, member->id, member->rebalance_timeout_ms);
    }
}
