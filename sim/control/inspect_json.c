/* SPDX-License-Identifier: Apache-2.0
 *
 * What inspection shows, as JSON: the structs of ksim_inspect.h, field by field.
 */
#include "sim/control/inspect.h"

static void key(ks_buffer *out, const char *name) {
    if (out->size > 0 && out->data[out->size - 1] != '{' && out->data[out->size - 1] != '[') ks_buffer_text(out, ",");
    if (name) ks_buffer_printf(out, "\"%s\":", name);
}

static void number(ks_buffer *out, const char *name, int64_t value) {
    key(out, name);
    ks_buffer_i64(out, value);
}

static void text(ks_buffer *out, const char *name, const char *value) {
    key(out, name);
    ks_json_string(ks_str(value), out);
}

static void flag(ks_buffer *out, const char *name, bool value) {
    key(out, name);
    ks_buffer_text(out, value ? "true" : "false");
}

static void open_with(ks_buffer *out, const char *name, const char *bracket) {
    key(out, name);
    ks_buffer_text(out, bracket);
}

static void ids(ks_buffer *out, const char *name, const int32_t *values, size_t count) {
    open_with(out, name, "[");
    for (size_t i = 0; i < count; i++) number(out, NULL, values[i]);
    ks_buffer_text(out, "]");
}

/* ---- bytes: text where they are UTF-8, else {"hex":...} ---- */

static size_t utf8_sequence(const uint8_t *at, size_t left) {
    uint8_t first = *at;
    size_t size = first < 0x80                    ? 1
                  : first >= 0xC2 && first < 0xE0 ? 2
                  : first >= 0xE0 && first < 0xF0 ? 3
                  : first >= 0xF0 && first < 0xF5 ? 4
                                                  : 0;
    if (size == 0 || size > left) return 0;
    for (size_t i = 1; i < size; i++) {
        if ((at[i] & 0xC0) != 0x80) return 0;
    }
    if ((first == 0xE0 && at[1] < 0xA0) || (first == 0xED && at[1] > 0x9F) || (first == 0xF0 && at[1] < 0x90) ||
        (first == 0xF4 && at[1] > 0x8F))
        return 0;
    return size;
}

static bool is_utf8(kafka_bytes bytes) {
    const uint8_t *at = bytes.data;
    for (size_t left = bytes.size, size; left > 0; at += size, left -= size) {
        size = utf8_sequence(at, left);
        if (size == 0) return false;
    }
    return true;
}

static void bytes(ks_buffer *out, const char *name, kafka_bytes value) {
    key(out, name);
    if (value.data == NULL) {
        ks_buffer_text(out, "null");
    } else if (is_utf8(value)) {
        ks_json_string((ks_string){ value.data, (int32_t)value.size }, out);
    } else {
        ks_buffer_text(out, "{\"hex\":\"");
        for (size_t i = 0; i < value.size; i++) ks_buffer_printf(out, "%02x", ((const uint8_t *)value.data)[i]);
        ks_buffer_text(out, "\"}");
    }
}

/* ---- topics ---- */

static void partition_json(ks_buffer *out, const ksim_partition *partition) {
    open_with(out, NULL, "{");
    number(out, "partition", partition->partition);
    number(out, "leader", partition->leader);
    number(out, "leader_epoch", partition->leader_epoch);
    ids(out, "replicas", partition->replicas, partition->replica_count);
    ids(out, "isr", partition->isr, partition->isr_count);
    number(out, "log_start_offset", partition->log_start_offset);
    number(out, "high_watermark", partition->high_watermark);
    number(out, "log_end_offset", partition->log_end_offset);
    number(out, "size_bytes", partition->size_bytes);
    number(out, "segment_count", partition->segment_count);
    ks_buffer_text(out, "}");
}

static void topic_json(ks_buffer *out, const ksim_topic *topic) {
    open_with(out, NULL, "{");
    text(out, "name", topic->name);
    text(out, "id", topic->id);
    flag(out, "internal", topic->internal);
    number(out, "replication_factor", topic->replication_factor);
    open_with(out, "configs", "{");
    for (size_t i = 0; i < topic->config_count; i++) text(out, topic->configs[i].name, topic->configs[i].value);
    ks_buffer_text(out, "}");
    open_with(out, "partitions", "[");
    for (size_t i = 0; i < topic->partition_count; i++) partition_json(out, &topic->partitions[i]);
    ks_buffer_text(out, "]}");
}

