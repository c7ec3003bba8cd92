/* SPDX-License-Identifier: Apache-2.0
 * The protocol fact of a step: who, to whom, which request, which answer.
 */
#include "sim/explain/words.h"

#include <kafkasim/error.h>

#include "sim/protocol/events.h"
#include "sim/protocol/messages.h"

#define KIND(x) (kind == ks_describe_ev_##x())
#define FIELDS(x) ((const ks_ev_##x *)event->fields)

static const ks_recorded *event_of(const ks_story *story, int32_t index) { return &story->recording->events.items[story->steps.items[index].event]; }

void ks_words_route(const ks_story *story, int32_t index, ks_buffer *out) {
    const ks_step *step = &story->steps.items[index];
    const ks_recorded *event = event_of(story, index);
    const ks_struct *kind = event->kind;
    ks_speaker s = { story, out, step->event };
    if KIND(request_received) {
        const ks_ev_request_received *request = FIELDS(request_received);
        ks_tell(&s, "%s -> %s", request->from, request->to);
        if (request->api_key == KS_API_join_group && request->group.size > 0) ks_tell(&s, ", coordinator of %s", request->group);
    } else if KIND(response_sent) ks_tell(&s, "%s -> %s", FIELDS(response_sent)->from, FIELDS(response_sent)->to);
    else if (step->kind == KS_STEP_TIMER) ks_tell(&s, "%s", event->node.size > 0 ? event->node : KS_LITERAL("cluster"));
    else if KIND(note) ks_tell(&s, "say");
    else if KIND(rule_fired) ks_tell(&s, "rule %s", FIELDS(rule_fired)->name);
    else if KIND(group_viewed) ks_tell(&s, "views %s", FIELDS(group_viewed)->group);
    else if (KIND(command) && ks_string_equal(FIELDS(command)->name, KS_LITERAL("expectation_failed"))) ks_tell(&s, "expectation failed");
    else if (KIND(command)) ks_words_clause(story, step->event, out);
    else ks_tell(&s, "%s", event->node);
    ks_buffer_append(out, "", 0);
}

static void timer_call(const ks_speaker *s, const ks_recorded *event) {
    const ks_struct *kind = event->kind;
    if (KIND(group_member_expired)) {
        const ks_ev_group_member_expired *e = event->fields;
        bool session = ks_string_equal(e->reason, KS_LITERAL("session_timeout"));
        ks_tell(s, session ? "the session of %w is over" : "the rebalance timeout of %w is over", e->member, e->client_id);
    } else if (KIND(join_phase_completed) || KIND(group_member_removed)) {
        bool initial = KIND(join_phase_completed) && ks_string_equal(FIELDS(join_phase_completed)->reason, KS_LITERAL("initial_delay"));
        ks_string group = KIND(join_phase_completed) ? FIELDS(join_phase_completed)->group : FIELDS(group_member_removed)->group;
        ks_tell(s, initial ? "the initial delay of %s is over" : "the rebalance timeout of %s is over", group);
    } else if KIND(initial_delay_extended) ks_tell(s, "the initial delay of %s is over", FIELDS(initial_delay_extended)->group);
    else if (KIND(segment_deleted) || KIND(log_start_advanced)) ks_tell(s, "old records are removed");
    else if (KIND(offsets_deleted) || KIND(group_deleted)) ks_tell(s, "committed offsets have expired");
    else if (KIND(client_partitions_assigned) || KIND(client_partitions_revoked) || KIND(client_partitions_lost) || KIND(client_generation_ended)) ks_tell(s, "by itself");
    else if (KIND(records_delivered) || KIND(client_commit_failed)) ks_tell(s, "its program calls");
    else ks_tell(s, "a timer has run out");
}

/* Many partitions go in these; the trace names the first one, which says nothing. */
static bool names_its_partition(int16_t api) { return api == KS_API_produce || api == KS_API_fetch; }

void ks_words_call(const ks_story *story, int32_t index, ks_buffer *out) {
    const ks_step *step = &story->steps.items[index];
    const ks_recorded *event = event_of(story, index);
    const ks_struct *kind = event->kind;
    ks_speaker s = { story, out, step->event };
    if KIND(request_received) {
        const ks_ev_request_received *request = FIELDS(request_received);
        ks_tell(&s, "%c", ks_api_name(request->api_key));
        if (request->topic.size > 0) ks_tell(&s, " %s", request->topic);
        if (request->topic.size > 0 && request->partition >= 0 && names_its_partition(request->api_key)) ks_tell(&s, "[%d]", (int64_t)request->partition);
        bool beat = request->api_key == KS_API_consumer_group_heartbeat;
        if (request->group.size > 0 && (request->generation > 0 || beat))
            ks_tell(&s, " %c %d", beat ? "epoch" : ks_words_generation_of(story, request->member), (int64_t)request->generation);
        if (step->other >= 0) {
            const ks_step *answer = &story->steps.items[step->other];
            ks_buffer_printf(out, answer->sub > 0 ? "  (held until step %d.%d)" : "  (held until step %d)", answer->number, answer->sub);
        } else if (!step->answered) ks_tell(&s, "  (not answered)");
        else ks_tell(&s, "  <- %c", kafka_error_name((kafka_error)step->error));
    } else if KIND(response_sent) {
        const ks_ev_response_sent *response = FIELDS(response_sent);
        ks_tell(&s, "answer to %c", ks_api_name(response->api_key));
        const ks_step *asked = &story->steps.items[step->other];
        ks_buffer_printf(out, asked->sub > 0 ? " of step %d.%d" : " of step %d", asked->number, asked->sub);
        ks_tell(&s, "  <- %c", kafka_error_name((kafka_error)response->error_code));
    } else if (step->kind == KS_STEP_TIMER || KIND(records_delivered)) timer_call(&s, event);
    ks_buffer_append(out, "", 0);
}

void ks_words_protocol(const ks_story *story, int32_t index, ks_buffer *out) {
    ks_buffer call = { 0 };
    ks_words_route(story, index, out);
    ks_words_call(story, index, &call);
    if (call.size > 0) {
        ks_buffer_text(out, "   ");
        ks_buffer_append(out, call.data, call.size);
        ks_buffer_append(out, "", 0);
    }
    ks_buffer_deinit(&call);
}
