/* SPDX-License-Identifier: Apache-2.0
 *
 * Tests over many seeds, and checks whose report says what is different.
 */
#include <stdio.h>
#include <stdlib.h>

#include "sim/control/inspect.h"

/* ---- seeds ---- */

/* KSIM_SEED as a number; 0: not set. False, and said: it is no seed. */
static bool seed_from_environment(uint64_t *seed) {
    const char *text = getenv("KSIM_SEED");
    *seed = 0;
    if (text == NULL || *text == 0) return true;
    bool right = true;
    for (const char *digit = text; *digit && right; digit++) {
        unsigned value = (unsigned)(*digit - '0');
        right = value <= 9 && *seed <= (UINT64_MAX - value) / 10;
        *seed = *seed * 10 + value;
    }
    right = right && *seed > 0;
    if (!right) fprintf(stderr, "kafkasim: KSIM_SEED is \"%.40s\": a seed is a whole number from 1 on\n", text);
    return right;
}

static int run_seed(const ksim_config *config, uint64_t seed, ksim_test *test, void *context) {
    ksim_config wanted = config ? *config : (ksim_config){ 0 };
    wanted.seed = seed;
    ksim *sim = ksim_new(&wanted);
    if (sim == NULL) return -1; /* the reason was said */
    int result = test(sim, context);
    if (result != 0) {
        fprintf(stderr, "seed %llu failed (%d) at %lld.%03lld s; KSIM_SEED=%llu repeats it. %s%sThe last steps:\n%s",
                (unsigned long long)seed, result, (long long)(ksim_elapsed(sim) / KS_S),
                (long long)(ksim_elapsed(sim) / KS_MS % 1000), (unsigned long long)seed, sim->detail,
                *sim->detail ? "\n" : "", ksim_last_steps(sim, 0));
    }
    ksim_free(sim);
    return result;
}

int ksim_test_seeds_with(const ksim_config *config, uint64_t count, ksim_test *test, void *context) {
    if (test == NULL) return -1;
    uint64_t only;
    if (!seed_from_environment(&only)) return -1;
    if (only == 0 && count == 0) {
        fprintf(stderr, "ksim_test_seeds: 0 seeds test nothing; how many shall it be?\n");
        return -1;
    }
    if (only) return run_seed(config, only, test, context);
    for (uint64_t seed = 1; seed <= count; seed++) {
        int result = run_seed(config, seed, test, context);
        if (result != 0) return result;
    }
    return 0;
}

typedef struct plain_test {
    int (*test)(ksim *sim);
} plain_test;

static int run_plain(ksim *sim, void *context) { return ((plain_test *)context)->test(sim); }

int ksim_test_seeds(uint64_t count, int (*test)(ksim *sim)) {
    plain_test plain = { test };
    return test ? ksim_test_seeds_with(NULL, count, run_plain, &plain) : -1;
}

/* ---- reports ---- */

static const char *report(ksim *sim, const char *what, const char *actual, const char *expected) {
    ks_buffer text = { 0 };
    sim->reported = true;
    int64_t ms = ksim_elapsed(sim) / KS_MS;
    ks_buffer_printf(&text, "%s\n  is       %s\n  expected %s\n", what, *actual ? actual : "(nothing)",
                     *expected ? expected : "(nothing)");
    ks_buffer_printf(&text, "seed %llu, at %lld.%03lld s. The last steps:\n%s", (unsigned long long)sim->seed,
                     (long long)(ms / 1000), (long long)(ms % 1000), ksim_last_steps(sim, 0));
    if (sim->check_failed != NULL) sim->check_failed(sim->check_failed_context, &text);
    return ks_sim_view_text(sim, &text);
}

static const char *no_simulator(ksim *sim) {
    if (sim == NULL) return "there is no simulator: ksim_new() returned NULL";
    return ks_runtime_right_thread(sim->runtime) ? NULL : kafka_error_text(KAFKA_ERR_WRONG_THREAD);
}

static const char *described(ksim *sim, const char *format, const char *what) {
    return ks_arena_printf(ks_sim_view(sim), format, what).data;
}

/* ---- places: "c1=orders[0,1,2] payments[0] c2=", "orders[0]=5" ---- */

typedef KS_VEC(ks_place) place_list;

