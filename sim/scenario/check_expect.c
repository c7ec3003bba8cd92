/* SPDX-License-Identifier: Apache-2.0
 * `expect` and `until` held against the world: what could never be seen to fail is a mistake, not a pass.
 */
#include "sim/scenario/places.h"
#include "sim/scenario/world.h"

/* One row a kind: its words after the kind, and the pairs it takes (blanks between). */
typedef struct form {
    const char *kind, *usage;
    int32_t least, most;
    const char *pairs;
    bool (*check)(const ks_check *check);
} form;

static const ks_word *word(const ks_check *check, int32_t index) { return &check->command->words[index]; }

static ks_known *group_at(const ks_check *check, int32_t index) { return ks_check_known(check, KS_KNOWN_GROUP, word(check, index), word(check, index)->text); }

static ks_known *client_at(const ks_check *check, int32_t index, bool producers) {
    ks_known *known = producers ? ks_known_find(check->world, KS_KNOWN_PRODUCER, word(check, index)->text) : NULL;
    return known != NULL ? known : ks_check_known(check, KS_KNOWN_CONSUMER, word(check, index), word(check, index)->text);
}

static bool of_group(const ks_check *check, const ks_word *at, const ks_known *client, ks_string group) {
    if (ks_string_equal(client->group, group)) return true;
    return ks_check_fail(check, at->column, "'%s' is of group %s, not of %s", client->name.data, client->group.data, group.data);
}

static bool number_pair(const ks_check *check, const char *name, int64_t least) {
    const ks_pair *pair = ks_pair_find(check->command, name);
    return pair == NULL || ks_check_int(check, &pair->value, name, least, INT32_MAX, NULL);
}

/* ---- expect ---- */

static bool assignment(const ks_check *check) {
    const ks_command_line *command = check->command;
    ks_token_place at = { 0 };
    ks_token token;
    bool owner = false;
    if (group_at(check, 1) == NULL) return false;
    for (int32_t i = 0; ks_token_next(command, &at, &token); i++) {
        if (i < 2) continue; /* "assignment" and the group */
        if (token.value == NULL && !owner) return ks_check_fail(check, token.word->column, "write CONSUMER=TOPIC[P,..], such as c1=orders[0,1]");
        if (token.value == NULL) {
            if (!ks_check_places(check, token.word)) return false;
            continue;
        }
        const ks_known *client = ks_check_known(check, KS_KNOWN_CONSUMER, token.word, token.word->text);
        if (client == NULL || !of_group(check, token.word, client, word(check, 1)->text) || !ks_check_places(check, token.value)) return false;
        for (int32_t j = 0; j < command->pair_count && &command->pairs[j].name != token.word; j++)
            if (ks_string_equal(command->pairs[j].name.text, token.word->text)) return ks_check_fail(check, token.word->column, "'%s' stands here twice", client->name.data);
        owner = true;
    }
    return true;
}

static bool state(const ks_check *check) {
    return group_at(check, 1) != NULL && ks_check_choice(check, word(check, 2), "state of a group", ks_group_states) && number_pair(check, "generation", 0);
}

static bool member(const ks_check *check) {
    static const char *const states[] = { "STABLE", "UNREVOKED_PARTITIONS", "UNRELEASED_PARTITIONS", NULL };
    const ks_pair *wanted = ks_pair_find(check->command, "state");
    if (group_at(check, 1) == NULL) return false;
    const ks_known *client = client_at(check, 2, false);
    if (client == NULL || !of_group(check, word(check, 2), client, word(check, 1)->text)) return false;
    if (check->command->pair_count == 0) return ks_check_fail(check, word(check, 2)->column, "expect member GROUP CONSUMER needs epoch=N or state=STATE");
    return number_pair(check, "epoch", 0) && (wanted == NULL || ks_check_choice(check, &wanted->value, "state of a member", states));
}

static bool lag(const ks_check *check) { return group_at(check, 1) != NULL && ks_check_int(check, word(check, 2), "the lag", 0, INT64_MAX, NULL); }

