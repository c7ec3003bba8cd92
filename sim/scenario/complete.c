/* SPDX-License-Identifier: Apache-2.0
 * Completion: which words may stand where a line ends. What a command takes as name=value is read off the table of verbs; what its
 * words mean stands here, a letter for each.
 */
#include "sim/scenario/sender.h"

#include "sim/broker/config.h"
#include "sim/protocol/messages.h"

#include <stdio.h>

typedef struct verb_row { const char *name, *pairs; } verb_row;

/* T topic, P topic/partition, C consumer, G group, R rule, N node, B broker, A api, X what a rule does; (a|b) one of these; the last
 * one counts for all words after it, '.' for none. */
static const char *const words_of[KS_VERB_COUNT] = {
    [KS_VERB_produce] = "T.", [KS_VERB_join] = "C", [KS_VERB_leave] = "C", [KS_VERB_crash] = "C", [KS_VERB_restart] = "C", [KS_VERB_pause] = "C",
    [KS_VERB_resume] = "C", [KS_VERB_slow] = "C.", [KS_VERB_commit] = "C.", [KS_VERB_stop_broker] = "B.", [KS_VERB_start_broker] = "B.",
    [KS_VERB_cut] = "NN.", [KS_VERB_heal] = "NN.", [KS_VERB_reset] = "NN.", [KS_VERB_delay] = "NN.",
    [KS_VERB_rule] = ".(when)A(then)X.", [KS_VERB_release] = "R.", [KS_VERB_unrule] = "R.", [KS_VERB_add_partitions] = "T.",
    [KS_VERB_alter_topic] = "T.", [KS_VERB_delete_topic] = "T.", [KS_VERB_delete_group] = "G.", [KS_VERB_reset_offsets] = "GP.",
    [KS_VERB_delete_offsets] = "GP.", [KS_VERB_remove_member] = "GC.", [KS_VERB_move_coordinator] = "GB.", [KS_VERB_move_leader] = "PB.",
    [KS_VERB_views] = "G.", [KS_VERB_until] = "(stable|state|lag|rule|idle)U.", [KS_VERB_expect] = "(assignment|state|member|lag|committed|contents|nothing|read-twice|skipped|revoked|lost|holds|error|answer)E",
};
static const verb_row rows[] = {
#define VERB(id, name, least, most, pairs, configs) { name, pairs },
#include "sim/scenario/verbs.def"
#undef VERB
};

static const char *const java_configs[] = {
#define CONFIG(c_name, name, type, fallback, min, max) name,
#include "sim/client/java_configs.def"
#undef CONFIG
    NULL
};

typedef struct completion {
    ks_session *session;
    ks_string typed;       /* the beginning of the word that is completed */
    const char *first;     /* the command's first word after the verb; "" when there is none */
    void (*each)(void *context, const char *word);
    void *context;
} completion;

static void offer(const completion *c, const char *word, size_t size, const char *end) {
    char whole[400];
    if ((int32_t)size < c->typed.size || memcmp(word, c->typed.data, (size_t)c->typed.size) != 0) return;
    if (snprintf(whole, sizeof whole, "%.*s%s", (int)size, word, end) < (int)sizeof whole) c->each(c->context, whole);
}

static void offer_text(const completion *c, const char *word, const char *end) { offer(c, word, strlen(word), end); }

/* "a|b|c" up to one of `stop`. */
static void offer_choices(const completion *c, const char *choices, const char *stop) {
    while (*choices != '\0' && strchr(stop, *choices) == NULL) {
        size_t size = strcspn(choices, *stop == '}' ? "|}" : "|)");
        offer(c, choices, size, " ");
        choices += size;
        if (*choices == '|') choices++;
    }
}

/* ---- names of this session ---- */

static void offer_topics(const completion *c, bool partitions) {
    size_t count = 0;
    const ksim_topic *topics = c->session != NULL ? ksim_topics(c->session->sim, &count) : NULL;
    for (size_t i = 0; i < count; i++) {
        if (topics[i].internal) continue;
        if (!partitions || topics[i].partition_count > 100) offer_text(c, topics[i].name, partitions ? "/" : " ");
        else for (size_t p = 0; p < topics[i].partition_count; p++) {
            char name[300];
            snprintf(name, sizeof name, "%s/%zu", topics[i].name, p);
            offer_text(c, name, " ");
        }
    }
}

static void offer_consumers(const completion *c, const char *end) {
    for (const ks_actor *actor = c->session != NULL ? c->session->actors : NULL; actor != NULL; actor = actor->next) offer_text(c, actor->name.data, end);
}