/* "orders[0,1-3]" from `at` on, with a value behind it if `with_value`. False: it is not of that form. */
static bool parse_place(ks_arena *arena, const char **at, const char *owner, bool with_value, place_list *list) {
    size_t size = strcspn(*at, "[ ");
    if (size == 0 || (*at)[size] != '[') return false;
    const char *topic = ks_arena_string(arena, (ks_string){ *at, (int32_t)size }).data;
    int32_t first = list->count;
    char *end = (char *)(uintptr_t)(*at + size);
    do {
        const char *number = end + 1;
        long from = strtol(number, &end, 10), to = from;
        if (end == number) return false;
        if (*end == '-') to = strtol(end + 1, &end, 10);
        for (long partition = from; partition <= to; partition++) {
            KS_PUSH(*list, (ks_place){ .owner = owner, .topic = topic, .partition = (int32_t)partition });
        }
    } while (*end == ',');
    if (*end++ != ']') return false;
    if (with_value) {
        if (*end != '=') return false;
        long long value = strtoll(end + 1, &end, 10);
        for (int32_t i = first; i < list->count; i++) list->items[i].value = value;
    }
    *at = end;
    return *end == ' ' || *end == 0;
}

static bool parse_assignment(ks_arena *arena, const char *text, place_list *list) {
    const char *owner = NULL;
    while (*text) {
        size_t name = strcspn(text, "=[ ");
        if (*text == ' ') {
            text++;
        } else if (text[name] == '=') {
            owner = ks_arena_string(arena, (ks_string){ text, (int32_t)name }).data;
            text += name + 1;
            if (*text == ' ' || *text == 0) KS_PUSH(*list, (ks_place){ .owner = owner });
        } else if (owner == NULL || !parse_place(arena, &text, owner, false, list)) {
            return false;
        }
    }
    return true;
}

static bool parse_offsets(ks_arena *arena, const char *text, place_list *list) {
    while (*text) {
        if (*text == ' ')
            text++;
        else if (!parse_place(arena, &text, NULL, true, list))
            return false;
    }
    return true;
}

static void sort(place_list *list) {
    if (list->count) qsort(list->items, (size_t)list->count, sizeof *list->items, ks_place_compare);
}

static const char *not_of_that_form(ksim *sim, const char *expected, const char *form) {
    return ks_arena_printf(ks_sim_view(sim), "the expected text \"%s\" is not of the form \"%s\"",
                           expected ? expected : "(NULL)", form)
        .data;
}

const char *ksim_check_assignment(ksim *sim, const char *group, const char *expected) {
    const char *problem = no_simulator(sim);
    if (problem) return problem;
    place_list list = { 0 };
    ks_buffer canonical = { 0 };
    bool parsed = expected && parse_assignment(ks_sim_view(sim), expected, &list);
    sort(&list);
    ks_places_write(list.items, list.count, &canonical);
    ks_free(list.items);
    const char *wanted = ks_sim_view_text(sim, &canonical);
    if (!parsed) return not_of_that_form(sim, expected, "c1=orders[0,1,2] c3=orders[3,4,5]");
    const ksim_group *found = ksim_group_find(sim, group);
    if (found == NULL)
        return report(sim, described(sim, "assignment of group %s", group ? group : "(NULL)"), sim->detail, wanted);
    const char *actual = ksim_assignment(sim, group);
    return strcmp(actual, wanted) == 0 ? NULL
                                       : report(sim, described(sim, "assignment of group %s", group), actual, wanted);
}

static void write_offsets(const place_list *list, ks_buffer *out) {
    ks_buffer_text(out, "");
    for (int32_t i = 0; i < list->count; i++) {
        ks_buffer_printf(out, "%s%s[%d]=%lld", i ? " " : "", list->items[i].topic, list->items[i].partition,
                         (long long)list->items[i].value);
    }
}

const char *ksim_check_committed(ksim *sim, const char *group, const char *expected) {
    const char *problem = no_simulator(sim);
    if (problem) return problem;
    place_list wanted_list = { 0 }, list = { 0 };
    ks_buffer wanted = { 0 }, actual = { 0 };
    bool parsed = expected && parse_offsets(ks_sim_view(sim), expected, &wanted_list);
    const ksim_group *found = parsed ? ksim_group_find(sim, group) : NULL;
    for (size_t i = 0; found && i < found->committed_count; i++) {
        KS_PUSH(list, (ks_place){ .topic = found->committed[i].topic,
                                  .partition = found->committed[i].partition,
                                  .value = found->committed[i].offset });
    }
    sort(&wanted_list);
    sort(&list);
    write_offsets(&wanted_list, &wanted);
    write_offsets(&list, &actual);
    ks_free(wanted_list.items);
    ks_free(list.items);
    const char *wanted_text = ks_sim_view_text(sim, &wanted), *actual_text = ks_sim_view_text(sim, &actual);
    if (!parsed) return not_of_that_form(sim, expected, "orders[0]=5 orders[1]=3");
    if (found && strcmp(actual_text, wanted_text) == 0) return NULL; /* of a group that is not there nothing holds */
    return report(sim, described(sim, "committed offsets of group %s", group ? group : "(NULL)"),
                  found ? actual_text : sim->detail, wanted_text);
}

