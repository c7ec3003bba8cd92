/* SPDX-License-Identifier: Apache-2.0
 * A `consumer` command held against what its client, Kafka and the scenario allow.
 */
#include <stdio.h>

#include "sim/scenario/session.h"
#include "sim/scenario/world.h"

/* The same thing by our word and by Kafka's name: one of them. */
static bool said_once(const ks_check *check) {
    static const char *const twins[][2] = { { "commit", "enable.auto.commit" }, { "protocol", "group.protocol" },
                                            { "assignor", "partition.assignment.strategy" }, { "assignor", "group.remote.assignor" } };
    const ks_pair *id = ks_pair_find(check->command, "group.id");
    if (id != NULL) return ks_check_fail(check, id->name.column, "write group=%.100s instead of group.id=", id->value.text.data);
    for (size_t i = 0; i < sizeof twins / sizeof *twins; i++) {
        const ks_pair *word = ks_pair_find(check->command, twins[i][0]), *name = ks_pair_find(check->command, twins[i][1]);
        if (word != NULL && name != NULL) return ks_check_fail(check, name->name.column, "%s= and %s= are the same; leave one away", twins[i][0], twins[i][1]);
    }
    return true;
}

static bool topics(const ks_check *check, const ks_word *word) {
    ks_string all = word->text;
    for (int32_t at = 0, start = 0; at <= all.size; at++) {
        if (at < all.size && all.data[at] != ',') continue;
        ks_string one = { all.data + start, at - start };
        if (one.size == 0) return ks_check_fail(check, word->column, "topics names a topic, or several with commas between");
        if (ks_check_known(check, KS_KNOWN_TOPIC, word, one) == NULL) return false;
        for (int32_t i = 0, before = 0; i < start; i++) {
            if (all.data[i] != ',') continue;
            if (ks_string_equal(one, (ks_string){ all.data + before, i - before })) return ks_check_fail(check, word->column, "topics names '%.*s' twice", (int)one.size, one.data);
            before = i + 1;
        }
        start = at + 1;
    }
    return true;
}

/* The last setting without which the rest would be right: that is where the mistake is shown. */
static int32_t culprit(const ks_check *check, bool (*right)(const ks_command_line *declared, ks_arena *arena, ks_buffer *why), ks_arena *arena) {
    ks_command_line without = *check->command;
    ks_pair *pairs = ks_arena_alloc(arena, (size_t)(without.pair_count + 1) * sizeof *pairs);
    without.pairs = pairs;
    without.pair_count--;
    for (int32_t i = without.pair_count; i >= 0; i--) {
        memcpy(pairs, check->command->pairs, (size_t)i * sizeof *pairs);
        memcpy(pairs + i, check->command->pairs + i + 1, (size_t)(without.pair_count - i) * sizeof *pairs);
        if (right(&without, arena, NULL)) return check->command->pairs[i].name.column;
    }
    return check->command->words[0].column;
}

bool ks_check_consumer(const ks_check *check) {
    const ks_command_line *command = check->command;
    const ks_pair *group = ks_pair_find(command, "group"), *names = ks_pair_find(command, "topics"), *commit = ks_pair_find(command, "commit");
    int32_t after = command->words[0].column + command->words[0].text.size;
    int64_t every;
    ks_commit_policy policy;
    if (group == NULL) return ks_check_fail(check, after, "a consumer needs group=G, the group it belongs to");
    if (names == NULL) return ks_check_fail(check, after, "a consumer needs topics=T,.., what it subscribes to");
    if (!ks_check_name(check, &group->value, "group", 200) || !topics(check, &names->value) || !said_once(check)) return false;
    if (commit != NULL && !ks_commit_policy_parse(commit->value.text, &policy, &every))
        return ks_check_fail(check, commit->value.column, "commit is auto, each, every:N or manual, not '%.100s'", commit->value.text.data);
    bool kafka_go = strcmp(ks_pair_text(command, "client", "java"), "kafka-go") == 0;
    bool (*right)(const ks_command_line *, ks_arena *, ks_buffer *) = kafka_go ? ks_kafka_go_settings_are_right : ks_java_settings_are_right;
    ks_arena *arena = ks_arena_new();
    ks_buffer why = { 0 };
    bool fine = right(command, arena, &why) || ks_check_fail(check, culprit(check, right, arena), "%s", (const char *)why.data);
    ks_buffer_deinit(&why);
    ks_arena_free(arena);
    return fine;
}
