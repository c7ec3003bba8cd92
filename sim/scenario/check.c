/* SPDX-License-Identifier: Apache-2.0
 * Commands held against the world, one function a verb; what a command declares is taken note of last, when all of it is right.
 */
#include <stdio.h>

#include "sim/scenario/sender.h"
#include "sim/scenario/texts.h"
#include "sim/scenario/world.h"

enum { BROKERS_MAX = 64, PARTITIONS_MAX = 10000, TOPIC_NAME_MAX = 249 };

/* ---- names ---- */

ks_known *ks_check_add(const ks_check *check, ks_known_kind kind, ks_string name) {
    ks_world *world = check->world;
    ks_known *known = ks_arena_alloc(world->arena, sizeof *known);
    known->kind = kind;
    known->name = ks_arena_string(world->arena, name);
    known->key = ks_arena_printf(world->arena, "%d %s", (int)kind, known->name.data);
    ks_known *former; /* one that is gone */
    KS_HASH_FIND_STRING(hh, world->names, known->key, former);
    if (former != NULL) HASH_DELETE(hh, world->names, former);
    KS_HASH_ADD_STRING(hh, world->names, key, known);
    *world->last = known;
    world->last = &known->next;
    return known;
}

static bool client_name(const ks_check *check, const ks_word *word, const char *what) {
    ks_string name = word->text;
    if (!ks_check_name(check, word, what, KS_CLIENT_NAME_MAX)) return false;
    if (ks_string_equal(name, KS_LITERAL("admin")) || ks_string_equal(name, KS_LITERAL("ksim")) || strncmp(name.data, "broker-", 7) == 0)
        return ks_check_fail(check, word->column, "'%s' is taken; choose another name", name.data);
    for (int kind = KS_KNOWN_CONSUMER; kind <= KS_KNOWN_PRODUCER; kind++) {
        const ks_known *other = ks_known_find(check->world, (ks_known_kind)kind, name);
        if (other == NULL) continue;
        const char *is = kind == KS_KNOWN_CONSUMER ? "consumer" : "producer";
        if (other->line == 0) return ks_check_fail(check, word->column, "the producer '%s' has sent already; declare it before that", name.data);
        return ks_check_fail(check, word->column, "there is a %s '%s' already, from line %d", is, name.data, other->line);
    }
    return true;
}

/* ---- configs ---- */

static bool config(const ks_check *check, const ks_pair *pair, const ks_config_key *keys, int32_t count, int32_t index, int64_t *value) {
    ks_buffer why = { 0 };
    bool fine = index >= 0;
    if (index < 0) {
        ks_config_suggest(keys, count, pair->name.text, &why);
        ks_check_fail(check, pair->name.column, "%s", (const char *)why.data);
    } else if (ks_config_parse(&keys[index], pair->value.text, value, &why) != KAFKA_OK) fine = ks_check_fail(check, pair->value.column, "%s", (const char *)why.data);
    ks_buffer_deinit(&why);
    return fine;
}

static bool is_config(const ks_pair *pair) { return memchr(pair->name.text.data, '.', (size_t)pair->name.text.size) != NULL; }

static bool topic_configs(const ks_check *check) {
    ks_topic_config *together = ks_topic_config_new(check->world->settings);
    ks_buffer why = { 0 };
    bool fine = true;
    for (int32_t i = 0; fine && i < check->command->pair_count; i++) {
        const ks_pair *pair = &check->command->pairs[i];
        int64_t value;
        if (!is_config(pair)) continue;
        fine = config(check, pair, ks_topic_configs, KS_TOPIC_CONFIG_COUNT, ks_topic_config_find(pair->name.text), &value);
        if (fine) ks_topic_config_set(together, pair->name.text, pair->value.text, check->world->settings, NULL);
    }
    if (fine && ks_topic_config_check(together, &why) != KAFKA_OK) fine = ks_check_fail(check, check->command->words[0].column, "%s", (const char *)why.data);
    ks_buffer_deinit(&why);
    ks_topic_config_release(together);
    return fine;
}

/* ---- cluster ---- */

