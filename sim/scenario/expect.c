/* SPDX-License-Identifier: Apache-2.0
 * What a scenario expects, and whether it holds.
 */
#include "sim/scenario/session.h"

#include <stdlib.h>

/* "orders/2" or "orders" (partition -1). */
static bool split_partition(ks_string text, char topic[256], int32_t *partition) {
    int32_t slash = 0;
    while (slash < text.size && text.data[slash] != '/') slash++;
    if (slash == 0 || slash > 249) return false;
    memcpy(topic, text.data, (size_t)slash);
    topic[slash] = '\0';
    int64_t n = -1;
    if (slash < text.size && (!ks_parse_int((ks_string){ text.data + slash + 1, text.size - slash - 1 }, &n) || n < 0 || n > INT32_MAX)) return false;
    *partition = (int32_t)n;
    return true;
}

/* All pairs as "c1=orders[0,1] c2=..." */
static void pairs_text(const ks_command_line *command, ks_buffer *out) {
    for (int32_t i = 0; i < command->pair_count; i++)
        ks_buffer_printf(out, "%s%s=%s", i ? " " : "", command->pairs[i].name.text.data, command->pairs[i].value.text.data);
    ks_buffer_append(out, "", 0);
}

/* A report says what, what is and what was expected, a line each; they become one. The rest of it is the last steps, which
 * `ksim explain` tells better. */
static ks_run_result verdict(const char *report, char *problem, size_t size) {
    static const char *const joints[] = { ": ", ", " };
    if (report == NULL) return KS_RUN_FINE;
    size_t used = 0;
    for (int lines = 0; *report != '\0' && used + 4 < size; report++) {
        if (*report == '\n' && lines == 2) break;
        if (*report == '\n') {
            memcpy(problem + used, joints[lines++], 2);
            used += 2;
        } else if (*report != ' ' || (report[1] != ' ' && used > 0 && problem[used - 1] != ' ')) problem[used++] = *report;
    }
    problem[used] = '\0';
    return KS_RUN_FAILED;
}

static ks_run_result usage(const char *text, char *problem, size_t size) {
    snprintf(problem, size, "%s", text);
    return KS_RUN_WRONG;
}

static ks_run_result expect_state(ks_session *session, const ks_command_line *command, char *problem, size_t size) {
    if (command->word_count != 3) return usage("expect state GROUP STATE [generation=N]", problem, size);
    const ksim_group *group = ksim_group_find(session->sim, command->words[1].text.data);
    const char *state = group ? group->state : "Dead";
    int64_t generation = ks_pair_int(command, "generation", -1);
    if (strcmp(state, command->words[2].text.data) != 0) snprintf(problem, size, "%s is %s, not %s", command->words[1].text.data, state, command->words[2].text.data);
    else if (generation >= 0 && (group == NULL || group->generation != generation))
        snprintf(problem, size, "%s has generation %d, not %lld", command->words[1].text.data, group ? group->generation : -1, (long long)generation);
    else return KS_RUN_FINE;
    return KS_RUN_FAILED;
}

/* "TOPIC/P@A..B", both ends inclusive. */
static bool parse_range(ks_string what, char topic[256], int32_t *partition, int64_t *from, int64_t *to) {
    int32_t at = 0;
    while (at < what.size && what.data[at] != '@') at++;
    const char *dots = strstr(what.data, "..");
    return at < what.size && dots != NULL && dots > what.data + at && split_partition((ks_string){ what.data, at }, topic, partition) &&
           *partition >= 0 && ks_parse_int((ks_string){ what.data + at + 1, (int32_t)(dots - what.data) - at - 1 }, from) && ks_parse_int(ks_str(dots + 2), to);
}

static uint8_t deliveries(const ks_book *book, int64_t offset) { return book != NULL && offset < book->capacity ? book->times[offset] : 0; }

static bool named_before(const ks_session *session, ks_string group, const ks_actor *until, int32_t topics, const char *topic) {
    for (const ks_actor *actor = session->actors; actor != NULL; actor = actor->next) {
        for (int32_t t = 0; ks_string_equal(actor->group, group) && t < (actor == until ? topics : actor->topic_count); t++)
            if (strcmp(actor->topics[t], topic) == 0) return true;
        if (actor == until) return false;
    }
    return false;
}

