/* SPDX-License-Identifier: Apache-2.0
 * In the sentence of a step: what a request is for, when nothing came of it, and what somebody learns from an error.
 */
#include "sim/explain/words_telling.h"

#include <kafkasim/error.h>

#include "sim/protocol/events.h"
#include "sim/protocol/messages.h"

#define KIND(x) (kind == ks_describe_ev_##x())
#define FIELDS(x) ((const ks_ev_##x *)event->fields)

typedef struct purpose { int16_t api; const char *asks; } purpose;
/* After the client's name. */
static const purpose purposes[] = {
    { KS_API_produce, "sends records" },
    { KS_API_fetch, "asks for records" },
    { KS_API_list_offsets, "asks where the log begins or ends" },
    { KS_API_metadata, "asks which brokers there are, and who leads which partition" },
    { KS_API_offset_commit, "commits" },
    { KS_API_offset_fetch, "asks what is committed, to know where to go on" },
    { KS_API_find_coordinator, "asks which broker coordinates the group; its name decides that" },
    { KS_API_join_group, "wants to join" },
    { KS_API_heartbeat, "is alive, and nothing has changed" },
    { KS_API_leave_group, "wants to leave" },
    { KS_API_sync_group, "asks for its part of the leader's plan" },
    { KS_API_describe_groups, "asks for the state and the members of groups" },
    { KS_API_consumer_group_describe, "asks for the state and the members of groups" },
    { KS_API_list_groups, "asks which groups there are" },
    { KS_API_api_versions, "asks which requests and versions the broker speaks" },
    { KS_API_create_topics, "asks for new topics" },
    { KS_API_delete_topics, "asks for topics to be deleted" },
    { KS_API_delete_records, "asks for old records to be deleted" },
    { KS_API_offset_for_leader_epoch, "asks how far the log of the leader that it knows goes, to see whether its position still holds" },
    { KS_API_init_producer_id, "asks for a producer id" },
    { KS_API_describe_configs, "asks for settings" },
    { KS_API_alter_configs, "asks for other settings" },
    { KS_API_incremental_alter_configs, "asks for other settings" },
    { KS_API_create_partitions, "asks for more partitions" },
    { KS_API_delete_groups, "asks for groups to be deleted" },
    { KS_API_offset_delete, "asks for committed offsets to be deleted" },
    { KS_API_describe_cluster, "asks which brokers there are" },
    { KS_API_consumer_group_heartbeat, "is alive, and nothing has changed for it" },
    { KS_API_describe_topic_partitions, "asks for the partitions of topics" },
};

static const char *asks(int16_t api) {
    for (size_t i = 0; i < sizeof purposes / sizeof *purposes; i++)
        if (purposes[i].api == api) return purposes[i].asks;
    return "asks";
}

/* What a member learns from an error; NULL: nothing in particular. */
static const char *learns(int16_t api, int16_t error) {
    bool member = api == KS_API_heartbeat || api == KS_API_sync_group || api == KS_API_join_group || api == KS_API_consumer_group_heartbeat ||
                  api == KS_API_offset_commit || api == KS_API_leave_group;
    if (!member) return NULL;
    switch (error) {
    case KAFKA_ERR_REBALANCE_IN_PROGRESS:
        return api == KS_API_heartbeat ? "learns of the rebalance from its heartbeat" : "learns that the group rebalances: it has to join again";
    case KAFKA_ERR_ILLEGAL_GENERATION: return "learns that the group has moved on to another generation";
    case KAFKA_ERR_UNKNOWN_MEMBER_ID: return "learns that it is no member any more";
    case KAFKA_ERR_FENCED_INSTANCE_ID: return "learns that another process has its place";
    case KAFKA_ERR_FENCED_MEMBER_EPOCH: return "learns that the coordinator has given up on it";
    case KAFKA_ERR_NOT_COORDINATOR: return "learns that this broker does not coordinate the group any more: it has to ask who does";
    case KAFKA_ERR_COORDINATOR_LOAD_IN_PROGRESS: return "has to wait: the coordinator is still reading what it should know";
    case KAFKA_ERR_COORDINATOR_NOT_AVAILABLE: return "has to wait: nobody coordinates the group at the moment";
    case KAFKA_ERR_GROUP_MAX_SIZE_REACHED: return "is refused: the group is as big as group.max.size allows";
    default: return NULL;
    }
}

static void error_of(const ks_telling *t, ks_string client, int16_t api, int16_t error) {
    const char *learned = learns(api, error);
    ks_telling_next(t);
    if (learned != NULL) ks_tell(&t->s, "%s %c.", client, learned);
    else ks_tell(&t->s, "%s %c, and is refused: %c, %c.", client, asks(api), kafka_error_name((kafka_error)error), kafka_error_text((kafka_error)error));
}

static const ks_recorded *own_event(const ks_telling *t) { return &t->s.story->recording->events.items[t->step->event]; }

static void of_request(const ks_telling *t) {
    const ks_ev_request_received *request = own_event(t)->fields;
    const ks_step *step = t->step;
    ks_telling_next(t);
    ks_tell(&t->s, "%s %c", request->from, asks(step->api_key));
    bool parked = false, in_vain = false;
    int32_t waits_ms = 0;
    for (int32_t f = 0; f < step->facts.count; f++) {
        const ks_recorded *event = ks_telling_fact(t, f);
        const ks_struct *kind = event->kind;
        if (KIND(fetch_parked)) parked = true, waits_ms = FIELDS(fetch_parked)->max_wait_ms;
        if (KIND(fetch_completed)) in_vain = FIELDS(fetch_completed)->bytes == 0;
    }
    if (in_vain) ks_tell(&t->s, "; nothing new comes, and the answer is empty.");
    else if (parked) ks_tell(&t->s, ". There is nothing new yet: the broker waits for it, at most %t.", waits_ms * KS_MS);
    else ks_tell(&t->s, ".");
}

static void of_answer(const ks_telling *t) {
    const ks_ev_response_sent *response = own_event(t)->fields;
    ks_telling_next(t);
    if (response->api_key == KS_API_join_group) ks_tell(&t->s, "%s learns that generation %d has begun.", response->to, (int64_t)response->generation);
    else if (response->api_key == KS_API_sync_group) ks_tell(&t->s, "%s learns what it has.", response->to);
    else if (response->api_key == KS_API_fetch) ks_tell(&t->s, "Records come to %s; nothing of them is delivered yet.", response->to);
    else ks_tell(&t->s, "%s has its answer.", response->to);
}

void ks_telling_error(const ks_telling *t) {
    const ks_recorded *event = own_event(t);
    const ks_struct *kind = event->kind;
    if (KIND(request_received)) error_of(t, FIELDS(request_received)->from, t->step->api_key, t->step->error);
    else if (KIND(response_sent)) error_of(t, FIELDS(response_sent)->to, t->step->api_key, t->step->error);
}

void ks_telling_request(const ks_telling *t) {
    const ks_struct *kind = own_event(t)->kind;
    if (KIND(request_received)) of_request(t);
    else if (KIND(response_sent)) of_answer(t);
}
