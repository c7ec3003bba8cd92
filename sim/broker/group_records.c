/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/broker/group_records.h"

#include <stdlib.h>

#include "sim/broker/group_consumer.h"
#include "sim/broker/group_offsets.h"

enum {
    KEY_OFFSET_0 = 0, /* read only: the same fields as 1 */
    KEY_OFFSET = 1,
    KEY_GROUP = 2,
    KEY_CONSUMER_FIRST = 3,
    KEY_CONSUMER_LAST = 8,
    VALUE_GROUP = 3,
    VALUE_OFFSET = 3,
    VALUE_OFFSET_EXPIRES = 1,
    MEMBER_MIN_SIZE = 2 + 2 + 2 + 2 + 4 + 4 + 4 + 4
};

/* ---- big-endian bytes ---- */

static uint8_t *room(ks_buffer *out, int32_t size) {
    if (out->capacity - out->size <= (size_t)size) ks_buffer_reserve(out, (size_t)size);
    out->size += (size_t)size;
    return out->data + out->size - size;
}

void ks_put_i8(ks_buffer *out, int8_t value) { *room(out, 1) = (uint8_t)value; }
void ks_put_i16(ks_buffer *out, int16_t value) { ks_store_16(room(out, 2), (uint16_t)value); }
void ks_put_i32(ks_buffer *out, int32_t value) { ks_store_32(room(out, 4), (uint32_t)value); }
void ks_put_i64(ks_buffer *out, int64_t value) { ks_store_64(room(out, 8), (uint64_t)value); }
void ks_put_string(ks_buffer *out, ks_string value) {
    ks_put_i16(out, (int16_t)value.size);
    if (value.size > 0) memcpy(room(out, value.size), value.data, (size_t)value.size);
}
void ks_put_bytes(ks_buffer *out, ks_bytes value) {
    ks_put_i32(out, value.size);
    if (value.size > 0) memcpy(room(out, value.size), value.data, (size_t)value.size);
}
ks_bytes ks_put_done(ks_buffer *out, ks_arena *arena) {
    ks_bytes bytes = ks_arena_bytes(arena, (ks_bytes){ out->data, (int32_t)out->size });
    ks_buffer_deinit(out);
    *out = (ks_buffer){ 0 };
    return bytes;
}

/* ---- keys; here and in values that are frequent room is made for all first ---- */

static ks_bytes group_key(ks_string group, ks_arena *arena) {
    int32_t size = 2 + 2 + group.size;
    uint8_t *key = ks_arena_alloc(arena, (size_t)size);
    ks_write_string(ks_write_16(key, KEY_GROUP), group);
    return (ks_bytes){ key, size };
}

void ks_group_key_decode(ks_bytes key, ks_group_key *out) {
    ks_reader in = { key.data, key.size > 0 ? key.data + key.size : key.data, false };
    *out = (ks_group_key){
        .kind = KS_RECORD_OTHER, .group = KS_NULL_STRING, .topic = KS_NULL_STRING, .member = KS_NULL_STRING
    };
    out->version = ks_read_i16(&in);
    if (in.failed || out->version < KEY_OFFSET_0 || out->version > KEY_CONSUMER_LAST) return;
    out->group = ks_read_string(&in);
    if (out->version <= KEY_OFFSET) {
        out->topic = ks_read_string(&in);
        out->partition = ks_read_i32(&in);
    } else if (out->version == 5 || out->version >= 7) {
        out->member = ks_read_string(&in);
    }
    if (in.failed || out->group.size < 0) return;
    out->kind = out->version <= KEY_OFFSET  ? KS_RECORD_OFFSET
                : out->version == KEY_GROUP ? KS_RECORD_GROUP
                                            : KS_RECORD_CONSUMER;
}

/* ---- the group ---- */

static size_t head_size(const ks_group *group) {
    return 2 + 2 + ks_room_of(group->protocol_type.size) + 4 + 2 + ks_room_of(group->protocol_name.size) + 2 +
           (group->leader != NULL ? (size_t)group->leader->id.size : 0) + 8 + 4;
}

static uint8_t *write_head(uint8_t *at, ks_string type, int32_t generation, ks_string protocol, ks_string leader,
                           int64_t since_ms, int32_t members) {
    at = ks_write_string(ks_write_16(at, VALUE_GROUP), type.size > 0 ? type : KS_LITERAL(""));
    at = ks_write_string(ks_write_string(ks_write_32(at, generation), protocol), leader);
    return ks_write_32(ks_write_64(at, since_ms), members);
}