static bool committed(const ks_check *check) {
    int32_t partition;
    if (group_at(check, 1) == NULL || !ks_check_place(check, word(check, 2), NULL, &partition)) return false;
    return ks_string_equal(word(check, 3)->text, KS_LITERAL("none")) || ks_check_int(check, word(check, 3), "the committed offset (or: none)", -1, INT64_MAX, NULL);
}

static bool contents(const ks_check *check) {
    int32_t partition;
    return ks_check_place(check, word(check, 1), NULL, &partition);
}

/* Something must have been written for it to be lost or read twice. */
static bool was_written(const ks_check *check, const char *what) {
    for (const ks_known *known = check->world->first; known != NULL; known = known->next)
        if (known->kind == KS_KNOWN_TOPIC && known->written) return true;
    return ks_check_fail(check, word(check, 0)->column, "nothing was produced so far, so nothing can have been %s: this could never fail", what);
}

static bool nothing(const ks_check *check) {
    if (!ks_string_equal(word(check, 1)->text, KS_LITERAL("lost"))) return ks_check_fail(check, word(check, 1)->column, "write: expect nothing lost GROUP");
    return group_at(check, 2) != NULL && was_written(check, "lost");
}

static bool deliveries(const ks_check *check) {
    int64_t number;
    bool twice = strcmp(word(check, 0)->text.data, "read-twice") == 0;
    if (group_at(check, 1) == NULL || !was_written(check, twice ? "read twice" : "skipped")) return false;
    for (int32_t i = 2; i < check->command->word_count; i++) {
        ks_string text = word(check, i)->text;
        ks_range range;
        bool alone = ks_string_equal(text, KS_LITERAL("none")) || (ks_parse_int(text, &number) && number >= 0);
        if (alone && check->command->word_count == 3) return true;
        if (!ks_range_parse(text, &range)) return ks_check_fail(check, word(check, i)->column, "'%.100s' is neither a number, none, nor TOPIC/P@A..B, such as orders/0@5..9", text.data);
        ks_word place = { range.place, word(check, i)->column };
        int32_t partition;
        if (!ks_check_place(check, &place, NULL, &partition)) return false;
    }
    return true;
}

static bool given_up(const ks_check *check) {
    if (client_at(check, 1, false) == NULL) return false;
    for (int32_t i = 2; i < check->command->word_count; i++)
        if (!ks_check_places(check, word(check, i))) return false;
    return true;
}

static bool error(const ks_check *check) { return client_at(check, 1, false) != NULL && ks_check_error(check, word(check, 2), true, true); }

static bool answer(const ks_check *check) {
    return client_at(check, 1, true) != NULL && ks_check_api(check, word(check, 2)) && ks_check_error(check, word(check, 3), false, true) && number_pair(check, "count", 0);
}

static const form expectations[] = {
    { "assignment", "expect assignment GROUP CONSUMER=TOPIC[P,..] ..", 1, -1, "*", assignment },
    { "state", "expect state GROUP STATE [generation=N]", 2, 2, "generation", state },
    { "member", "expect member GROUP CONSUMER [epoch=N] [state=STATE]", 2, 2, "epoch state", member },
    { "lag", "expect lag GROUP N", 2, 2, "", lag },
    { "committed", "expect committed GROUP TOPIC/P N (or: none)", 3, 3, "", committed },
    { "contents", "expect contents TOPIC/P \"key=value\" ..", 1, -1, "*", contents },
    { "nothing", "expect nothing lost GROUP", 2, 2, "", nothing },
    { "read-twice", "expect read-twice GROUP N (or: none, TOPIC/P@A..B ..)", 2, -1, "", deliveries },
    { "skipped", "expect skipped GROUP N (or: none, TOPIC/P@A..B ..)", 2, -1, "", deliveries },
    { "revoked", "expect revoked CONSUMER TOPIC[P,..] (or: none)", 2, -1, "", given_up },
    { "lost", "expect lost CONSUMER TOPIC[P,..] (or: none)", 2, -1, "", given_up },
    { "holds", "expect holds CONSUMER TOPIC[P,..] (or: none)", 2, -1, "", given_up },
    { "error", "expect error CONSUMER ERROR (or: NONE)", 2, 2, "", error },
    { "answer", "expect answer CLIENT REQUEST ERROR [count=N]", 3, 3, "count", answer },
};

