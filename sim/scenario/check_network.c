/* SPDX-License-Identifier: Apache-2.0
 * Brokers, links and request rules held against the world.
 */
#include <stdio.h>

#include "sim/scenario/world.h"

/* Without any latency two programs that ask each other again and again would do so for ever at one instant. */
bool ks_check_takes_time(const ks_check *check, const ks_word *word) {
    int64_t ns;
    return !ks_parse_duration(word->text, &ns) || ns > 0 || ks_check_fail(check, word->column, "a message takes some time; 1us is the least");
}

/* ---- brokers and links ---- */

static bool is_broker(const ks_check *check, ks_string name) {
    char text[32];
    for (int32_t b = 1; b <= check->world->brokers; b++) {
        snprintf(text, sizeof text, "broker-%d", b);
        if (ks_string_equal(name, ks_str(text))) return true;
    }
    return false;
}

bool ks_check_broker(const ks_check *check, const ks_word *word) { return ks_check_int(check, word, "a broker's number", 1, check->world->brokers, NULL); }

static bool node(const ks_check *check, const ks_word *word, bool admin) {
    ks_string name = word->text;
    if (is_broker(check, name) || (admin && ks_string_equal(name, KS_LITERAL("admin")))) return true;
    if (ks_known_find(check->world, KS_KNOWN_CONSUMER, name) != NULL || ks_known_find(check->world, KS_KNOWN_PRODUCER, name) != NULL) return true;
    if (strncmp(name.data, "broker-", 7) == 0) return ks_check_fail(check, word->column, "there is no '%.100s'; the brokers are broker-1 to broker-%d", name.data, check->world->brokers);
    char why[400];
    ks_check quiet = *check;
    quiet.problem = why;
    quiet.size = sizeof why;
    ks_check_known(&quiet, KS_KNOWN_CONSUMER, word, name);
    const char *nearest = strstr(why, "did you mean");
    return ks_check_fail(check, word->column, "there is no client and no broker '%.100s'; %s", name.data, nearest != NULL ? nearest : "brokers are named broker-1 and so on");
}

bool ks_check_link(const ks_check *check) {
    const ks_word *words = check->command->words;
    if (!node(check, &words[0], true)) return false;
    bool delay = check->command->verb == KS_VERB_delay;
    int32_t nodes = check->command->word_count - delay;
    if (nodes > 1 && !node(check, &words[1], true)) return false;
    if (nodes > 1 && ks_string_equal(words[0].text, words[1].text)) return ks_check_fail(check, words[1].column, "a link has two ends; both are '%s'", words[1].text.data);
    if (nodes > 1 && !is_broker(check, words[0].text) && !is_broker(check, words[1].text))
        return ks_check_fail(check, words[1].column, "clients talk to brokers, not to each other; one end is broker-1 or another broker");
    if (!delay || ks_string_equal(words[nodes].text, KS_LITERAL("default"))) return true;
    return ks_check_duration(check, &words[nodes], "D, the delay of each message one way (or: default),") && ks_check_takes_time(check, &words[nodes]);
}

/* ---- rules ---- */

static bool rule_filters(const ks_check *check) {
    const ks_command_line *command = check->command;
    const ks_pair *client = ks_pair_find(command, "client"), *brk = ks_pair_find(command, "broker"), *top = ks_pair_find(command, "topic"),
                  *partition = ks_pair_find(command, "partition"), *group = ks_pair_find(command, "group"), *chosen = NULL;
    static const char *const when[] = { "nth", "every", "next", "chance" };
    const ks_known *known = NULL;
    if (client != NULL && !node(check, &client->value, true)) return false;
    if (brk != NULL && !ks_check_broker(check, &brk->value)) return false;
    if (top != NULL && (known = ks_check_known(check, KS_KNOWN_TOPIC, &top->value, top->value.text)) == NULL) return false;
    if (partition != NULL && known == NULL) return ks_check_fail(check, partition->name.column, "partition= goes with topic=");
    if (partition != NULL && !ks_check_int(check, &partition->value, "partition", 0, known->partitions - 1, NULL)) return false;
    if (group != NULL && ks_check_known(check, KS_KNOWN_GROUP, &group->value, group->value.text) == NULL) return false;
    for (int i = 0; i < 4; i++) {
        const ks_pair *pair = ks_pair_find(command, when[i]);
        if (pair == NULL) continue;
        if (chosen != NULL) return ks_check_fail(check, pair->name.column, "a rule has one of nth=, every=, next= and chance=; here is %s= already", chosen->name.text.data);
        chosen = pair;
        if (i < 3 && !ks_check_int(check, &pair->value, when[i], 1, INT32_MAX, NULL)) return false;
        int64_t chance = 1, of;
        if (i == 3 && ks_parse_ratio(pair->value.text, &chance, &of) && chance == 0) return ks_check_fail(check, pair->value.column, "a chance of 0 never comes");
    }
    return true;
}

