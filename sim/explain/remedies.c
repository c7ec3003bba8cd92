/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/explain/remedies.h"

#include "sim/explain/story_internal.h"
#include "sim/protocol/events.h"
#include "sim/protocol/messages.h"

#include <stdio.h>

#define KIND(x) (kind == ks_describe_ev_##x())
#define FIELDS(x) ((const ks_ev_##x *)event->fields)

/* The settings of the consumer protocol go without those that only the classic one has. */
#define MODERN "group.protocol=consumer protocol= assignor= partition.assignment.strategy= session.timeout.ms= heartbeat.interval.ms="
#define COOPERATIVE "partition.assignment.strategy=cooperative-sticky assignor="
#define BEAT_OF_BROKERS "group.consumer.min.heartbeat.interval.ms=500 group.consumer.heartbeat.interval.ms=500"
#define SESSION_OF_BROKERS "group.consumer.max.session.timeout.ms=%V group.consumer.session.timeout.ms=%V"

#define FIXED(name, value, apply, does) { name, value, does, KS_VALUE_FIXED, apply, false }
#define SETTING_COOPERATIVE(does) FIXED("partition.assignment.strategy", "cooperative-sticky", COOPERATIVE, does)
#define SETTING_MODERN(does) FIXED("group.protocol", "consumer", MODERN, does)
#define SETTING_STATIC(does) FIXED("group.instance.id", "one of its own for each consumer", "group.instance.id={name}", does)
#define SETTING_BEAT(does) FIXED("heartbeat.interval.ms", "500", "heartbeat.interval.ms=500", does)
#define SETTING_SHORT_SESSION                                                                                                          \
    FIXED("session.timeout.ms", "6000", "session.timeout.ms=6000",                                                                    \
          "what a dead member had goes to the others sooner; the brokers take no less (group.min.session.timeout.ms)")
#define SETTING_EACH                                                                                                                   \
    FIXED("commit", "each", "commit=each",                                                                                            \
          "CommitMessages after each message, with CommitInterval 0: at most one of a partition is read again; kafka-go has no "      \
          "protocol that stops less than everybody")
#define SETTING_POLL                                                                                                                   \
    { "max.poll.interval.ms", "twice as long as it took from one poll to the next", "the member is in time for its next poll",         \
      KS_VALUE_WORK, "max.poll.interval.ms=%V", false }
#define SETTING_RECORDS                                                                                                                \
    { "max.poll.records", "1", "there is less to do between two polls", KS_VALUE_ONE_RECORD, "max.poll.records=1", false }
#define SETTING_SESSION                                                                                                                \
    { "session.timeout.ms", "twice as long as it was silent", "the coordinator waits for it", KS_VALUE_SILENCE, "session.timeout.ms=%V", false }
#define NO_SETTING { NULL, NULL, NULL, KS_VALUE_FIXED, NULL, false }

#define KEEPS "everybody goes on with what it keeps"
#define ONE_BY_ONE "nobody waits for everybody: partitions move one by one"
#define SOONER "the others learn of it sooner"
#define OLD_PLACE "a process that starts again within its session takes its old place"
#define STOPS_ALL "kafka-go has no protocol that stops less than everybody"