static bool cluster(const ks_check *check) {
    const ks_command_line *command = check->command;
    ks_world *world = check->world;
    int64_t brokers = 3, value;
    const ks_pair *count = ks_pair_find(command, "brokers"), *racks = ks_pair_find(command, "racks"), *latency = ks_pair_find(command, "latency");
    if (world->begun) return ks_check_fail(check, 1, "'cluster' comes first, and once");
    if (count != NULL && !ks_check_int(check, &count->value, "brokers", 1, BROKERS_MAX, &brokers)) return false;
    if (latency != NULL && !ks_check_takes_time(check, &latency->value)) return false;
    if (racks != NULL) {
        int32_t named = 1;
        bool empty = racks->value.text.size == 0;
        for (int32_t i = 0; i < racks->value.text.size; i++) {
            char ch = racks->value.text.data[i], before = i > 0 ? racks->value.text.data[i - 1] : ',';
            named += ch == ',';
            empty |= ch == ',' && (before == ',' || i + 1 == racks->value.text.size);
        }
        if (empty || named != brokers) return ks_check_fail(check, racks->value.column, "racks names one rack for each of the %lld brokers, such as racks=a,b,c", (long long)brokers);
    }
    for (int32_t i = 0; i < command->pair_count; i++)
        if (is_config(&command->pairs[i]) && !config(check, &command->pairs[i], ks_settings, KS_SETTING_COUNT, ks_setting_find(command->pairs[i].name.text), &value)) return false;
    for (int32_t i = 0; i < command->pair_count; i++) {
        int32_t setting = is_config(&command->pairs[i]) ? ks_setting_find(command->pairs[i].name.text) : -1;
        if (setting < 0) continue;
        ks_config_parse(&ks_settings[setting], command->pairs[i].value.text, &world->settings[setting], NULL);
        world->given[setting] = true;
    }
    world->brokers = (int32_t)brokers;
    return true;
}

/* ---- topics ---- */

static bool topic(const ks_check *check) {
    const ks_word *word = &check->command->words[0];
    const ks_pair *partitions = ks_pair_find(check->command, "partitions"), *replication = ks_pair_find(check->command, "replication");
    bool refused = ks_pair_find(check->command, "refused") != NULL;
    int64_t count = check->world->settings[KS_SETTING_num_partitions];
    if (refused) return topic_configs(check);
    if (!ks_check_name(check, word, "topic", TOPIC_NAME_MAX)) return false;
    if (strcmp(word->text.data, ".") == 0 || strcmp(word->text.data, "..") == 0 || strcmp(word->text.data, "__consumer_offsets") == 0)
        return ks_check_fail(check, word->column, "'%s' is taken; choose another name", word->text.data);
    if (ks_known_find(check->world, KS_KNOWN_TOPIC, word->text) != NULL)
        return ks_check_fail(check, word->column, "there is a topic '%s' already; `add-partitions` and `alter-topic` change it", word->text.data);
    if (partitions != NULL && !ks_check_int(check, &partitions->value, "partitions", 1, PARTITIONS_MAX, &count)) return false;
    if (replication != NULL && !ks_check_int(check, &replication->value, "replication", 1, check->world->brokers, NULL)) return false;
    if (!topic_configs(check)) return false;
    ks_check_add(check, KS_KNOWN_TOPIC, word->text)->partitions = (int32_t)count;
    return true;
}

static bool add_partitions(const ks_check *check) {
    ks_known *known = ks_check_known(check, KS_KNOWN_TOPIC, &check->command->words[0], check->command->words[0].text);
    bool refused = ks_pair_find(check->command, "refused") != NULL;
    int64_t count;
    if (known == NULL || !ks_check_int(check, &check->command->words[1], "N, the new total,", refused ? 0 : 1, PARTITIONS_MAX, &count)) return false;
    if (refused) return true;
    if (count <= known->partitions)
        return ks_check_fail(check, check->command->words[1].column, "%s has %d partition%s already; N is the new total, and Kafka never takes partitions away", known->name.data,
                             known->partitions, known->partitions == 1 ? "" : "s");
    known->partitions = (int32_t)count;
    return true;
}

static bool alter_topic(const ks_check *check) {
    if (ks_check_known(check, KS_KNOWN_TOPIC, &check->command->words[0], check->command->words[0].text) == NULL || !topic_configs(check)) return false;
    for (int32_t i = 0; i < check->command->pair_count; i++)
        if (is_config(&check->command->pairs[i])) return true;
    return ks_check_fail(check, check->command->words[0].column, "alter-topic needs at least one CONFIG=VALUE, such as retention.ms=60000");
}

