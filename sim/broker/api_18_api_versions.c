/* SPDX-License-Identifier: Apache-2.0
 * ApiVersions (WR-12 to WR-17): what this broker serves, in which versions. It has no features to negotiate yet. */
#include "sim/broker/cluster_internal.h"
#include "sim/broker/response.h"

static bool alphanumeric(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); }

/* [a-zA-Z0-9](?:[a-zA-Z0-9\-.]*[a-zA-Z0-9])? (KIP-511) */
static bool software_word(ks_string word) {
    if (word.size <= 0 || !alphanumeric(word.data[0]) || !alphanumeric(word.data[word.size - 1])) return false;
    for (int32_t i = 0; i < word.size; i++) {
        if (!alphanumeric(word.data[i]) && word.data[i] != '-' && word.data[i] != '.') return false;
    }
    return true;
}

static void list_one(ks_api_versions_response_api_version *out, const ks_api *api) {
    out->api_key = api->key;
    out->min_version = api->advertise_since;
    out->max_version = api->until;
}

static void list_all(ks_envelope *response) {
    ks_api_versions_response *out = response->body;
    int32_t count = 0;
    KS_RESPONSE_ARRAY(response, out->api_keys, ks_api_count(), api_versions_response_api_version);
    for (int32_t i = 0; i < ks_api_count(); i++) {
        const ks_api *api = ks_api_at(i);
        if (ks_broker_serves(api->key)) list_one(&out->api_keys.items[count++], api);
    }
    out->api_keys.count = count;
}

void ks_handle_api_versions(ks_broker *broker, ks_request *request) {
    (void)broker;
    const ks_envelope *envelope = request->envelope;
    const ks_api *api = ks_api_find(KS_API_api_versions);
    if (envelope->api_version < api->since || envelope->api_version > api->until) { /* answered as v0 (WR-12) */
        ks_envelope *response = ks_envelope_new(ks_request_kernel(request), envelope->api_key, 0, api->response());
        ks_api_versions_response *out = response->body;
        out->error_code = KAFKA_ERR_UNSUPPORTED_VERSION;
        KS_RESPONSE_ARRAY(response, out->api_keys, 1, api_versions_response_api_version);
        list_one(out->api_keys.items, api);
        ks_respond(request, response);
        return;
    }
    const ks_api_versions_request *in = envelope->body;
    ks_envelope *response = ks_response_new(request);
    ks_api_versions_response *out = response->body;
    bool named = envelope->api_version < 3 ||
                 (software_word(in->client_software_name) && software_word(in->client_software_version));
    if (named)
        list_all(response);
    else
        out->error_code = KAFKA_ERR_INVALID_REQUEST; /* WR-13 */
    ks_respond(request, response);
}