const ks_remedy_row ks_remedies[] = {
    { "join", "java", { SETTING_COOPERATIVE(KEEPS), SETTING_MODERN(ONE_BY_ONE) } },
    { "join", "kafka-go", { SETTING_BEAT(SOONER), SETTING_EACH } },
    { "join", "consumer",
      { { "group.consumer.heartbeat.interval.ms", "500",
          "members are told sooner what to give up, and what is free; group.consumer.min.heartbeat.interval.ms has to allow it", KS_VALUE_FIXED,
          BEAT_OF_BROKERS, true },
        NO_SETTING } },
    { "leave", "java",
      { SETTING_STATIC("a consumer that is closed says no goodbye, and is back without a rebalance if it is back within its session"),
        SETTING_COOPERATIVE("who stays goes on with what it has") } },
    { "leave", "kafka-go", { SETTING_BEAT(SOONER "; kafka-go has no static members"), NO_SETTING } },
    { "leave", "consumer", { SETTING_STATIC("a consumer that is closed keeps its place until its session is over"), NO_SETTING } },
    { "session expired, came back", "java", { SETTING_SESSION, SETTING_STATIC(OLD_PLACE) } },
    { "session expired, came back", "kafka-go", { SETTING_SESSION, NO_SETTING } },
    { "session expired, came back", "consumer",
      { { "group.consumer.session.timeout.ms", "twice as long as it was silent", "the coordinator waits for it", KS_VALUE_SILENCE, SESSION_OF_BROKERS, true },
        SETTING_STATIC(OLD_PLACE) } },
    { "session expired, did not come back", "java", { SETTING_SHORT_SESSION, SETTING_COOPERATIVE("the others go on with what they have") } },
    { "session expired, did not come back", "kafka-go", { SETTING_SHORT_SESSION, SETTING_BEAT(SOONER) } },
    { "session expired, did not come back", "consumer",
      { { "group.consumer.session.timeout.ms", "as short as group.consumer.min.session.timeout.ms lets it be",
          "what a dead member had goes to the others sooner", KS_VALUE_FIXED, NULL, true },
        NO_SETTING } },
    { "max.poll.interval.ms exceeded", "java", { SETTING_POLL, SETTING_RECORDS } },
    { "max.poll.interval.ms exceeded", "consumer", { SETTING_POLL, SETTING_RECORDS } },
    { "partitions added", "java",
      { SETTING_MODERN("the coordinator watches the topic itself, and hands out only what is new"), SETTING_COOPERATIVE("everybody goes on with what it has") } },
    { "partitions added", "kafka-go", { SETTING_BEAT(SOONER "; " STOPS_ALL), NO_SETTING } },
    { "second round", "java",
      { SETTING_MODERN("there is no second round: who waits for a partition is told when it is free"), SETTING_BEAT(SOONER) } },
    { "too slow to join again", "java",
      { FIXED("max.poll.interval.ms", "more than a rebalance may take", NULL, "it is the time that members have to join again"),
        SETTING_COOPERATIVE("the others go on meanwhile") } },
    { "too slow to join again", "kafka-go",
      { FIXED("rebalance.timeout.ms", "more than a rebalance may take", NULL, "it is the time that members have to join again"), NO_SETTING } },
    { "too slow to give up", "consumer",
      { FIXED("max.poll.interval.ms", "more than giving up may take", NULL, "it is the time that members have to give up what they should"), NO_SETTING } },
    { "another subscription", "java", { SETTING_COOPERATIVE(KEEPS), SETTING_MODERN(ONE_BY_ONE) } },
};
const int32_t ks_remedy_count = sizeof ks_remedies / sizeof *ks_remedies;

/* ---- what triggered it ---- */

static const ks_recorded *event_at(const ks_story *story, int32_t index) { return &story->recording->events.items[index]; }

static bool contains(ks_string text, const char *word) {
    int32_t size = (int32_t)strlen(word);
    for (int32_t i = 0; i + size <= text.size; i++)
        if (memcmp(text.data + i, word, (size_t)size) == 0) return true;
    return false;
}

static bool is(ks_string reason, const char *word) { return ks_string_equal(reason, ks_str(word)); }

static const ks_ev_rebalance_started *began_by(const ks_story *story, int32_t rebalance) {
    return event_at(story, story->rebalances.items[rebalance].began)->fields;
}

/* How a member joined; NULL: not in this run. */
static const ks_ev_group_member_joined *joined_by(const ks_story *story, ks_string member) {
    for (int32_t i = 0; i < story->recording->events.count; i++) {
        const ks_recorded *event = event_at(story, i);
        const ks_struct *kind = event->kind;
        if (KIND(group_member_joined) && ks_string_equal(FIELDS(group_member_joined)->member, member)) return FIELDS(group_member_joined);
    }
    return NULL;
}

const char *ks_why_client(const ks_story *story, int32_t rebalance) {
    const ks_rebalance *r = &story->rebalances.items[rebalance];
    if (r->reached >= 0 && event_at(story, r->reached)->kind == ks_describe_ev_target_assignment_computed()) return "consumer";
    const ks_ev_group_member_joined *joined = joined_by(story, began_by(story, rebalance)->member);
    return joined != NULL && contains(joined->client_id, "segmentio/kafka-go") ? "kafka-go" : "java";
}

