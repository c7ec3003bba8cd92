/* SPDX-License-Identifier: Apache-2.0
 *
 * Tells group, member, generation, first topic, first partition and first error of any described message.
 *
 * The .def files are read a third and a fourth time here. Each struct becomes two small functions: one that looks at the
 * fields whose names say what they are (group_id, member_id ...), and one that looks for error codes. What a struct does not
 * have, the preprocessor leaves out and the compiler folds away, so a summary costs a handful of loads and no look-up.
 */
#include "sim/protocol/summary.h"

#include "sim/protocol/messages.h"

static inline void take_string(ks_string *to, ks_string value) {
    if (to->size < 0 && value.size > 0) *to = value;
}

static inline void take_number(int32_t *to, int32_t value) {
    if (*to < 0) *to = value;
}

/* ---- IF(SAYS(GROUP, c_name), code): `code` only if one of the lines below names that field ---- */

#define SECOND_OF(a, b, ...) b
#define SECOND(...) SECOND_OF(__VA_ARGS__, 0, 0)
#define SAYS(what, c_name) SECOND(what##_##c_name)
#define IF_0(...)
#define IF_1(...) __VA_ARGS__
#define PASTE_IF(condition) IF_##condition
#define IF(condition, ...) PASTE_IF(condition)(__VA_ARGS__)

#define GROUP_group_id ~, 1
#define GROUP_key ~, 1 /* FindCoordinator v0-3 */
#define GROUPS_groups ~, 1
#define GROUPS_groups_names ~, 1
#define GROUPS_group_ids ~, 1
#define GROUPS_coordinator_keys ~, 1
#define MEMBER_member_id ~, 1
#define GENERATION_generation_id ~, 1
#define GENERATION_generation_id_or_member_epoch ~, 1
#define GENERATION_member_epoch ~, 1
#define TOPIC_topic ~, 1
#define TOPIC_topic_name ~, 1
#define NAME_name ~, 1 /* a topic's, inside the arrays of the next lines */
#define TOPICS_topics ~, 1
#define TOPICS_topic_data ~, 1
#define TOPICS_v3_and_below_topics ~, 1
#define TOPIC_NAMES_topic_names ~, 1
#define PARTITION_partition ~, 1
#define PARTITION_partition_index ~, 1
#define PARTITION_index ~, 1 /* Produce */
#define PARTITIONS_partitions ~, 1
#define PARTITIONS_partition_indexes ~, 1
#define ERROR_error_code ~, 1
#define ERROR_partition_error_code ~, 1 /* AddPartitionsToTxn */

/* ---- third reading: whom and what it is about; of arrays only the first element ---- */

#define STRUCT(name)                                                                                                   \
    static inline __attribute__((unused)) void about_##name(const ks_##name *self, bool in_topics, ks_summary *out) {  \
        (void)self, (void)in_topics, (void)out;
#define FIELD(type, c_name, kafka_name, since, until, ...)                                                             \
    IF(SAYS(GROUP, c_name), take_string(&out->group, self->c_name);)                                                   \
    IF(SAYS(MEMBER, c_name), take_string(&out->member, self->c_name);)                                                 \
    IF(SAYS(GENERATION, c_name), take_number(&out->generation, self->c_name);)                                         \
    IF(SAYS(TOPIC, c_name), take_string(&out->topic, self->c_name);)                                                   \
    IF(SAYS(NAME, c_name), if (in_topics) take_string(&out->topic, self->c_name);)                                     \
    IF(SAYS(PARTITION, c_name), take_number(&out->partition, self->c_name);)
#define LIST(type, c_name, kafka_name, since, until, ...)                                                              \
    IF(SAYS(GROUPS, c_name), if (self->c_name.count > 0) take_string(&out->group, self->c_name.items[0]);)             \
    IF(SAYS(TOPIC_NAMES, c_name), if (self->c_name.count > 0) take_string(&out->topic, self->c_name.items[0]);)        \
    IF(SAYS(PARTITIONS, c_name), if (self->c_name.count > 0) take_number(&out->partition, self->c_name.items[0]);)
#define ARRAY(name, c_name, kafka_name, since, until, ...)                                                             \
    if (self->c_name.count > 0) about_##name(&self->c_name.items[0], SAYS(TOPICS, c_name), out);
#define NESTED(name, c_name, kafka_name, since, until, ...) /* none of them says whom a request is about */
#define NESTED_PTR(name, c_name, kafka_name, since, until, ...)
#define END }
#include "sim/protocol/messages/all.def"
#include "sim/base/describe_end.h"

/* ---- fourth reading: the first error, in the order of the fields ---- */

#define STRUCT(name)                                                                                                   \
    static inline __attribute__((unused)) int16_t error_in_##name(const ks_##name *self) {                             \
        (void)self;
#define FIELD(type, c_name, kafka_name, since, until, ...)                                                             \
    IF(SAYS(ERROR, c_name), if (self->c_name != 0) return self->c_name;)
#define LIST(type, c_name, kafka_name, since, until, ...)
#define ARRAY(name, c_name, kafka_name, since, until, ...)                                                             \
    for (int32_t i = 0; i < self->c_name.count; i++) {                                                                 \
        int16_t error = error_in_##name(&self->c_name.items[i]);                                                       \
        if (error != 0) return error;                                                                                  \
    }
#define NESTED(name, c_name, kafka_name, since, until, ...)
#define NESTED_PTR(name, c_name, kafka_name, since, until, ...)
#define END                                                                                                            \
    return 0;                                                                                                          \
    }
#include "sim/protocol/messages/all.def"
#include "sim/base/describe_end.h"

static void about(const ks_envelope *request, ks_summary *out) {
    switch (request->api_key) {
#define API(key, name, c_name, since, until, flexible, advertise)                                                      \
    case key: about_##c_name##_request(request->body, false, out); break;
#include "sim/protocol/messages/apis.def"
#undef API
    default: break;
    }
    if (request->api_key == KS_API_find_coordinator) {
        const ks_find_coordinator_request *find = request->body;
        if (find->key_type != 0) out->group = KS_NULL_STRING; /* a transactional id, no group */
    }
}

static int16_t error_in(const ks_envelope *response) {
    switch (response->api_key) {
#define API(key, name, c_name, since, until, flexible, advertise)                                                      \
    case key: return error_in_##c_name##_response(response->body);
#include "sim/protocol/messages/apis.def"
#undef API
    default: return 0;
    }
}

/* The member id and generation that a response gives to its member. */
static void given_by(const ks_envelope *response, ks_summary *out) {
    ks_string member = KS_NULL_STRING;
    int32_t generation = -1;
    if (response->api_key == KS_API_join_group) {
        const ks_join_group_response *join = response->body;
        member = join->member_id;
        generation = join->generation_id;
    } else if (response->api_key == KS_API_consumer_group_heartbeat) {
        const ks_consumer_group_heartbeat_response *heartbeat = response->body;
        member = heartbeat->member_id;
        generation = heartbeat->member_epoch;
    }
    if (member.size > 0) out->member = member;
    if (generation >= 0) out->generation = generation;
}

void ks_message_summarise(const ks_envelope *request, const ks_envelope *response, ks_summary *out) {
    *out = (ks_summary){ .group = KS_NULL_STRING, .member = KS_NULL_STRING, .topic = KS_NULL_STRING, .partition = -1,
                         .generation = -1 };
    if (request != NULL) about(request, out);
    if (response == NULL) return;
    given_by(response, out);
    out->error_code = error_in(response);
}