const char *ksim_topics_json(ksim *sim) {
    size_t count;
    const ksim_topic *topics = ksim_topics(sim, &count);
    if (topics == NULL) return NULL;
    ks_buffer out = { 0 };
    ks_buffer_text(&out, "{\"topics\":[");
    for (size_t i = 0; i < count; i++) topic_json(&out, &topics[i]);
    ks_buffer_text(&out, "]}");
    return ks_sim_view_text(sim, &out);
}

const char *ksim_records_json(ksim *sim, const char *topic, int32_t partition) {
    size_t count;
    const ksim_record *records = ksim_records(sim, topic, partition, &count);
    if (records == NULL) return NULL;
    ks_buffer out = { 0 };
    ks_buffer_text(&out, "{");
    text(&out, "topic", topic);
    number(&out, "partition", partition);
    open_with(&out, "records", "[");
    for (size_t i = 0; i < count; i++) {
        open_with(&out, NULL, "{");
        number(&out, "offset", records[i].offset);
        number(&out, "time", records[i].time);
        bytes(&out, "key", records[i].key);
        bytes(&out, "value", records[i].value);
        open_with(&out, "headers", "[");
        for (size_t j = 0; j < records[i].header_count; j++) {
            open_with(&out, NULL, "{");
            bytes(&out, "key", records[i].headers[j].key);
            bytes(&out, "value", records[i].headers[j].value);
            ks_buffer_text(&out, "}");
        }
        ks_buffer_text(&out, "]}");
    }
    ks_buffer_text(&out, "]}");
    return ks_sim_view_text(sim, &out);
}

/* ---- groups ---- */

static void member_json(ks_buffer *out, const ksim_member *member) {
    open_with(out, NULL, "{");
    text(out, "id", member->id);
    text(out, "instance_id", member->instance_id);
    text(out, "client", member->client);
    text(out, "client_id", member->client_id);
    open_with(out, "assigned", "[");
    for (size_t i = 0; i < member->assigned_count; i++) {
        open_with(out, NULL, "{");
        text(out, "topic", member->assigned[i].topic);
        number(out, "partition", member->assigned[i].partition);
        ks_buffer_text(out, "}");
    }
    ks_buffer_text(out, "]}");
}

static void committed_json(ks_buffer *out, const ksim_committed *committed) {
    open_with(out, NULL, "{");
    text(out, "topic", committed->topic);
    number(out, "partition", committed->partition);
    number(out, "offset", committed->offset);
    text(out, "metadata", committed->metadata);
    number(out, "time", committed->time);
    number(out, "lag", committed->lag);
    ks_buffer_text(out, "}");
}

static void group_json(ks_buffer *out, const ksim_group *group) {
    open_with(out, NULL, "{");
    text(out, "name", group->name);
    text(out, "state", group->state);
    number(out, "generation", group->generation);
    number(out, "coordinator", group->coordinator);
    text(out, "protocol_type", group->protocol_type);
    text(out, "protocol", group->protocol);
    text(out, "leader", group->leader);
    open_with(out, "members", "[");
    for (size_t i = 0; i < group->member_count; i++) member_json(out, &group->members[i]);
    ks_buffer_text(out, "]");
    open_with(out, "committed", "[");
    for (size_t i = 0; i < group->committed_count; i++) committed_json(out, &group->committed[i]);
    ks_buffer_text(out, "]}");
}

const char *ksim_groups_json(ksim *sim) {
    size_t count;
    const ksim_group *groups = ksim_groups(sim, &count);
    if (groups == NULL) return NULL;
    ks_buffer out = { 0 };
    ks_buffer_text(&out, "{\"groups\":[");
    for (size_t i = 0; i < count; i++) group_json(&out, &groups[i]);
    ks_buffer_text(&out, "]}");
    return ks_sim_view_text(sim, &out);
}

const char *ksim_group_json(ksim *sim, const char *name) {
    const ksim_group *group = ksim_group_find(sim, name);
    if (group == NULL) return NULL;
    ks_buffer out = { 0 };
    group_json(&out, group);
    return ks_sim_view_text(sim, &out);
}