/* It had not given up what it had: nobody closed it. */
static bool left_with_everything(const ks_story *story, int32_t rebalance) {
    int32_t step = story->step_of_event[story->rebalances.items[rebalance].began];
    ks_string client = ks_words_member(story, -1, began_by(story, rebalance)->member);
    for (int32_t p = 0; p < story->pauses.count; p++) {
        const ks_pause *pause = &story->pauses.items[p];
        if (pause->rebalance == rebalance && pause->revoked_step == step && ks_string_equal(pause->before, client)) return true;
    }
    return false;
}

typedef struct silence { int64_t from, to; bool crashed; } silence; /* to 0: nothing was heard of it any more */

/* How long the coordinator heard nothing of the client: from its last request before the rebalance to its next one. */
static silence silence_of(const ks_story *story, int32_t rebalance) {
    silence s = { 0 };
    int32_t began = story->rebalances.items[rebalance].began;
    ks_string member = began_by(story, rebalance)->member, client = ks_words_member(story, -1, member);
    for (int32_t i = 0; i < story->recording->events.count && s.to == 0; i++) {
        const ks_recorded *event = event_at(story, i);
        const ks_struct *kind = event->kind;
        if (KIND(node_crashed) && i < began && ks_string_equal(FIELDS(node_crashed)->name, client)) s.crashed = true;
        if (KIND(request_received)) {
            const ks_ev_request_received *e = event->fields;
            if (i < began && ks_string_equal(e->member, member)) s.from = event->time, s.crashed = false;
            bool anew = (e->api_key == KS_API_join_group || e->api_key == KS_API_consumer_group_heartbeat) && e->generation <= 0 &&
                        ks_string_equal(e->from, client) && ks_string_equal(e->group, story->rebalances.items[rebalance].group);
            if (i > began && (ks_string_equal(e->member, member) || anew)) s.to = event->time;
        }
    }
    return s;
}

/* From its last delivery before it left to when its program came back to the client. */
static silence work_of(const ks_story *story, int32_t rebalance) {
    silence s = { 0 };
    int32_t began = story->rebalances.items[rebalance].began;
    ks_string client = ks_words_member(story, -1, began_by(story, rebalance)->member);
    for (int32_t i = 0; i < story->recording->events.count && s.to == 0; i++) {
        const ks_recorded *event = event_at(story, i);
        const ks_struct *kind = event->kind;
        if (KIND(records_delivered) && i < began && ks_string_equal(FIELDS(records_delivered)->client, client)) s.from = event->time;
        if (KIND(client_partitions_lost) && i > began && ks_string_equal(FIELDS(client_partitions_lost)->client, client)) s.to = event->time;
    }
    if (s.to == 0 && s.from > 0) s.to = event_at(story, began)->time; /* it was not over when it left */
    return s;
}

/* How many records its last poll brought. */
static int64_t last_poll_of(const ks_story *story, int32_t rebalance) {
    int32_t began = story->rebalances.items[rebalance].began;
    ks_string client = ks_words_member(story, -1, began_by(story, rebalance)->member);
    int64_t count = 0, at = 0;
    for (int32_t i = began; i >= 0; i--) {
        const ks_recorded *event = event_at(story, i);
        const ks_struct *kind = event->kind;
        if (!KIND(records_delivered) || !ks_string_equal(FIELDS(records_delivered)->client, client)) continue;
        if (at != 0 && event->time != at) break;
        at = event->time;
        count += FIELDS(records_delivered)->count;
    }
    return count;
}

