/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/scenario/mistakes.h"

#include "sim/base/hash.h"

#include <stdio.h>

struct ks_doubted { ks_string name; UT_hash_handle hh; };

void ks_mistakes_deinit(ks_mistakes *mistakes) {
    HASH_CLEAR(hh, mistakes->names);
    ks_buffer_deinit(&mistakes->text);
}

/* ---- the names on a line ---- */

static bool in_a_name(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-'; }

/* The next piece of the line that may be a name; what begins with a digit is a number or a duration. False: there is none. */
static bool next_name(ks_string line, int32_t *at, ks_string *name) {
    while (*at < line.size) {
        while (*at < line.size && !in_a_name(line.data[*at])) (*at)++;
        int32_t start = *at;
        while (*at < line.size && in_a_name(line.data[*at])) (*at)++;
        *name = (ks_string){ line.data + start, *at - start };
        if (name->size > 0 && (name->data[0] < '0' || name->data[0] > '9')) return true;
    }
    return false;
}

static bool is_doubted(const ks_mistakes *mistakes, ks_string name) {
    ks_doubted *found;
    KS_HASH_FIND_STRING(hh, mistakes->names, name, found);
    return found != NULL;
}

static void doubt(ks_mistakes *mistakes, ks_string name) {
    if (is_doubted(mistakes, name)) return;
    ks_doubted *one = ks_arena_alloc(mistakes->arena, sizeof *one);
    one->name = ks_arena_string(mistakes->arena, name);
    KS_HASH_ADD_STRING(hh, mistakes->names, name, one);
}

/* Commands that make nothing and change nothing: no later line depends on them. */
static bool only_asks(ks_string verb) {
    static const char *const verbs[] = { "expect", "until", "views", "say", "advance", NULL };
    for (int i = 0; verbs[i] != NULL; i++)
        if (ks_string_equal(verb, ks_str(verbs[i]))) return true;
    return false;
}

void ks_mistakes_add(ks_mistakes *mistakes, ks_string line, int32_t number, int32_t column, const char *why, bool sure) {
    ks_string verb = KS_NULL_STRING, name;
    int32_t at = 0;
    bool follows = mistakes->all_doubted;
    next_name(line, &at, &verb);
    for (int32_t from = at; !sure && !follows && next_name(line, &from, &name);) follows = is_doubted(mistakes, name);
    mistakes->count++;
    if ((sure || !follows) && mistakes->told < KS_MISTAKES_TOLD) {
        ks_buffer_printf(&mistakes->text, "%s:%d:%d: ", mistakes->name, number, column);
        ks_buffer_harmless(&mistakes->text, ks_str(why)); /* it quotes the file */
        ks_buffer_text(&mistakes->text, "\n");
        mistakes->told++;
    }
    if (only_asks(verb)) return;
    if (ks_string_equal(verb, KS_LITERAL("cluster"))) mistakes->all_doubted = true;
    while (next_name(line, &at, &name)) doubt(mistakes, name);
}

void ks_mistakes_tell(const ks_mistakes *mistakes, char *problem, size_t size) {
    const char *text = (const char *)mistakes->text.data;
    size_t used = 0;
    for (size_t at = 0; at < mistakes->text.size;) {
        size_t line = strcspn(text + at, "\n");
        if (used > 0 && used + 1 + line >= size) return;
        used += (size_t)snprintf(problem + used, size - used, "%s%.*s", used > 0 ? "\n" : "", (int)line, text + at);
        if (used >= size) return;
        at += line + 1;
    }
}