/* ---- until ---- */

static bool until_stable(const ks_check *check) {
    const ks_known *group = group_at(check, 1);
    if (group == NULL || group->joined) return group != NULL;
    return ks_check_fail(check, word(check, 1)->column, "nobody has joined %s so far; `join` starts a consumer of it", group->name.data);
}

static bool until_rule(const ks_check *check) {
    return ks_check_known(check, KS_KNOWN_RULE, word(check, 1), word(check, 1)->text) != NULL && number_pair(check, "count", 1);
}

static bool until_idle(const ks_check *check) { return check->command->word_count == 1; }

static const form waits[] = {
    { "stable", "until stable GROUP [within=D]", 1, 1, "within", until_stable },
    { "state", "until state GROUP STATE [within=D]", 2, 2, "within", state },
    { "lag", "until lag GROUP N [within=D]", 2, 2, "within", lag },
    { "rule", "until rule NAME [count=N] [within=D]", 1, 1, "within count", until_rule },
    { "idle", "until idle [within=D]", 0, 0, "within", until_idle },
};

/* ---- both ---- */

static bool has_word(const char *list, ks_string name) {
    for (const char *at = list; *at != '\0'; at += strspn(at, " ")) {
        size_t size = strcspn(at, " ");
        if ((int32_t)size == name.size && memcmp(at, name.data, size) == 0) return true;
        at += size;
    }
    return false;
}

static bool held_against(const ks_check *check, const form *forms, int32_t count) {
    const char *kinds[16] = { NULL };
    const form *found = NULL;
    const char *verb = ks_verb_name(check->command->verb);
    for (int32_t i = 0; i < count; i++) {
        kinds[i] = forms[i].kind;
        if (ks_string_equal(word(check, 0)->text, ks_str(forms[i].kind))) found = &forms[i];
    }
    if (found == NULL) {
        const char *nearest = ks_scenario_nearest(word(check, 0)->text, kinds);
        if (nearest != NULL) return ks_check_fail(check, word(check, 0)->column, "'%s %.100s' is no command; did you mean '%s %s'?", verb, word(check, 0)->text.data, verb, nearest);
        return ks_check_choice(check, word(check, 0), check->command->verb == KS_VERB_expect ? "expectation" : "thing to wait for", kinds);
    }
    int32_t words = check->command->word_count - 1;
    if (words < found->least) return ks_check_fail(check, word(check, words)->column + word(check, words)->text.size, "here is something missing: %s", found->usage);
    if (found->most >= 0 && words > found->most) return ks_check_fail(check, word(check, found->most + 1)->column, "what is '%.100s'? It is: %s", word(check, found->most + 1)->text.data, found->usage);
    for (int32_t i = 0; strcmp(found->pairs, "*") != 0 && i < check->command->pair_count; i++) {
        const ks_pair *pair = &check->command->pairs[i];
        if (!has_word(found->pairs, pair->name.text)) return ks_check_fail(check, pair->name.column, "'%s %s' takes no '%.100s='; it is: %s", verb, found->kind, pair->name.text.data, found->usage);
        for (int32_t j = 0; j < i; j++)
            if (ks_string_equal(check->command->pairs[j].name.text, pair->name.text)) return ks_check_fail(check, pair->name.column, "'%s=' stands here twice", pair->name.text.data);
    }
    return found->check(check);
}

bool ks_check_expect(const ks_check *check) { return held_against(check, expectations, sizeof expectations / sizeof *expectations); }
bool ks_check_until(const ks_check *check) { return held_against(check, waits, sizeof waits / sizeof *waits); }
