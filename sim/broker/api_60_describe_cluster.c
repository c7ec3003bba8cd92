/* SPDX-License-Identifier: Apache-2.0
 * DescribeCluster (KIP-700, KIP-919, KIP-1073). Brokers only: the controllers have no endpoint of their own here. */
#include "sim/broker/cluster_internal.h"
#include "sim/broker/response.h"

enum { ENDPOINT_BROKERS = 1, ENDPOINT_CONTROLLERS = 2 };

static void describe_brokers(const ks_cluster *cluster, ks_envelope *response, bool fenced_too) {
    ks_describe_cluster_response *out = response->body;
    int32_t count = 0;
    KS_RESPONSE_ARRAY(response, out->brokers, cluster->broker_count, describe_cluster_response_broker);
    for (int32_t id = 1; id <= cluster->broker_count; id++) {
        const ks_broker *broker = ks_cluster_broker_find(cluster, id);
        if (!broker->up && !fenced_too) continue;
        ks_describe_cluster_response_broker *described = &out->brokers.items[count++];
        described->broker_id = id;
        described->host = broker->host;
        described->port = broker->port;
        described->rack = broker->rack;
        if (response->api_version >= 2) described->is_fenced = !broker->up;
    }
    out->brokers.count = count;
}

void ks_handle_describe_cluster(ks_broker *broker, ks_request *request) {
    const ks_describe_cluster_request *in = request->envelope->body;
    const ks_cluster *cluster = broker->cluster;
    ks_envelope *response = ks_response_new(request);
    ks_describe_cluster_response *out = response->body;
    int16_t version = response->api_version;
    int8_t endpoint = version >= 1 ? in->endpoint_type : ENDPOINT_BROKERS;
    if (endpoint != ENDPOINT_BROKERS) {
        out->error_code =
            endpoint == ENDPOINT_CONTROLLERS ? KAFKA_ERR_MISMATCHED_ENDPOINT_TYPE : KAFKA_ERR_UNSUPPORTED_ENDPOINT_TYPE;
        out->error_message = KS_LITERAL("this listener describes brokers only");
        ks_respond(request, response);
        return;
    }
    out->cluster_id = ks_cluster_id(cluster);
    out->controller_id = ks_cluster_controller(cluster);
    describe_brokers(cluster, response, version >= 2 && in->include_fenced_brokers);
    ks_respond(request, response);
}
