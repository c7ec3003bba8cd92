/* SPDX-License-Identifier: Apache-2.0
 *
 * Any text as a scenario: parsed, or refused with a sentence that names its place. What is accepted and small is run, as far as a few
 * ten thousand trace events: it comes to an end, leaves nothing behind, and a second run says the same. docs/fuzzing.md says how to
 * run it with libFuzzer.
 */
#include "sim/scenario/command.h"
#include "sim/scenario/scenario.h"

int fuzz_scenario(const uint8_t *data, size_t size);

enum { MOST_EVENTS = 20000, MOST_BYTES = 20000 };

/* Is it cheap to run? Waits are ended from outside; what is done at once must be little. */
static bool is_small(const ks_scenario *scenario) {
    int64_t brokers = 3, partitions = 0, messages = 0, clients = 0;
    if (scenario->commands.count > 80) return false;
    for (int32_t i = 0; i < scenario->commands.count; i++) {
        const ks_command_line *command = &scenario->commands.items[i];
        if (ks_pair_find(command, "from") != NULL) return false; /* no file of this machine is part of the input */
        for (int32_t p = 0; p < command->pair_count; p++) { /* timers of a millisecond: many events in the time that a request may take */
            int64_t n = 0;
            const char *name = command->pairs[p].name.text.data;
            bool timer = strstr(name, "backoff") != NULL || strstr(name, "wait") != NULL || strstr(name, "interval") != NULL || strstr(name, "timeout") != NULL || strstr(name, "latency") != NULL;
            if (timer && (ks_parse_int(command->pairs[p].value.text, &n) ? n < 10 : ks_parse_duration(command->pairs[p].value.text, &n) && n < 100000)) return false;
            if (strstr(name, "offsets.topic") != NULL || strstr(name, "num.partitions") != NULL || strstr(name, "capacity") != NULL) return false;
        }
        if (command->verb == KS_VERB_cluster) brokers = ks_pair_int(command, "brokers", 3);
        if (command->verb == KS_VERB_topic) partitions += ks_pair_int(command, "partitions", 1);
        if (command->verb == KS_VERB_add_partitions) {
            int64_t n = 0;
            ks_parse_int(command->words[1].text, &n);
            partitions += n;
        }
        if (command->verb == KS_VERB_produce) messages += ks_pair_find(command, "every") != NULL ? 1 : ks_pair_int(command, "count", 1);
        if (command->verb == KS_VERB_consumer || command->verb == KS_VERB_producer) clients++;
        if (command->verb == KS_VERB_delay) return false;
    }
    return brokers <= 5 && partitions <= 100 && messages <= 2000 && clients <= 12;
}

typedef struct patience { volatile sig_atomic_t over; int32_t events; uint64_t hash; } patience;

static void on_event(void *context, const ks_event *event) {
    patience *p = context;
    p->hash = (p->hash ^ (uint64_t)event->time ^ event->cause << 40) * UINT64_C(0x100000001b3);
    if (++p->events >= MOST_EVENTS) p->over = 1;
}

static uint64_t run(const ks_scenario *scenario, const char *name) {
    patience p = { 0 };
    ks_scenario_outcome outcome;
    ks_subscriber subscriber = { .event = on_event, .context = &p };
    ks_scenario_run(scenario, &(ks_scenario_options){ .subscriber = &subscriber, .interrupted = &p.over }, &outcome);
    ks_assert(outcome.report != NULL && outcome.rewritten != NULL);
    bool complained = outcome.failed > 0 || outcome.wrong || outcome.stuck;
    ks_assert(complained == (outcome.report[0] != '\0'));
    ks_assert(!complained || strncmp(outcome.report, name, strlen(name)) == 0);
    ks_scenario_outcome_deinit(&outcome);
    return p.hash;
}

int fuzz_scenario(const uint8_t *data, size_t size) {
    static const char name[] = "fuzz.ksim";
    char problem[1024] = "";
    ks_scenario *scenario = ks_scenario_parse((const char *)data, size, name, problem, sizeof problem);
    if (scenario == NULL) {
        ks_assert(strncmp(problem, name, sizeof name - 1) == 0 && strlen(problem) > sizeof name);
        for (const char *at = problem; *at != 0; at++) ks_assert(((uint8_t)*at >= 0x20 || *at == '\n') && *at != 0x7f); /* it goes to a terminal */
        return 0;
    }
    if (size <= MOST_BYTES && is_small(scenario)) {
        uint64_t first = run(scenario, name);
        ks_assert(run(scenario, name) == first);
    }
    ks_scenario_free(scenario);
    return 0;
}

#ifdef KS_LIBFUZZER
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) { return fuzz_scenario(data, size); }
#endif