static bool delete_topic(const ks_check *check) {
    ks_known *known = ks_check_known(check, KS_KNOWN_TOPIC, &check->command->words[0], check->command->words[0].text);
    if (known == NULL) return false;
    known->gone = ks_pair_find(check->command, "refused") == NULL;
    return true;
}

/* ---- producers ---- */

static bool producer(const ks_check *check) {
    static const char *const configs[] = { "batch.size", "batch.bytes", "batch.timeout.ms", "max.attempts", "write.timeout.ms", NULL };
    const ks_word *word = &check->command->words[0];
    ks_writer_settings settings;
    char why[300];
    if (!client_name(check, word, "producer")) return false;
    for (int32_t i = 0; i < check->command->pair_count; i++) {
        const ks_pair *pair = &check->command->pairs[i];
        if (!is_config(pair)) continue;
        if (!ks_check_choice(check, &pair->name, "setting of a producer", configs)) return false;
        if (!ks_check_int(check, &pair->value, pair->name.text.data, 1, INT32_MAX, NULL)) return false;
    }
    if (!ks_sender_settings(check->command, &settings, why, sizeof why)) return ks_check_fail(check, word->column, "%s", why);
    ks_writer_settings_deinit(&settings);
    ks_known *known = ks_check_add(check, KS_KNOWN_PRODUCER, word->text);
    known->line = check->command->line;
    known->state = KS_CLIENT_RUNNING;
    return true;
}

static bool sender(const ks_check *check, ks_known **out) {
    const ks_pair *by = ks_pair_find(check->command, "by");
    ks_string name = by != NULL ? by->value.text : KS_LITERAL("producer");
    ks_known *known = ks_known_find(check->world, KS_KNOWN_PRODUCER, name);
    if (known == NULL && by != NULL && !ks_string_equal(name, KS_LITERAL("producer"))) {
        ks_check_known(check, KS_KNOWN_PRODUCER, &by->value, name);
        return false;
    }
    if (known == NULL && ks_known_find(check->world, KS_KNOWN_CONSUMER, name) != NULL)
        return ks_check_fail(check, 1, "'producer' is a consumer here; declare a producer of another name and say by=NAME");
    if (known != NULL && known->state != KS_CLIENT_RUNNING)
        return ks_check_fail(check, by != NULL ? by->value.column : 1, "the producer '%s' %s first", name.data,
                             known->state == KS_CLIENT_PAUSED ? "stands still; `resume` it" : "has crashed; `restart` it");
    if (known == NULL) {
        known = ks_check_add(check, KS_KNOWN_PRODUCER, name);
        known->state = KS_CLIENT_RUNNING;
    }
    *out = known;
    return true;
}

static bool produce(const ks_check *check) {
    const ks_command_line *command = check->command;
    ks_known *known = ks_check_known(check, KS_KNOWN_TOPIC, &command->words[0], command->words[0].text), *by;
    const ks_pair *partition = ks_pair_find(command, "partition"), *every = ks_pair_find(command, "every");
    ks_texts texts;
    if (known == NULL) return false;
    if (partition != NULL && !ks_check_int(check, &partition->value, "partition", 0, known->partitions - 1, NULL)) return false;
    if (every != NULL && ks_pair_duration(command, "every", 0) == 0) return ks_check_fail(check, every->value.column, "every= is more than 0; leave it away to send all at once");
    if (!ks_texts_open(&texts, command, check->world->folder, check->column, check->problem, check->size)) return false;
    ks_texts_close(&texts);
    if (!sender(check, &by)) return false;
    known->written = true;
    return true;
}

/* ---- lives ---- */

typedef struct life_rule {
    const char *verb;
    bool producers; /* too */
    uint8_t from;   /* states it may be in, a bit each */
    ks_client_state to;
} life_rule;
#define IN(state) (1u << KS_CLIENT_##state)
static const life_rule lives[KS_VERB_COUNT] = {
    [KS_VERB_join] = { "join", false, IN(DECLARED) | IN(LEFT), KS_CLIENT_RUNNING },
    [KS_VERB_leave] = { "leave", false, IN(RUNNING), KS_CLIENT_LEFT },
    [KS_VERB_crash] = { "crash", true, IN(RUNNING) | IN(PAUSED), KS_CLIENT_CRASHED },
    [KS_VERB_restart] = { "restart", true, IN(CRASHED), KS_CLIENT_RUNNING },
    [KS_VERB_pause] = { "pause", true, IN(RUNNING), KS_CLIENT_PAUSED },
    [KS_VERB_resume] = { "resume", true, IN(PAUSED), KS_CLIENT_RUNNING },
    [KS_VERB_slow] = { "slow", false, 0xFF, KS_CLIENT_DECLARED },
    [KS_VERB_commit] = { "commit", false, IN(RUNNING), KS_CLIENT_RUNNING },
};