/* Without its assignment. */
static size_t member_size(const ks_group_member *member) {
    return 4 * 2 + 4 * 4 + (size_t)member->id.size + ks_room_of(member->instance_id.size) + ks_room_of(member->client_id.size) +
           ks_room_of(member->client_host.size) + ks_room_of(ks_group_member_metadata(member).size);
}

static uint8_t *write_member(uint8_t *at, const ks_group_member *member, ks_bytes assignment) {
    ks_bytes metadata = ks_group_member_metadata(member);
    at = ks_write_string(ks_write_string(at, member->id), member->instance_id);
    at = ks_write_string(ks_write_string(at, member->client_id), member->client_host);
    at = ks_write_32(ks_write_32(at, member->rebalance_timeout_ms), member->session_timeout_ms);
    return ks_write_bytes(ks_write_bytes(at, metadata.size < 0 ? (ks_bytes){ NULL, 0 } : metadata), assignment);
}

static ks_group_record *record_of(const ks_group *group, ks_bytes value, ks_arena *arena) {
    ks_group_record *record = ks_arena_alloc(arena, sizeof *record);
    record->key = group_key(group->id, arena);
    record->value = value;
    return record;
}

/* Entries for one id: the last counts, as when they are stored. Both lists are walked by id. */
static int by_member_id(const void *a, const void *b) {
    const ks_proposed_assignment *one = *(const ks_proposed_assignment *const *)a,
                                 *other = *(const ks_proposed_assignment *const *)b;
    int order = ks_string_compare(one->member_id, other->member_id);
    return order != 0 ? order : one < other ? -1 : one > other; /* same array: position */
}

ks_group_record *ks_group_metadata_record(ks_group *group, const ks_group_append *proposed, ks_arena *arena) {
    ks_group_member *const *members = ks_group_members_sorted(group);
    int32_t proposals = proposed != NULL ? proposed->proposed_count : 0, next = 0;
    const ks_proposed_assignment **sorted = ks_arena_alloc(arena, sizeof *sorted * (size_t)(proposals + 1));
    for (int32_t i = 0; i < proposals; i++) sorted[i] = &proposed->proposed[i];
    ks_sort(sorted, (size_t)proposals, sizeof *sorted, by_member_id);
    size_t size = head_size(group);
    for (int32_t i = 0; i < proposals; i++) size += (size_t)proposed->proposed[i].assignment.size;
    for (int32_t i = 0; i < group->member_count; i++)
        size += member_size(members[i]) + (proposed != NULL ? 0 : ks_room_of(ks_group_assignment_of(members[i]).size));
    uint8_t *value = ks_arena_alloc(arena, size);
    uint8_t *at = write_head(value, group->protocol_type, group->generation, group->protocol_name,
                             group->leader != NULL ? group->leader->id : KS_NULL_STRING, group->state_since_ms, group->member_count);
    for (int32_t i = 0; i < group->member_count; i++) {
        ks_bytes assignment = proposed != NULL ? (ks_bytes){ NULL, 0 } : ks_group_assignment_of(members[i]);
        for (; next < proposals && ks_string_equal(sorted[next]->member_id, members[i]->id); next++)
            assignment = sorted[next]->assignment;
        at = write_member(at, members[i], assignment);
    }
    ks_assert((size_t)(at - value) <= size && size <= INT32_MAX); /* less if there were two entries for one id */
    return record_of(group, (ks_bytes){ value, (int32_t)(at - value) }, arena);
}

ks_group_record *ks_group_empty_record(const ks_group *group, ks_arena *arena) {
    enum { SIZE = 2 + 2 + 4 + 2 + 2 + 8 + 4 };
    uint8_t *value = ks_arena_alloc(arena, SIZE);
    write_head(value, KS_NULL_STRING, 0, KS_NULL_STRING, KS_NULL_STRING, group->state_since_ms, 0);
    return record_of(group, (ks_bytes){ value, SIZE }, arena);
}

ks_group_record *ks_group_tombstone(const ks_group *group, ks_arena *arena) { return record_of(group, KS_NULL_BYTES, arena); }