/* How many records of the topics that the group reads were never delivered to it; `problem` names the first. O(records). */
static int64_t never_delivered(ks_session *session, ks_string group, char *problem, size_t size) {
    int64_t count = 0;
    for (const ks_actor *actor = session->actors; actor != NULL; actor = actor->next) {
        for (int32_t t = 0; ks_string_equal(actor->group, group) && t < actor->topic_count; t++) {
            if (named_before(session, group, actor, t, actor->topics[t])) continue;
            const ksim_topic *topic = ksim_topic_find(session->sim, actor->topics[t]);
            for (size_t p = 0; topic != NULL && p < topic->partition_count; p++) {
                const ks_book *book = ks_session_book(session, group, ks_str(actor->topics[t]), (int32_t)p, false);
                for (int64_t o = topic->partitions[p].log_start_offset; o < topic->partitions[p].high_watermark; o++) {
                    if (deliveries(book, o) > 0) continue;
                    if (count++ == 0) snprintf(problem, size, "%s[%zu]@%lld was never delivered to %s", actor->topics[t], p, (long long)o, group.data);
                }
            }
        }
    }
    return count;
}

static ks_run_result expect_nothing_lost(ks_session *session, ks_string group, char *problem, size_t size) {
    return never_delivered(session, group, problem, size) == 0 ? KS_RUN_FINE : KS_RUN_FAILED;
}

/* `read-twice` and `skipped` are written alike: a number, none, or exactly these offsets of one partition. */
typedef struct ks_delivery_check {
    const char *usage, *said; /* "was delivered again" */
    bool (*is_one)(uint8_t times);
    int64_t (*count)(ks_session *session, ks_string group);
} ks_delivery_check;

static bool is_twice(uint8_t times) { return times > 1; }
static bool is_skipped(uint8_t times) { return times == 0; }

static int64_t count_twice(ks_session *session, ks_string group) {
    int64_t twice = 0;
    for (ks_book *book = session->books; book != NULL; book = book->hh.next)
        if (ks_string_equal(book->group, group)) twice += book->twice;
    return twice;
}

static int64_t count_skipped(ks_session *session, ks_string group) {
    char first[512];
    return never_delivered(session, group, first, sizeof first);
}

static const ks_delivery_check read_twice = { "expect read-twice GROUP N | none | TOPIC/P@A..B", "delivered again", is_twice, count_twice };
static const ks_delivery_check skipped = { "expect skipped GROUP N | none | TOPIC/P@A..B", "never delivered", is_skipped, count_skipped };

static ks_run_result expect_deliveries(ks_session *session, const ks_command_line *command, const ks_delivery_check *check, char *problem, size_t size) {
    if (command->word_count != 3) return usage(check->usage, problem, size);
    ks_string group = command->words[1].text, what = command->words[2].text;
    int64_t number = 0, from, to;
    if (ks_string_equal(what, KS_LITERAL("none")) || ks_parse_int(what, &number)) {
        int64_t count = check->count(session, group);
        if (count == number) return KS_RUN_FINE;
        snprintf(problem, size, "%s: %lld record%s %s, not %lld", group.data, (long long)count, count == 1 ? " was" : "s were", check->said, (long long)number);
        return KS_RUN_FAILED;
    }
    char topic[256];
    int32_t partition;
    if (!parse_range(what, topic, &partition, &from, &to)) return usage(check->usage, problem, size);
    const ksim_topic *found = ksim_topic_find(session->sim, topic);
    if (found == NULL || (size_t)partition >= found->partition_count) {
        snprintf(problem, size, "there is no %s[%d]", topic, partition);
        return KS_RUN_FAILED;
    }
    const ks_book *book = ks_session_book(session, group, ks_str(topic), partition, false);
    int64_t end = found->partitions[partition].high_watermark;
    for (int64_t o = found->partitions[partition].log_start_offset; o < end; o++) {
        uint8_t times = deliveries(book, o);
        if (check->is_one(times) == (o >= from && o <= to)) continue;
        snprintf(problem, size, "%s[%d]@%lld was delivered to %s %d time%s", topic, partition, (long long)o, group.data, times, times == 1 ? "" : "s");
        return KS_RUN_FAILED;
    }
    if (from <= to && to < end) return KS_RUN_FINE;
    snprintf(problem, size, "%s[%d] ends at %lld: there is no %lld..%lld", topic, partition, (long long)end, (long long)from, (long long)to);
    return KS_RUN_FAILED;
}

static ks_run_result expect_given_up(const ks_buffer *log, const ks_command_line *command, const char *verb, char *problem, size_t size) {
    if (command->word_count != 3) return usage("expect revoked CONSUMER TOPIC[P,..]", problem, size);
    ks_buffer line = { 0 };
    ks_buffer_printf(&line, "%s=%s\n", command->words[1].text.data, command->words[2].text.data);
    bool found = log->size > 0 && strstr((const char *)log->data, (const char *)line.data) != NULL;
    ks_buffer_deinit(&line);
    if (found) return KS_RUN_FINE;
    snprintf(problem, size, "%s has not %s %s; what was: %.*s", command->words[1].text.data, verb, command->words[2].text.data, (int)(log->size > 400 ? 400 : log->size), log->size ? (const char *)log->data : "nothing");
    for (char *c = problem; *c != '\0'; c++)
        if (*c == '\n') *c = ' ';
    return KS_RUN_FAILED;
}

