/* SPDX-License-Identifier: Apache-2.0
 *
 * What computing targets costs when a KIP-848 group grows: the coordinator's machine alone gets the first heartbeats of all
 * members, one after the other, without messages, events or a log. It computes a target at each of them, over all partitions;
 * in group_join_N_uniform this is a part of the whole.
 */
#include "sim/cli/bench.h"

#include "sim/broker/group_machine.h"
#include "sim/protocol/messages.h"

#include <stdio.h>

static int32_t ten_a_member(void *context, ks_string topic, ks_uuid *id) {
    (void)topic;
    *id = (ks_uuid){ { 1 } };
    return (int32_t)(10 * ((const ks_bench *)context)->size);
}

static void first_heartbeat(ks_groups *groups, const ks_group_topics *topics, int64_t member, ks_effects *out) {
    char id[32];
    snprintf(id, sizeof id, "c%05lld", (long long)member);
    ks_string orders = KS_LITERAL("orders");
    ks_consumer_group_heartbeat_request beat;
    ks_struct_default(ks_describe_consumer_group_heartbeat_request(), &beat);
    beat.group_id = KS_LITERAL("g");
    beat.member_id = ks_str(id);
    beat.rebalance_timeout_ms = 300000;
    beat.subscribed_topic_names.items = &orders;
    beat.subscribed_topic_names.count = 1;
    beat.topic_partitions.count = 0;
    ks_group_input in = { .kind = KS_GROUP_CONSUMER_HEARTBEAT, .group_id = beat.group_id, .request = &beat, .version = 1,
                          .client_id = beat.member_id, .client_host = KS_LITERAL("/bench"), .topics = topics };
    in.consumer_heartbeat = &beat;
    ks_groups_step(groups, &in, out);
}

/* All that was to be written is. */
static void written(ks_groups *groups, ks_effects *out) {
    for (int32_t i = 0, count = out->list.count; i < count; i++) {
        const ks_effect *effect = &out->list.items[i];
        if (effect->kind != KS_EFFECT_APPEND) continue;
        ks_group_input in = { .kind = KS_GROUP_APPENDED, .group_id = KS_LITERAL("g") };
        in.appended.append = effect->append.append;
        in.appended.error = KAFKA_OK;
        ks_groups_step(groups, &in, out);
    }
    ks_effects_reset(out);
}

void ks_bench_run_targets(const ks_bench *bench, ks_figure *figure) {
    const ks_group_topics topics = { (void *)(uintptr_t)bench, 1, ten_a_member };
    ks_groups groups;
    ks_effects out;
    ks_groups_init(&groups, &ks_group_settings_default);
    ks_effects_init(&out);
    out.no_events = true;
    figure->value = 0;
    for (int64_t member = 0; member < bench->size; member++) {
        double start = ks_bench_cpu_seconds();
        first_heartbeat(&groups, &topics, member, &out);
        figure->value += (ks_bench_cpu_seconds() - start) * 1e3;
        written(&groups, &out);
    }
    ks_effects_deinit(&out);
    ks_groups_deinit(&groups);
}