static bool wrong_state(const ks_check *check, const ks_word *word, ks_client_state state) {
    static const char *const are[] = { "is not running; `join` starts it", "is running already", "stands still; `resume` it first",
                                       "has crashed; `restart` starts it again", "has left; `join` starts it again" };
    const char *is = are[state];
    if (state == KS_CLIENT_RUNNING && check->command->verb == KS_VERB_restart) is = "is running; `crash` it first";
    if (state == KS_CLIENT_RUNNING && check->command->verb == KS_VERB_resume) is = "does not stand still; `pause` it first";
    return ks_check_fail(check, word->column, "'%s' %s", word->text.data, is);
}

static bool life(const ks_check *check) {
    const life_rule *rule = &lives[check->command->verb];
    if (check->command->verb == KS_VERB_slow && ks_pair_find(check->command, "process") == NULL)
        return ks_check_fail(check, check->command->words[0].column, "slow needs process=D: what each message costs from now on");
    for (int32_t round = 0; round < 2; round++) /* nothing is taken note of when one of them is wrong */
        for (int32_t i = 0; i < check->command->word_count; i++) {
            const ks_word *word = &check->command->words[i];
            ks_known *known = ks_known_find(check->world, KS_KNOWN_CONSUMER, word->text);
            if (known == NULL && rule->producers) known = ks_known_find(check->world, KS_KNOWN_PRODUCER, word->text);
            if (known == NULL && ks_known_find(check->world, KS_KNOWN_PRODUCER, word->text) != NULL)
                return ks_check_fail(check, word->column, "'%s' is a producer; `%s` takes consumers", word->text.data, rule->verb);
            if (known == NULL) {
                ks_check_known(check, KS_KNOWN_CONSUMER, word, word->text);
                return false;
            }
            if (round == 0 && !(rule->from >> known->state & 1)) return wrong_state(check, word, known->state);
            for (int32_t j = 0; round == 0 && j < i; j++)
                if (ks_string_equal(word->text, check->command->words[j].text)) return ks_check_fail(check, word->column, "'%s' stands here twice", word->text.data);
            if (round == 1 && check->command->verb != KS_VERB_slow) known->state = rule->to;
            if (round == 1 && check->command->verb == KS_VERB_join) ks_known_find(check->world, KS_KNOWN_GROUP, known->group)->joined = true;
        }
    return true;
}

/* ---- groups ---- */

static bool group_offsets(const ks_check *check) {
    const ks_word *words = check->command->words;
    const ks_pair *to = ks_pair_find(check->command, "to");
    int64_t n;
    if (ks_check_known(check, KS_KNOWN_GROUP, &words[0], words[0].text) == NULL || !ks_check_place(check, &words[1], NULL, NULL)) return false;
    if (check->command->verb == KS_VERB_delete_offsets) return true;
    if (to == NULL) return ks_check_fail(check, words[1].column, "reset-offsets needs to=earliest, latest, current, OFFSET, shift:N, time:DURATION or ago:DURATION");
    ks_string text = to->value.text;
    if (ks_string_equal(text, KS_LITERAL("earliest")) || ks_string_equal(text, KS_LITERAL("latest")) || ks_string_equal(text, KS_LITERAL("current")) ||
        (ks_parse_int(text, &n) && n >= 0)) return true;
    if (strncmp(text.data, "shift:", 6) == 0 && ks_parse_int(ks_str(text.data + 6), &n)) return true;
    if (strncmp(text.data, "time:", 5) == 0 && ks_parse_duration(ks_str(text.data + 5), &n)) return true;
    if (strncmp(text.data, "ago:", 4) == 0 && ks_parse_duration(ks_str(text.data + 4), &n)) return true;
    return ks_check_fail(check, to->value.column, "to= is earliest, latest, current, OFFSET, shift:N, time:DURATION (since the beginning) or ago:DURATION, not '%.100s'", text.data);
}

