/* SPDX-License-Identifier: Apache-2.0
 *
 * The tables of all messages, made from messages/NN_name.def, and the table of APIs made from messages/apis.def.
 */
#include "sim/protocol/messages.h"

#include "sim/base/describe_table.h"
#include "sim/protocol/messages/all.def"
#include "sim/base/describe_end.h"

static const ks_api apis[] = {
#define API(key_, name_, c_name_, since_, until_, flexible_, advertise_)                                               \
    { .key = key_, .name = #name_, .since = since_, .until = until_, .flexible_since = flexible_,                      \
      .advertise_since = advertise_, .request = ks_describe_##c_name_##_request,                                       \
      .response = ks_describe_##c_name_##_response },
#include "sim/protocol/messages/apis.def"
#undef API
};

enum index {
#define API(key_, name_, c_name_, since_, until_, flexible_, advertise_) INDEX_##c_name_,
#include "sim/protocol/messages/apis.def"
#undef API
    INDEX_COUNT
};
_Static_assert(INDEX_COUNT == sizeof apis / sizeof *apis, "one index per API");

static const uint8_t index_of_key[KS_API_LIMIT] = { /* + 1; 0: not described */
#define API(key_, name_, c_name_, since_, until_, flexible_, advertise_) [key_] = INDEX_##c_name_ + 1,
#include "sim/protocol/messages/apis.def"
#undef API
};

/* Names of the APIs that are not described, for reports about strangers' requests. */
static const char *const other_names[KS_API_LIMIT] = {
    [4] = "LeaderAndIsr",
    [5] = "StopReplica",
    [6] = "UpdateMetadata",
    [7] = "ControlledShutdown",
    [17] = "SaslHandshake",
    [27] = "WriteTxnMarkers",
    [29] = "DescribeAcls",
    [30] = "CreateAcls",
    [31] = "DeleteAcls",
    [34] = "AlterReplicaLogDirs",
    [35] = "DescribeLogDirs",
    [36] = "SaslAuthenticate",
    [38] = "CreateDelegationToken",
    [39] = "RenewDelegationToken",
    [40] = "ExpireDelegationToken",
    [41] = "DescribeDelegationToken",
    [43] = "ElectLeaders",
    [45] = "AlterPartitionReassignments",
    [46] = "ListPartitionReassignments",
    [48] = "DescribeClientQuotas",
    [49] = "AlterClientQuotas",
    [50] = "DescribeUserScramCredentials",
    [51] = "AlterUserScramCredentials",
    [52] = "Vote",
    [53] = "BeginQuorumEpoch",
    [54] = "EndQuorumEpoch",
    [55] = "DescribeQuorum",
    [56] = "AlterPartition",
    [57] = "UpdateFeatures",
    [58] = "Envelope",
    [59] = "FetchSnapshot",
    [61] = "DescribeProducers",
    [62] = "BrokerRegistration",
    [63] = "BrokerHeartbeat",
    [64] = "UnregisterBroker",
    [65] = "DescribeTransactions",
    [66] = "ListTransactions",
    [67] = "AllocateProducerIds",
    [70] = "ControllerRegistration",
    [71] = "GetTelemetrySubscriptions",
    [72] = "PushTelemetry",
    [73] = "AssignReplicasToDirs",
    [74] = "ListConfigResources",
    [76] = "ShareGroupHeartbeat",
    [77] = "ShareGroupDescribe",
    [78] = "ShareFetch",
    [79] = "ShareAcknowledge",
    [80] = "AddRaftVoter",
    [81] = "RemoveRaftVoter",
    [82] = "UpdateRaftVoter",
    [83] = "InitializeShareGroupState",
    [84] = "ReadShareGroupState",
    [85] = "WriteShareGroupState",
    [86] = "DeleteShareGroupState",
    [87] = "ReadShareGroupStateSummary",
    [88] = "StreamsGroupHeartbeat",
    [89] = "StreamsGroupDescribe",
    [90] = "DescribeShareGroupOffsets",
    [91] = "AlterShareGroupOffsets",
    [92] = "DeleteShareGroupOffsets",
};

const ks_api *ks_api_find(int16_t key) {
    if (key < 0 || key >= KS_API_LIMIT || index_of_key[key] == 0) return NULL;
    return &apis[index_of_key[key] - 1];
}

const ks_api *ks_api_find_name(const char *name) {
    for (int32_t i = 0; i < INDEX_COUNT; i++)
        if (strcmp(apis[i].name, name) == 0) return &apis[i];
    return NULL;
}

const char *ks_api_name(int16_t key) {
    const ks_api *api = ks_api_find(key);
    if (api != NULL) return api->name;
    if (key < 0 || key >= KS_API_LIMIT || other_names[key] == NULL) return "unknown API";
    return other_names[key];
}

int32_t ks_api_count(void) { return INDEX_COUNT; }

const ks_api *ks_api_at(int32_t index) {
    ks_assert(index >= 0 && index < INDEX_COUNT);
    return &apis[index];
}
