/* SPDX-License-Identifier: Apache-2.0
 *
 * A broker as a node: hands each request to the function of its API key (Kafka's KafkaApis.handle), and tells the
 * cluster when its process dies or comes back.
 */
#include "sim/broker/cluster_internal.h"
#include "sim/broker/fetch_session.h"

/* What this broker serves and therefore advertises (WR-28). One line per file api_NN_name.c. */
static ks_api_handler *const handlers[KS_API_LIMIT] = {
    [KS_API_produce] = ks_handle_produce,
    [KS_API_fetch] = ks_handle_fetch,
    [KS_API_list_offsets] = ks_handle_list_offsets,
    [KS_API_metadata] = ks_handle_metadata,
    [KS_API_offset_commit] = ks_handle_offset_commit,
    [KS_API_offset_fetch] = ks_handle_offset_fetch,
    [KS_API_find_coordinator] = ks_handle_find_coordinator,
    [KS_API_join_group] = ks_handle_join_group,
    [KS_API_heartbeat] = ks_handle_heartbeat,
    [KS_API_leave_group] = ks_handle_leave_group,
    [KS_API_sync_group] = ks_handle_sync_group,
    [KS_API_describe_groups] = ks_handle_describe_groups,
    [KS_API_list_groups] = ks_handle_list_groups,
    [KS_API_delete_groups] = ks_handle_delete_groups,
    [KS_API_offset_delete] = ks_handle_offset_delete,
    [KS_API_api_versions] = ks_handle_api_versions,
    [KS_API_create_topics] = ks_handle_create_topics,
    [KS_API_delete_topics] = ks_handle_delete_topics,
    [KS_API_delete_records] = ks_handle_delete_records,
    [KS_API_offset_for_leader_epoch] = ks_handle_offset_for_leader_epoch,
    [KS_API_describe_configs] = ks_handle_describe_configs,
    [KS_API_alter_configs] = ks_handle_alter_configs,
    [KS_API_create_partitions] = ks_handle_create_partitions,
    [KS_API_incremental_alter_configs] = ks_handle_incremental_alter_configs,
    [KS_API_describe_cluster] = ks_handle_describe_cluster,
    [KS_API_consumer_group_heartbeat] = ks_handle_consumer_group_heartbeat,
    [KS_API_consumer_group_describe] = ks_handle_consumer_group_describe,
    [KS_API_describe_topic_partitions] = ks_handle_describe_topic_partitions,
};

bool ks_broker_serves(int16_t api_key) { return api_key >= 0 && api_key < KS_API_LIMIT && handlers[api_key] != NULL; }

/* WR-20: there is no error response for these. */
static void reject(ks_broker *broker, ks_request *request, ks_string reason) {
    const ks_envelope *envelope = request->envelope;
    KS_EMIT(broker->cluster->kernel, broker->node, request_rejected, .api_key = envelope->api_key,
            .api_version = envelope->api_version, .client = envelope->client_id, .reason = reason);
    ks_request_close(request);
}

static void on_request(void *owner, ks_request *request) {
    ks_broker *broker = owner;
    const ks_envelope *envelope = request->envelope;
    const ks_api *api = ks_api_find(envelope->api_key);
    if (api == NULL || !ks_broker_serves(envelope->api_key)) {
        reject(broker, request, KS_LITERAL("unknown_api"));
        return;
    }
    bool known = envelope->api_version >= api->since && envelope->api_version <= api->until;
    if (!known && envelope->api_key != KS_API_api_versions) { /* it alone answers what it does not understand (WR-12) */
        reject(broker, request, KS_LITERAL("unsupported_version"));
        return;
    }
    handlers[envelope->api_key](broker, request);
}

static void on_cancelled(void *owner, ks_request *request) {
    ks_parked *parked = request->parked;
    if (parked != NULL) parked->cancelled(parked, request);
}

static void on_down(void *owner) {
    ks_broker *broker = owner;
    ks_cluster *cluster = broker->cluster;
    broker->up = false;
    cluster->down_count++;
    ks_fetch_drop_all(cluster, broker); /* their connections are gone */
    ks_fetch_sessions_clear(broker->fetch_sessions);
    ks_leaders_broker_down(cluster, broker->id);
    cluster->changes++;
    KS_WATCHES(cluster, broker_down, broker);
    ks_fetch_flush(cluster);
}

static void on_up(void *owner) {
    ks_broker *broker = owner;
    broker->up = true;
    broker->cluster->down_count--;
    ks_leaders_broker_up(broker->cluster, broker->id);
    broker->cluster->changes++;
    KS_WATCHES(broker->cluster, broker_up, broker);
    ks_fetch_flush(broker->cluster);
}

void ks_broker_init(ks_broker *broker, ks_cluster *cluster, int32_t id, const char *host, ks_string rack) {
    static const ks_node_events events = {
        .request = on_request, .request_cancelled = on_cancelled, .down = on_down, .up = on_up
    };
    *broker = (ks_broker){ .cluster = cluster,
                           .id = id,
                           .host = ks_str(host),
                           .rack = ks_string_dup(rack),
                           .port = KS_BROKER_PORT,
                           .up = true };
    broker->node = ks_node_new(cluster->kernel, host, &events, broker);
    broker->fetch_sessions = ks_fetch_sessions_new(broker);
}

ks_envelope *ks_response_new(ks_request *request) {
    const ks_envelope *envelope = request->envelope;
    return ks_envelope_new(ks_request_kernel(request), envelope->api_key, envelope->api_version,
                           ks_api_find(envelope->api_key)->response());
}