static bool rule_action(const ks_check *check, bool *holds) {
    const ks_word *words = check->command->words, *action = &words[4];
    static const char *const plain[] = { "count", "hold", "hold-answer", "reset-before", "reset-after", "pass", NULL };
    static const char *const delays[] = { "delay", "delay-answer", NULL };
    *holds = strncmp(action->text.data, "hold", 4) == 0;
    for (int i = 0; delays[i] != NULL; i++) {
        if (strcmp(action->text.data, delays[i]) != 0) continue;
        if (check->command->word_count != 6) return ks_check_fail(check, action->column, "'then %s' needs a duration after it, such as 3s", delays[i]);
        int64_t delay = 1;
        if (ks_parse_duration(words[5].text, &delay) && delay == 0) return ks_check_fail(check, words[5].column, "a delay of 0 delays nothing");
        return ks_check_duration(check, &words[5], "the delay");
    }
    if (check->command->word_count != 5) return ks_check_fail(check, words[5].column, "after 'then %s' comes no more; what is '%.100s'?", action->text.data, words[5].text.data);
    for (int i = 0; plain[i] != NULL; i++)
        if (strcmp(action->text.data, plain[i]) == 0) return true;
    kafka_error error;
    if (ks_error_of_name(action->text.data, &error) && error != KAFKA_OK && error > -1000) return true;
    const char *nearest = ks_scenario_nearest(action->text, plain);
    if (nearest == NULL) nearest = ks_scenario_nearest(action->text, delays);
    if (nearest != NULL) return ks_check_fail(check, action->column, "'%.100s' is no action; did you mean '%s'?", action->text.data, nearest);
    return ks_check_error(check, action, false, false);
}

bool ks_check_rule(const ks_check *check) {
    static const char *const usage = "a rule is: rule NAME when API [client=C] [nth=N] then ERROR, delay D, hold, count, ...";
    const ks_word *words = check->command->words;
    bool holds;
    if (strcmp(words[1].text.data, "when") != 0) return ks_check_fail(check, words[1].column, "%s", usage);
    if (strcmp(words[3].text.data, "then") != 0) return ks_check_fail(check, words[3].column, "%s", usage);
    if (ks_known_find(check->world, KS_KNOWN_RULE, words[0].text) != NULL) return ks_check_fail(check, words[0].column, "there is a rule '%s' already; `unrule %s` removes it", words[0].text.data, words[0].text.data);
    if (!ks_check_name(check, &words[0], "rule", KS_CLIENT_NAME_MAX)) return false;
    if (!ks_check_api(check, &words[2]) || !rule_filters(check) || !rule_action(check, &holds)) return false;
    ks_check_add(check, KS_KNOWN_RULE, words[0].text)->holds = holds;
    return true;
}

bool ks_check_rule_change(const ks_check *check) {
    ks_known *known = ks_check_known(check, KS_KNOWN_RULE, &check->command->words[0], check->command->words[0].text);
    if (known == NULL) return false;
    bool release = check->command->verb == KS_VERB_release;
    if (release && !known->holds) return ks_check_fail(check, check->command->words[0].column, "the rule '%s' holds nothing; `then hold` does", known->name.data);
    known->gone = !release;
    return true;
}