static void offer_groups(const completion *c) {
    const ks_actor *first = c->session != NULL ? c->session->actors : NULL;
    for (const ks_actor *actor = first; actor != NULL; actor = actor->next) {
        const ks_actor *same = first;
        while (!ks_string_equal(same->group, actor->group)) same = same->next;
        if (same == actor) offer_text(c, actor->group.data, " ");
    }
}

static void offer_rules(const completion *c) {
    for (const ks_named_rule *rule = c->session != NULL ? c->session->rules : NULL; rule != NULL; rule = rule->next) offer_text(c, rule->name.data, " ");
}

static void offer_brokers(const completion *c, const char *before) {
    for (int32_t b = 1; b <= (c->session != NULL ? c->session->brokers : 3); b++) {
        char name[32];
        snprintf(name, sizeof name, "%s%d", before, b);
        offer_text(c, name, " ");
    }
}

static void offer_producers(const completion *c) {
    offer_text(c, "producer", " ");
    for (const ks_sender *sender = c->session != NULL ? c->session->senders : NULL; sender != NULL; sender = sender->next)
        if (!ks_string_equal(sender->name, KS_LITERAL("producer"))) offer_text(c, sender->name.data, " ");
}

static void offer_nodes(const completion *c) {
    size_t count = 0;
    const char *const *clients = c->session != NULL ? ksim_clients(c->session->sim, &count) : NULL;
    for (size_t i = 0; i < count; i++) offer_text(c, clients[i], " ");
    offer_brokers(c, "broker-");
}

/* ---- words, pairs and values ---- */

static void offer_apis(const completion *c) {
    for (int32_t i = 0; i < ks_api_count(); i++) offer_text(c, ks_api_at(i)->name, " ");
}

static void offer_expected(const completion *c) {
    const char *what = c->first;
    if (strcmp(what, "nothing") == 0) offer_text(c, "lost", " ");
    if (strcmp(what, "contents") == 0 || strcmp(what, "committed") == 0) offer_topics(c, true);
    if (strcmp(what, "revoked") == 0 || strcmp(what, "lost") == 0 || strcmp(what, "holds") == 0 || strcmp(what, "error") == 0 || strcmp(what, "answer") == 0) offer_consumers(c, " ");
    if (strcmp(what, "answer") == 0) offer_apis(c);
    else if (strcmp(what, "contents") != 0) offer_groups(c);
    if (strcmp(what, "member") == 0) offer_consumers(c, " ");
    if (strcmp(what, "assignment") == 0) offer_consumers(c, "=");
    if (strcmp(what, "state") == 0) offer_choices(c, "Stable|Empty|PreparingRebalance|CompletingRebalance|Dead|Assigning|Reconciling", "}");
}

static void offer_word(const completion *c, const char *kinds, int32_t position) {
    for (; position > 0 && kinds[*kinds == '(' ? strcspn(kinds, ")") + 1 : 1] != '\0'; position--) kinds += *kinds == '(' ? strcspn(kinds, ")") + 1 : 1;
    switch (*kinds) {
    case '(': offer_choices(c, kinds + 1, ")"); break;
    case 'T': offer_topics(c, false); break;
    case 'P': offer_topics(c, true); break;
    case 'C': offer_consumers(c, " "); break;
    case 'G': offer_groups(c); break;
    case 'R': offer_rules(c); break;
    case 'N': offer_nodes(c); break;
    case 'B': offer_brokers(c, ""); break;
    case 'A': offer_apis(c); break;
    case 'U': strcmp(c->first, "rule") == 0 ? offer_rules(c) : offer_groups(c); break;
    case 'E': offer_expected(c); break;
    case 'X':
        offer_choices(c, "delay|delay-answer|reset-before|reset-after|hold|hold-answer|count|pass", "}");
        for (int code = 1; code < 200; code++) {
            const char *name = kafka_error_name((kafka_error)code);
            if (c->typed.size > 0 && name != NULL && *name != '\0') offer_text(c, name, " ");
        }
        break;
    default: break;
    }
}