static void add_loaded_member(ks_group *group, int16_t version, ks_reader *in) {
    ks_join_group_request_protocol protocol = { .name = group->protocol_name };
    ks_member_spec spec = { .instance_id = KS_NULL_STRING,
                            .protocols = &protocol,
                            .protocol_type = group->protocol_type };
    spec.protocol_count = group->protocol_name.size >= 0 ? 1 : 0;
    spec.id = ks_read_string(in);
    if (version >= 3) spec.instance_id = ks_read_string(in);
    spec.client_id = ks_read_string(in);
    spec.client_host = ks_read_string(in);
    spec.rebalance_timeout_ms = version >= 1 ? ks_read_i32(in) : -1;
    spec.session_timeout_ms = ks_read_i32(in);
    protocol.metadata = ks_read_bytes(in);
    spec.assignment = ks_read_bytes(in);
    if (spec.rebalance_timeout_ms == -1) spec.rebalance_timeout_ms = spec.session_timeout_ms;
    if (in->failed || spec.id.size < 0 || ks_group_member_find(group, spec.id) != NULL) return;
    if (spec.assignment.size < 0) spec.assignment = (ks_bytes){ NULL, 0 };
    if (protocol.metadata.size < 0) protocol.metadata = (ks_bytes){ NULL, 0 };
    ks_group_member_add(group, &spec);
}

static void apply_group(ks_groups *groups, const ks_group_key *key, ks_bytes value, int64_t now_ms, ks_effects *out) {
    ks_group *group = ks_groups_find(groups, key->group);
    ks_group_offsets *offsets = NULL;
    if (group != NULL) {
        if (ks_group_offset_count(group) > 0) { /* they live on in the group that takes its place */
            offsets = group->offsets;
            group->offsets = NULL;
        }
        ks_group_unlink(group, out);
    }
    ks_reader in = { value.data, value.size > 0 ? value.data + value.size : value.data, false };
    if (value.size < 0) {
        if (offsets != NULL) ks_group_new(groups, key->group, now_ms)->offsets = offsets;
        return;
    }
    int16_t version = ks_read_i16(&in);
    ks_string type = ks_read_string(&in);
    group = ks_group_new(groups, key->group, now_ms);
    group->offsets = offsets;
    group->generation = ks_read_i32(&in);
    ks_string_replace(&group->protocol_name, ks_read_string(&in));
    ks_string leader = ks_read_string(&in);
    int64_t since = version >= 2 ? ks_read_i64(&in) : -1;
    if (since >= 0) group->state_since_ms = since;
    if (type.size > 0) ks_string_replace(&group->protocol_type, type);
    int32_t count = ks_read_count(&in, version >= 3 ? MEMBER_MIN_SIZE : 1);
    for (int32_t i = 0; i < count && !in.failed; i++) add_loaded_member(group, version, &in);
    group->leader = leader.size > 0 ? ks_group_member_find(group, leader) : NULL;
    if (group->leader == NULL) group->leader = group->first_member;
    group->state = group->previous_state =
        group->member_count > 0 ? KS_GROUP_STABLE : KS_GROUP_EMPTY; /* not a transition */
}

/* ---- offsets ---- */

ks_group_record ks_offset_tombstone(ks_string group, ks_string topic, int32_t partition, ks_arena *arena) {
    int32_t size = 2 + 2 + group.size + 2 + topic.size + 4;
    uint8_t *key = ks_arena_alloc(arena, (size_t)size);
    ks_write_32(ks_write_string(ks_write_string(ks_write_16(key, KEY_OFFSET), group), topic), partition);
    return (ks_group_record){ { key, size }, KS_NULL_BYTES };
}

#if defined(KS_SLOW_ASSERTIONS)
/* Loading gives the very values that ks_group_offsets_commit() sets. */
static bool reads_back(ks_bytes key, ks_bytes value, ks_string group, const ks_topic_commit *commit, int32_t i) {
    ks_group_key k;
    ks_committed_value v, expected = ks_topic_commit_value(commit, i);
    ks_group_key_decode(key, &k);
    return k.kind == KS_RECORD_OFFSET && ks_string_equal(k.group, group) && ks_string_equal(k.topic, commit->topic) &&
           k.partition == commit->offsets[i].partition && ks_committed_value_decode(value, &v) && v.offset == expected.offset &&
           v.leader_epoch == expected.leader_epoch && ks_string_equal(v.metadata, expected.metadata) &&
           v.commit_ms == expected.commit_ms && v.expire_ms == expected.expire_ms;
}
#endif