static ks_run_result expect_error(ks_session *session, const ks_command_line *command, char *problem, size_t size) {
    ks_actor *actor = command->word_count == 3 ? ks_actor_find(session, command->words[1].text) : NULL;
    if (actor == NULL) return usage("expect error CONSUMER ERROR", problem, size);
    if (strcmp(kafka_error_name(actor->last_error), command->words[2].text.data) == 0) return KS_RUN_FINE;
    snprintf(problem, size, "the last error of %s is %s, not %s", actor->name.data, kafka_error_name(actor->last_error), command->words[2].text.data);
    return KS_RUN_FAILED;
}

static ks_run_result expect_contents(ks_session *session, const ks_command_line *command, char *problem, size_t size) {
    char topic[256];
    int32_t partition;
    if (command->word_count < 2 || !split_partition(command->words[1].text, topic, &partition) || partition < 0)
        return usage("expect contents TOPIC/P \"k=v\" ..", problem, size);
    ks_buffer text = { 0 };
    for (int32_t i = 2; i < command->word_count; i++) ks_buffer_printf(&text, "%s%s", text.size ? " " : "", command->words[i].text.data);
    if (command->pair_count > 0) {
        if (text.size > 0) ks_buffer_text(&text, " ");
        pairs_text(command, &text);
    }
    ks_buffer_text(&text, "");
    ks_run_result result = verdict(ksim_check_records(session->sim, topic, partition, text.size ? (const char *)text.data : ""), problem, size);
    ks_buffer_deinit(&text);
    return result;
}

ks_run_result ks_session_expect(ks_session *session, const ks_command_line *command, char *problem, size_t size) {
    static const char *const kinds[] = { "assignment", "state", "lag", "committed", "contents", "nothing", "read-twice", "skipped", "revoked", "lost", "error", NULL };
    const char *kind = command->words[0].text.data, *name = command->word_count > 1 ? command->words[1].text.data : NULL;
    int64_t number = 0;
    if (strcmp(kind, "assignment") == 0 && command->word_count == 2) {
        ks_buffer text = { 0 };
        pairs_text(command, &text);
        ks_run_result result = verdict(ksim_check_assignment(session->sim, name, text.size ? (const char *)text.data : ""), problem, size);
        ks_buffer_deinit(&text);
        return result;
    }
    if (strcmp(kind, "state") == 0) return expect_state(session, command, problem, size);
    if (strcmp(kind, "lag") == 0 && command->word_count == 3 && ks_parse_int(command->words[2].text, &number)) return verdict(ksim_check_lag(session->sim, name, NULL, number), problem, size);
    if (strcmp(kind, "committed") == 0 && command->word_count == 4) {
        char topic[256];
        int32_t partition;
        if (!split_partition(command->words[2].text, topic, &partition) || partition < 0 || !ks_parse_int(command->words[3].text, &number)) return usage("expect committed GROUP TOPIC/P N", problem, size);
        int64_t at = ksim_committed_offset(session->sim, name, topic, partition);
        if (at == number) return KS_RUN_FINE;
        snprintf(problem, size, "%s has committed %s[%d] at %lld, not %lld", name, topic, partition, (long long)at, (long long)number);
        return KS_RUN_FAILED;
    }
    if (strcmp(kind, "contents") == 0) return expect_contents(session, command, problem, size);
    if (strcmp(kind, "nothing") == 0 && command->word_count == 3 && strcmp(name, "lost") == 0) return expect_nothing_lost(session, command->words[2].text, problem, size);
    if (strcmp(kind, "read-twice") == 0) return expect_deliveries(session, command, &read_twice, problem, size);
    if (strcmp(kind, "skipped") == 0) return expect_deliveries(session, command, &skipped, problem, size);
    if (strcmp(kind, "revoked") == 0) return expect_given_up(&session->gave_up, command, "given up", problem, size);
    if (strcmp(kind, "lost") == 0) return expect_given_up(&session->lost, command, "lost", problem, size);
    if (strcmp(kind, "error") == 0) return expect_error(session, command, problem, size);
    const char *nearest = ks_scenario_nearest(command->words[0].text, kinds);
    snprintf(problem, size, "expect what? docs/scenarios.md lists it%s%s%s", nearest ? "; did you mean '" : "", nearest ? nearest : "", nearest ? "'?" : "");
    return KS_RUN_WRONG;
}