static void offer_pairs(const completion *c, ks_verb verb) {
    for (const char *at = rows[verb].pairs; *at != '\0' && *at != '*';) {
        offer(c, at, strcspn(at, ":"), "=");
        at += strcspn(at, " ");
        while (*at == ' ') at++;
    }
    if (verb == KS_VERB_cluster)
        for (int32_t i = 0; i < KS_SETTING_COUNT; i++) offer_text(c, ks_settings[i].name, "=");
    if (verb == KS_VERB_topic || verb == KS_VERB_alter_topic)
        for (int32_t i = 0; i < KS_TOPIC_CONFIG_COUNT; i++) offer_text(c, ks_topic_configs[i].name, "=");
    if (verb == KS_VERB_consumer)
        for (int32_t i = 0; java_configs[i] != NULL; i++) offer_text(c, java_configs[i], "=");
}

static void offer_values(const completion *c, ks_verb verb, ks_string name) {
    for (const char *at = rows[verb].pairs; *at != '\0' && *at != '*';) {
        size_t size = strcspn(at, ":");
        if (name.size == (int32_t)size && memcmp(name.data, at, size) == 0) {
            if (at[size + 1] == '{') offer_choices(c, at + size + 2, "}");
            break;
        }
        at += strcspn(at, " ");
        while (*at == ' ') at++;
    }
    if (ks_string_equal(name, KS_LITERAL("topics")) || ks_string_equal(name, KS_LITERAL("topic"))) offer_topics(c, false);
    if (ks_string_equal(name, KS_LITERAL("group"))) offer_groups(c);
    if (ks_string_equal(name, KS_LITERAL("by"))) offer_producers(c);
    if (verb == KS_VERB_rule && ks_string_equal(name, KS_LITERAL("client"))) offer_nodes(c);
    if (verb == KS_VERB_consumer && ks_string_equal(name, KS_LITERAL("assignor"))) offer_choices(c, "range|roundrobin|sticky|cooperative-sticky|uniform|rack-affinity", "}");
    if (verb == KS_VERB_consumer && ks_string_equal(name, KS_LITERAL("commit"))) offer_choices(c, "auto|each|every:|manual", "}");
    if (verb == KS_VERB_reset_offsets) offer_choices(c, "earliest|latest|current|shift:|time:|ago:", "}");
    if (verb == KS_VERB_topic || verb == KS_VERB_alter_topic || verb == KS_VERB_cluster) {
        int32_t t = ks_topic_config_find(name), s = ks_setting_find(name);
        const char *const *choices = verb != KS_VERB_cluster && t >= 0 ? ks_topic_configs[t].choices : verb == KS_VERB_cluster && s >= 0 ? ks_settings[s].choices : NULL;
        for (; choices != NULL && *choices != NULL; choices++) offer_text(c, *choices, " ");
    }
}

static bool blank(char ch) { return ch == ' ' || ch == '\t'; }

size_t ks_scenario_complete(ks_session *session, const char *line, size_t size, void (*each)(void *context, const char *word), void *context) {
    char first[64] = "";
    completion c = { .session = session, .first = first, .each = each, .context = context };
    int32_t words = 0, verb = -1;
    size_t at = 0, start = 0;
    for (;;) {
        while (at < size && blank(line[at])) at++;
        start = at;
        while (at < size && !blank(line[at])) {
            if (line[at] == '"' || line[at] == '#') return size; /* inside a quotation or a comment there is nothing to complete */
            at++;
        }
        if (at == size) break;
        if (words == 0) {
            for (int32_t v = 0; v < KS_VERB_COUNT; v++)
                if (strlen(rows[v].name) == at - start && memcmp(rows[v].name, line + start, at - start) == 0) verb = v;
            if (verb < 0) return size;
        }
        if (memchr(line + start, '=', at - start) != NULL) continue; /* pairs may stand anywhere and are no words */
        if (words == 1 && at - start < sizeof first) memcpy(first, line + start, at - start);
        words++;
    }
    const char *equals = memchr(line + start, '=', size - start);
    if (words > 0 && equals != NULL) {
        ks_string name = { line + start, (int32_t)(equals - line - (ptrdiff_t)start) };
        start = (size_t)(equals + 1 - line);
        for (size_t i = start; i < size; i++)
            if (line[i] == ',') start = i + 1;
        c.typed = (ks_string){ line + start, (int32_t)(size - start) };
        offer_values(&c, (ks_verb)verb, name);
        return start;
    }
    c.typed = (ks_string){ line + start, (int32_t)(size - start) };
    if (words == 0) {
        for (int32_t v = 0; v < KS_VERB_COUNT; v++) offer_text(&c, rows[v].name, " ");
        return start;
    }
    if (words_of[verb] != NULL) offer_word(&c, words_of[verb], words - 1);
    offer_pairs(&c, (ks_verb)verb);
    return start;
}
