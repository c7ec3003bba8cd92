/* SPDX-License-Identifier: Apache-2.0
 * The names of a scenario, and the questions that all checks ask of them.
 */
#include "sim/scenario/world.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "sim/protocol/messages.h"
#include "sim/scenario/places.h"

const char *const ks_group_states[] = { "Empty", "PreparingRebalance", "CompletingRebalance", "Stable", "Dead", "Assigning", "Reconciling", NULL };

void ks_world_init(ks_world *world, ks_arena *arena, const char *folder) {
    *world = (ks_world){ .arena = arena, .folder = folder, .brokers = 3 };
    world->last = &world->first;
    for (int32_t i = 0; i < KS_SETTING_COUNT; i++) world->settings[i] = ks_settings[i].fallback;
}

void ks_world_deinit(ks_world *world) { HASH_CLEAR(hh, world->names); } /* the rest is the arena's */

/* ---- names ---- */

static ks_string key_of(char text[400], ks_known_kind kind, ks_string name) {
    int size = snprintf(text, 400, "%d %.*s", (int)kind, (int)name.size, name.data);
    return (ks_string){ text, size < 400 ? size : 399 };
}

ks_known *ks_known_find(const ks_world *world, ks_known_kind kind, ks_string name) {
    char text[400];
    ks_known *known;
    ks_string key = key_of(text, kind, name);
    KS_HASH_FIND_STRING(hh, world->names, key, known);
    return known != NULL && !known->gone ? known : NULL;
}

bool ks_check_fail(const ks_check *check, int32_t column, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(check->problem, check->size, format, arguments);
    va_end(arguments);
    *check->column = column;
    return false;
}

static const char *const kinds[] = {
    [KS_KNOWN_TOPIC] = "topic", [KS_KNOWN_CONSUMER] = "consumer", [KS_KNOWN_PRODUCER] = "producer", [KS_KNOWN_GROUP] = "group", [KS_KNOWN_RULE] = "rule",
};

/* Of a few names the first is near enough to show how they look. Cost: all names. */
static const char *nearest_of(const ks_check *check, ks_known_kind kind, ks_string name) {
    int32_t count = 0;
    for (const ks_known *known = check->world->first; known != NULL; known = known->next) count += known->kind == kind && !known->gone;
    const char **names = ks_alloc((size_t)(count + 1) * sizeof *names);
    count = 0;
    for (const ks_known *known = check->world->first; known != NULL; known = known->next)
        if (known->kind == kind && !known->gone) names[count++] = known->name.data;
    const char *nearest = ks_scenario_nearest(name, names);
    if (nearest == NULL && count > 0 && count <= 3) nearest = names[0];
    ks_free(names);
    return nearest;
}

ks_known *ks_check_known(const ks_check *check, ks_known_kind kind, const ks_word *word, ks_string name) {
    ks_known *known = ks_known_find(check->world, kind, name);
    if (known != NULL) return known;
    const char *nearest = nearest_of(check, kind, name);
    char text[120], remedy[300];
    snprintf(text, sizeof text, "%.*s", (int)(name.size < 100 ? name.size : 100), name.data);
    if (nearest != NULL) snprintf(remedy, sizeof remedy, "did you mean '%.200s'?", nearest);
    else if (kind == KS_KNOWN_TOPIC) snprintf(remedy, sizeof remedy, "make it first: topic %s partitions=3", text);
    else if (kind == KS_KNOWN_CONSUMER) snprintf(remedy, sizeof remedy, "declare it first: consumer %s group=... topics=...", text);
    else if (kind == KS_KNOWN_PRODUCER) snprintf(remedy, sizeof remedy, "declare it first: producer %s", text);
    else if (kind == KS_KNOWN_GROUP) snprintf(remedy, sizeof remedy, "declare a consumer of it first: consumer c1 group=%s topics=...", text);
    else snprintf(remedy, sizeof remedy, "make it first: rule %s when ... then ...", text);
    ks_check_fail(check, word->column, "there is no %s '%s'; %s", kinds[kind], text, remedy);
    return NULL;
}

/* ---- values ---- */

static void join_words(const char *const *words, char *text, size_t size) {
    size_t used = 0;
    for (; *words != NULL && used < size; words++)
        used += (size_t)snprintf(text + used, size - used, "%s%s", used > 0 ? ", " : "", *words);
}

bool ks_check_choice(const ks_check *check, const ks_word *word, const char *what, const char *const *choices) {
    char list[400] = "";
    for (int i = 0; choices[i] != NULL; i++)
        if (ks_string_equal(word->text, ks_str(choices[i]))) return true;
    const char *nearest = ks_scenario_nearest(word->text, choices);
    join_words(choices, list, sizeof list);
    if (nearest != NULL) return ks_check_fail(check, word->column, "'%.100s' is no %s; did you mean '%s'?", word->text.data, what, nearest);
    return ks_check_fail(check, word->column, "'%.100s' is no %s; it is one of %s", word->text.data, what, list);
}

bool ks_check_int(const ks_check *check, const ks_word *word, const char *what, int64_t least, int64_t most, int64_t *value) {
    int64_t n;
    bool whole = ks_parse_int(word->text, &n);
    if (whole && n >= least && n <= most) {
        if (value != NULL) *value = n;
        return true;
    }
    if (most == INT64_MAX) return ks_check_fail(check, word->column, "%s is a whole number, %lld or more, not '%.100s'", what, (long long)least, word->text.data);
    return ks_check_fail(check, word->column, "%s is a whole number, %lld to %lld, not '%.100s'", what, (long long)least, (long long)most, word->text.data);
}