const char *ks_why_trigger(const ks_story *story, int32_t rebalance) {
    const ks_ev_rebalance_started *e = began_by(story, rebalance);
    bool modern = strcmp(ks_why_client(story, rebalance), "consumer") == 0;
    bool kafka_go = strcmp(ks_why_client(story, rebalance), "kafka-go") == 0;
    if (is(e->reason, "member_joined")) return "join";
    if (is(e->reason, "member_left")) {
        bool late = contains(e->client_reason, "poll timeout") || (modern && left_with_everything(story, rebalance));
        return late ? "max.poll.interval.ms exceeded" : "leave";
    }
    if (is(e->reason, "session_timeout")) return silence_of(story, rebalance).to > 0 ? "session expired, came back" : "session expired, did not come back";
    if (is(e->reason, "topics_changed")) return "partitions added";
    if (is(e->reason, "leader_rejoined") || is(e->reason, "metadata_changed")) {
        if (contains(e->client_reason, "need to revoke partitions")) return "second round";
        if (contains(e->client_reason, "cached metadata has changed") || kafka_go) return "partitions added";
        return "another subscription";
    }
    if (is(e->reason, "subscription_changed")) return "another subscription";
    if (is(e->reason, "sync_timeout")) return "too slow to join again";
    if (is(e->reason, "rebalance_timeout")) return "too slow to give up";
    return NULL;
}

/* ---- advice ---- */

/* Twice that, in whole seconds, as the brokers take it. */
static int64_t twice_ms(silence s, int64_t least, int64_t most) {
    int64_t ms = (2 * (s.to - s.from) + KS_S - 1) / KS_S * 1000;
    return ms < least ? least : ms > most ? most : ms;
}

static void fill(const char *pattern, const char *value, char *out, size_t size) {
    size_t at = 0;
    for (const char *c = pattern; *c != '\0' && at + 1 < size; c++) {
        if (c[0] != '%' || c[1] != 'V') {
            out[at++] = *c;
            continue;
        }
        for (const char *v = value; *v != '\0' && at + 1 < size; v++) out[at++] = *v;
        c++;
    }
    out[at] = '\0';
}

static bool has_already(const ks_story *story, int32_t rebalance, const char *setting) {
    const ks_rebalance *r = &story->rebalances.items[rebalance];
    if (strcmp(setting, "partition.assignment.strategy") == 0 && r->reached >= 0 && event_at(story, r->reached)->kind == ks_describe_ev_join_phase_completed())
        return is(((const ks_ev_join_phase_completed *)event_at(story, r->reached)->fields)->protocol, "cooperative-sticky");
    const ks_ev_group_member_joined *joined = joined_by(story, began_by(story, rebalance)->member);
    return strcmp(setting, "group.instance.id") == 0 && joined != NULL && joined->instance_id.size > 0;
}

static void advise(const ks_story *story, int32_t rebalance, const ks_setting_row *row, ks_advice *out) {
    *out = (ks_advice){ .row = row };
    int64_t ms = 0;
    switch (row->how) {
    case KS_VALUE_FIXED: /* in words it is no value */
        if (strchr(row->value, ' ') == NULL) snprintf(out->value, sizeof out->value, "%s", row->value);
        if (has_already(story, rebalance, row->name)) out->no_help = "that is what it has already";
        break;
    case KS_VALUE_SILENCE: ms = twice_ms(silence_of(story, rebalance), 6000, 1800000); break; /* the brokers' bounds, unless configured */
    case KS_VALUE_WORK: ms = twice_ms(work_of(story, rebalance), 1000, INT32_MAX); break;
    case KS_VALUE_ONE_RECORD:
        snprintf(out->value, sizeof out->value, "1");
        if (last_poll_of(story, rebalance) <= 1) out->no_help = "no help here, its last poll brought one record";
        break;
    }
    if (ms > 0) snprintf(out->value, sizeof out->value, "%lld", (long long)ms);
    if (row->apply != NULL && out->no_help == NULL) fill(row->apply, out->value, out->apply, sizeof out->apply);
}

int32_t ks_why_advice(const ks_story *story, int32_t rebalance, ks_advice advice[2]) {
    const char *trigger = ks_why_trigger(story, rebalance), *client = ks_why_client(story, rebalance);
    for (int32_t i = 0; i < ks_remedy_count && trigger != NULL; i++) {
        const ks_remedy_row *row = &ks_remedies[i];
        if (strcmp(row->trigger, trigger) != 0 || strcmp(row->client, client) != 0) continue;
        advise(story, rebalance, &row->settings[0], &advice[0]);
        if (row->settings[1].name == NULL) return 1;
        advise(story, rebalance, &row->settings[1], &advice[1]);
        return 2;
    }
    return 0;
}

bool ks_advice_is_of_brokers(const ks_advice *advice) { return advice->row->of_brokers; }
