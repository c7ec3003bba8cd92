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

static ks_run_result verdict(const char *report, char *problem, size_t size) {
    if (report == NULL) return KS_RUN_FINE;
    size_t length = strcspn(report, "\n"); /* the rest is the last steps, which `ksim explain` tells better */
    snprintf(problem, size, "%.*s", (int)(length > 900 ? 900 : length), report);
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

/* Records of a group's topics that were never delivered. */
static ks_run_result expect_nothing_lost(ks_session *session, const char *group, char *problem, size_t size) {
    for (ks_actor *actor = session->actors; actor != NULL; actor = actor->next) {
        if (!ks_string_equal(actor->group, ks_str(group))) continue;
        for (int32_t t = 0; t < actor->topic_count; t++) {
            const ksim_topic *topic = ksim_topic_find(session->sim, actor->topics[t]);
            for (size_t p = 0; topic != NULL && p < topic->partition_count; p++) {
                int64_t start = topic->partitions[p].log_start_offset, end = topic->partitions[p].high_watermark;
                ks_book *book = ks_session_book(session, ks_str(group), ks_str(actor->topics[t]), (int32_t)p, false);
                for (int64_t o = start; o < end; o++) {
                    if (book != NULL && o < book->capacity && book->times[o] > 0) continue;
                    snprintf(problem, size, "%s[%zu]@%lld was never delivered to %s", actor->topics[t], p, (long long)o, group);
                    return KS_RUN_FAILED;
                }
            }
        }
    }
    return KS_RUN_FINE;
}

static ks_run_result expect_read_twice(ks_session *session, const ks_command_line *command, char *problem, size_t size) {
    ks_string group = command->words[1].text;
    int64_t number = 0, from, to;
    if (command->word_count != 3) return usage("expect read-twice GROUP N | none | TOPIC/P@A..B", problem, size);
    ks_string what = command->words[2].text;
    if (ks_string_equal(what, KS_LITERAL("none")) || ks_parse_int(what, &number)) {
        int64_t twice = 0;
        for (ks_book *book = session->books; book != NULL; book = book->hh.next)
            if (ks_string_equal(book->group, group)) twice += book->twice;
        if (twice == number) return KS_RUN_FINE;
        snprintf(problem, size, "%lld record%s delivered to %s again, not %lld", (long long)twice, twice == 1 ? " was" : "s were", group.data, (long long)number);
        return KS_RUN_FAILED;
    }
    char topic[256];
    int32_t partition, at = 0;
    while (at < what.size && what.data[at] != '@') at++;
    const char *dots = strstr(what.data, "..");
    if (at == what.size || dots == NULL || !split_partition((ks_string){ what.data, at }, topic, &partition) || partition < 0 ||
        !ks_parse_int((ks_string){ what.data + at + 1, (int32_t)(dots - what.data) - at - 1 }, &from) || !ks_parse_int(ks_str(dots + 2), &to))
        return usage("expect read-twice GROUP N | none | TOPIC/P@A..B", problem, size);
    ks_book *book = ks_session_book(session, group, ks_str(topic), partition, false);
    for (int64_t o = 0; book != NULL && o < book->capacity; o++) {
        if ((book->times[o] > 1) == (o >= from && o <= to)) continue;
        snprintf(problem, size, "%s[%d]@%lld was delivered %d time%s", topic, partition, (long long)o, book->times[o], book->times[o] == 1 ? "" : "s");
        return KS_RUN_FAILED;
    }
    if (book != NULL) return KS_RUN_FINE;
    snprintf(problem, size, "nothing of %s[%d] was delivered to %s", topic, partition, group.data);
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
    static const char *const kinds[] = { "assignment", "state", "lag", "committed", "contents", "nothing", "read-twice", "revoked", "lost", "error", NULL };
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
    if (strcmp(kind, "nothing") == 0 && command->word_count == 3 && strcmp(name, "lost") == 0) return expect_nothing_lost(session, command->words[2].text.data, problem, size);
    if (strcmp(kind, "read-twice") == 0) return expect_read_twice(session, command, problem, size);
    if (strcmp(kind, "revoked") == 0) return expect_given_up(&session->gave_up, command, "given up", problem, size);
    if (strcmp(kind, "lost") == 0) return expect_given_up(&session->lost, command, "lost", problem, size);
    if (strcmp(kind, "error") == 0) return expect_error(session, command, problem, size);
    const char *nearest = ks_scenario_nearest(command->words[0].text, kinds);
    snprintf(problem, size, "expect what? docs/scenarios.md lists it%s%s%s", nearest ? "; did you mean '" : "", nearest ? nearest : "", nearest ? "'?" : "");
    return KS_RUN_WRONG;
}