bool ks_check_duration(const ks_check *check, const ks_word *word, const char *what) {
    int64_t ns;
    if (ks_parse_duration(word->text, &ns)) return true;
    return ks_check_fail(check, word->column, "%s is a duration such as 500us, 10ms, 3s, 5m, 2h, 7d, not '%.100s'", what, word->text.data);
}

bool ks_check_name(const ks_check *check, const ks_word *word, const char *what, size_t most) {
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
    size_t size = strlen(word->text.data);
    if (size == (size_t)word->text.size && size >= 1 && size <= most && strspn(word->text.data, allowed) == size) return true;
    return ks_check_fail(check, word->column, "'%.100s' is no name for a %s: use 1 to %d letters, digits, '.', '_', '-'", word->text.data, what, (int)most);
}

bool ks_check_api(const ks_check *check, const ks_word *word) {
    const char *names[200];
    int32_t count = 0;
    if (ks_api_find_name(word->text.data) != NULL) return true;
    for (; count < ks_api_count() && count < 199; count++) names[count] = ks_api_at(count)->name;
    names[count] = NULL;
    const char *nearest = ks_scenario_nearest(word->text, names);
    return ks_check_fail(check, word->column, "'%.100s' is no request of Kafka's; did you mean '%s'?", word->text.data, nearest != NULL ? nearest : "JoinGroup");
}

static bool partition_is_there(const ks_check *check, const ks_word *word, const ks_known *topic, int32_t partition) {
    if (partition < topic->partitions) return true;
    return ks_check_fail(check, word->column, "%s has %d partition%s, 0 to %d; there is no %s/%d", topic->name.data, topic->partitions,
                         topic->partitions == 1 ? "" : "s", topic->partitions - 1, topic->name.data, partition);
}

bool ks_check_place(const ks_check *check, const ks_word *word, ks_known **topic, int32_t *partition) {
    ks_spot spot;
    if (!ks_spot_parse(word->text, &spot))
        return ks_check_fail(check, word->column, "'%.100s' is not of the form TOPIC/P, such as orders/0", word->text.data);
    ks_known *known = ks_check_known(check, KS_KNOWN_TOPIC, word, spot.topic);
    if (known == NULL) return false;
    if (partition != NULL && spot.partition < 0)
        return ks_check_fail(check, word->column, "which partition of %s? write %s/0", known->name.data, known->name.data);
    if (spot.partition >= 0 && !partition_is_there(check, word, known, spot.partition)) return false;
    if (topic != NULL) *topic = known;
    if (partition != NULL) *partition = spot.partition;
    return true;
}

bool ks_check_places(const ks_check *check, const ks_word *word) {
    ks_spots spots = { 0 };
    bool fine = ks_spots_parse(word->text, &spots) || ks_check_fail(check, word->column, "'%.100s' is not of the form TOPIC[P,..], such as orders[0,2], or none", word->text.data);
    for (int32_t i = 0; fine && i < spots.count; i++) {
        const ks_known *topic = ks_check_known(check, KS_KNOWN_TOPIC, word, spots.items[i].topic);
        fine = topic != NULL && partition_is_there(check, word, topic, spots.items[i].partition);
    }
    ks_free(spots.items);
    return fine;
}

/* ---- errors by name ---- */

#define NAME(name, code, retriable, text) { #name, (kafka_error)(code) },
static const struct { const char *name; kafka_error code; } brokers_errors[] = { { "NONE", KAFKA_OK }, KAFKA_ERROR_TABLE_BROKER(NAME) },
                                                             our_errors[] = { KAFKA_ERROR_TABLE_CLIENT(NAME) };
#undef NAME
enum { BROKERS_ERRORS = sizeof brokers_errors / sizeof *brokers_errors, OUR_ERRORS = sizeof our_errors / sizeof *our_errors };

bool ks_error_of_name(const char *name, kafka_error *error) {
    for (int i = 0; i < BROKERS_ERRORS + OUR_ERRORS; i++) {
        if (strcmp(i < BROKERS_ERRORS ? brokers_errors[i].name : our_errors[i - BROKERS_ERRORS].name, name) != 0) continue;
        *error = i < BROKERS_ERRORS ? brokers_errors[i].code : our_errors[i - BROKERS_ERRORS].code;
        return true;
    }
    return false;
}

bool ks_check_error(const ks_check *check, const ks_word *word, bool ours, bool none) {
    const char *names[BROKERS_ERRORS + OUR_ERRORS + 1];
    int count = 0;
    for (int i = none ? 0 : 1; i < BROKERS_ERRORS; i++) names[count++] = brokers_errors[i].name;
    for (int i = 0; ours && i < OUR_ERRORS; i++) names[count++] = our_errors[i].name;
    names[count] = NULL;
    for (int i = 0; i < count; i++)
        if (ks_string_equal(word->text, ks_str(names[i]))) return true;
    const char *nearest = ks_scenario_nearest(word->text, names);
    return ks_check_fail(check, word->column, "'%.100s' is none of Kafka's errors%s%s%s", word->text.data, nearest ? "; did you mean '" : ", such as REBALANCE_IN_PROGRESS",
                         nearest ? nearest : "", nearest ? "'?" : "");
}