/* What differs between the records of one commit that have the same metadata. */
static uint8_t *write_offset(uint8_t *key_end, uint8_t *value, const ks_topic_commit *commit, int32_t i) {
    bool expires = commit->expire_ms >= 0;
    const ks_partition_offset *one = &commit->offsets[i];
    ks_write_32(key_end - 4, one->partition);
    uint8_t *at = ks_write_64(ks_write_16(value, expires ? VALUE_OFFSET_EXPIRES : VALUE_OFFSET), one->offset);
    return expires ? at : ks_write_32(at, one->leader_epoch);
}

static int32_t with_same_metadata(const ks_topic_commit *commit, int32_t first) {
    int32_t count = 1;
    while (first + count < commit->count && ks_string_equal(commit->offsets[first + count].metadata, commit->offsets[first].metadata)) count++;
    return count;
}

void ks_offset_records_add(ks_batch_builder *batch, ks_string group, const ks_topic_commit *commit, ks_arena *scratch) {
    bool expires = commit->expire_ms >= 0;
    ks_bytes key = ks_offset_tombstone(group, commit->topic, 0, scratch).key;
    for (int32_t i = 0, alike; i < commit->count; i += alike) {
        ks_string metadata = commit->offsets[i].metadata;
        int32_t value_size = 2 + 8 + 2 + metadata.size + 8 + (expires ? 8 : 4);
        ks_batch_room room = ks_batch_add_room(batch, key.size, value_size, commit->commit_ms);
        memcpy(room.key, key.data, (size_t)key.size);
        uint8_t *at = ks_write_64(ks_write_string(write_offset(room.key + key.size, room.value, commit, i), metadata), commit->commit_ms);
        if (expires) ks_write_64(at, commit->expire_ms);
        alike = 1 + ks_batch_repeat(batch, &room, with_same_metadata(commit, i) - 1);
        for (int32_t k = 0; k < alike; k++) {
            uint8_t *record_key = room.key + room.size * (size_t)k, *record_value = room.value + room.size * (size_t)k;
            if (k > 0) write_offset(record_key + key.size, record_value, commit, i + k);
            ks_assert_slow(reads_back((ks_bytes){ record_key, key.size }, (ks_bytes){ record_value, value_size }, group, commit, i + k));
        }
    }
}

bool ks_committed_value_decode(ks_bytes value, ks_committed_value *out) {
    ks_reader in = { value.data, value.size > 0 ? value.data + value.size : value.data, false };
    *out = (ks_committed_value){ .leader_epoch = -1, .expire_ms = -1 };
    int16_t version = ks_read_i16(&in);
    if (version < 0 || version > 4) return false;
    out->offset = ks_read_i64(&in);
    if (version >= 3) out->leader_epoch = ks_read_i32(&in);
    out->metadata = ks_read_string(&in);
    out->commit_ms = ks_read_i64(&in);
    if (version == 1) out->expire_ms = ks_read_i64(&in);
    return !in.failed && out->metadata.size >= 0;
}

static void apply_offset(ks_groups *groups, const ks_group_key *key, ks_bytes value, int64_t now_ms) {
    ks_group *group = ks_groups_find(groups, key->group);
    ks_committed_value committed;
    if (value.size < 0) {
        if (group != NULL) ks_group_offset_remove(group, key->topic, key->partition);
    } else if (ks_committed_value_decode(value, &committed)) {
        if (group == NULL) group = ks_group_new(groups, key->group, now_ms);
        ks_group_offset_set(group, key->topic, key->partition, &committed);
    }
}

void ks_groups_apply(ks_groups *groups, ks_bytes key_bytes, ks_bytes value, int64_t now_ms, ks_effects *out) {
    ks_group_key key;
    ks_group_key_decode(key_bytes, &key);
    switch (key.kind) {
    case KS_RECORD_OFFSET: apply_offset(groups, &key, value, now_ms); break;
    case KS_RECORD_GROUP: apply_group(groups, &key, value, now_ms, out); break;
    case KS_RECORD_CONSUMER: ks_consumer_group_apply(groups, &key, value, now_ms, out); break;
    case KS_RECORD_OTHER: break;
    }
}