static bool remove_member(const ks_check *check) {
    const ks_word *words = check->command->words;
    if (ks_check_known(check, KS_KNOWN_GROUP, &words[0], words[0].text) == NULL) return false;
    const ks_known *known = ks_check_known(check, KS_KNOWN_CONSUMER, &words[1], words[1].text);
    if (known == NULL) return false;
    if (ks_string_equal(known->group, words[0].text)) return true;
    return ks_check_fail(check, words[1].column, "'%s' is of group %s, not of %s", known->name.data, known->group.data, words[0].text.data);
}

static bool move_coordinator(const ks_check *check) {
    const ks_word *words = check->command->words;
    return ks_check_known(check, KS_KNOWN_GROUP, &words[0], words[0].text) != NULL && ks_check_broker(check, &words[1]);
}

static bool move_leader(const ks_check *check) {
    int32_t partition;
    return ks_check_place(check, &check->command->words[0], NULL, &partition) && ks_check_broker(check, &check->command->words[1]);
}

/* ---- all ---- */

static bool consumer(const ks_check *check) {
    const ks_word *word = &check->command->words[0];
    if (!client_name(check, word, "consumer") || !ks_check_consumer(check)) return false;
    ks_known *known = ks_check_add(check, KS_KNOWN_CONSUMER, word->text);
    known->line = check->command->line;
    known->group = ks_pair_find(check->command, "group")->value.text;
    if (ks_known_find(check->world, KS_KNOWN_GROUP, known->group) == NULL) ks_check_add(check, KS_KNOWN_GROUP, known->group);
    return true;
}

static bool take(const ks_check *check) {
    const ks_word *words = check->command->words;
    const ks_pair *refused = ks_pair_find(check->command, "refused");
    if (refused != NULL && !ks_check_error(check, &refused->value, true, false)) return false;
    switch (check->command->verb) {
    case KS_VERB_cluster: return cluster(check);
    case KS_VERB_topic: return topic(check);
    case KS_VERB_producer: return producer(check);
    case KS_VERB_consumer: return consumer(check);
    case KS_VERB_produce: return produce(check);
    case KS_VERB_join: case KS_VERB_leave: case KS_VERB_crash: case KS_VERB_restart: case KS_VERB_pause: case KS_VERB_resume: case KS_VERB_slow:
    case KS_VERB_commit: return life(check);
    case KS_VERB_stop_broker: case KS_VERB_start_broker: return ks_check_broker(check, &words[0]);
    case KS_VERB_cut: case KS_VERB_heal: case KS_VERB_reset: case KS_VERB_delay: return ks_check_link(check);
    case KS_VERB_rule: return ks_check_rule(check);
    case KS_VERB_release: case KS_VERB_unrule: return ks_check_rule_change(check);
    case KS_VERB_add_partitions: return add_partitions(check);
    case KS_VERB_alter_topic: return alter_topic(check);
    case KS_VERB_delete_topic: return delete_topic(check);
    case KS_VERB_delete_group: return ks_check_known(check, KS_KNOWN_GROUP, &words[0], words[0].text) != NULL;
    case KS_VERB_reset_offsets: case KS_VERB_delete_offsets: return group_offsets(check);
    case KS_VERB_remove_member: return remove_member(check);
    case KS_VERB_move_coordinator: return move_coordinator(check);
    case KS_VERB_move_leader: return move_leader(check);
    case KS_VERB_advance: return ks_check_duration(check, &words[0], "advance");
    case KS_VERB_until: return ks_check_until(check);
    case KS_VERB_views: return ks_check_known(check, KS_KNOWN_GROUP, &words[0], words[0].text) != NULL;
    case KS_VERB_say: return words[0].text.size > 0 || ks_check_fail(check, words[0].column, "say what?");
    case KS_VERB_expect: return ks_check_expect(check);
    case KS_VERB_COUNT: break;
    }
    ks_unreachable("verb");
}

bool ks_world_take(ks_world *world, const ks_command_line *command, int32_t *column, char *problem, size_t size) {
    ks_check check = { world, command, column, problem, size };
    if (!take(&check)) return false;
    world->begun = true;
    return true;
}