static void append_bytes(ks_buffer *out, kafka_bytes bytes) {
    if (bytes.data)
        ks_buffer_append(out, bytes.data, bytes.size);
    else
        ks_buffer_text(out, "(null)");
}

const char *ksim_check_records(ksim *sim, const char *topic, int32_t partition, const char *expected) {
    const char *problem = no_simulator(sim);
    if (problem) return problem;
    if (expected == NULL) return not_of_that_form(sim, expected, "a b c");
    bool with_keys = strchr(expected, '=') != NULL;
    size_t count;
    const ksim_record *records = ksim_records(sim, topic, partition, &count);
    ks_buffer actual = { 0 };
    ks_buffer_text(&actual, "");
    for (size_t i = 0; i < count; i++) {
        if (i) ks_buffer_text(&actual, " ");
        if (with_keys) append_bytes(&actual, records[i].key);
        if (with_keys) ks_buffer_text(&actual, "=");
        append_bytes(&actual, records[i].value);
    }
    const char *text = ks_sim_view_text(sim, &actual);
    if (records && strcmp(text, expected) == 0) return NULL;
    const char *what = ks_arena_printf(ks_sim_view(sim), "records of %s[%d]", topic ? topic : "(NULL)", partition).data;
    return report(sim, what, records ? text : sim->detail, expected);
}

const char *ksim_check_offset(ksim *sim, const char *what, int64_t actual, int64_t expected) {
    const char *problem = no_simulator(sim);
    if (problem || actual == expected) return problem;
    char is[32], wanted[32];
    snprintf(is, sizeof is, "%lld", (long long)actual);
    snprintf(wanted, sizeof wanted, "%lld", (long long)expected);
    return report(sim, what ? what : "offset", is, wanted);
}

const char *ksim_check_lag(ksim *sim, const char *group, const char *topic, int64_t expected) {
    const char *problem = no_simulator(sim);
    if (problem) return problem;
    int64_t lag = ksim_lag(sim, group, topic);
    const char *what = ks_arena_printf(ks_sim_view(sim), "lag of group %s%s%s", group ? group : "(NULL)",
                                       topic ? " in " : "", topic ? topic : "")
                           .data;
    if (lag < 0 && expected >= 0) {
        char wanted[32];
        snprintf(wanted, sizeof wanted, "%lld", (long long)expected);
        return report(sim, what, sim->detail, wanted);
    }
    return ksim_check_offset(sim, what, lag, expected);
}

const char *ksim_check_ok(ksim *sim, const kafka_address *address, const char *what, kafka_error error) {
    const char *problem = no_simulator(sim);
    if (problem || error == KAFKA_OK) return problem;
    const char *detail = address ? kafka_error_detail(address) : sim->detail;
    const char *is = ks_arena_printf(ks_sim_view(sim), "%s (%s)%s%s", kafka_error_name(error), kafka_error_text(error),
                                     *detail ? ": " : "", detail)
                         .data;
    return report(sim, what ? what : "call", is, "KAFKA_OK");
}

const char *ksim_check_ownership_history(ksim *sim, const char *group, const char *expected) {
    const char *problem = no_simulator(sim);
    if (problem) return problem;
    if (expected == NULL) return not_of_that_form(sim, expected, "+c1=orders[0,1] -c1=orders[0,1]");
    const char *actual = ks_sim_joined_history(sim, group ? group : "");
    bool known = *actual != '\0' || (group != NULL && ksim_group_find(sim, group) != NULL);
    if (known && strcmp(actual, expected) == 0) return NULL;
    return report(sim, described(sim, "who gained (+) and gave up (-) what in group %s", group ? group : "(NULL)"),
                  known ? actual : "there is no such group, and there was none", expected);
}
