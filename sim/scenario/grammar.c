/* SPDX-License-Identifier: Apache-2.0
 * One line of the language: cut into words and pairs, and held against the table of verbs.
 */
#include "sim/scenario/command.h"
#include "sim/scenario/scenario.h"

#include <stdarg.h>
#include <stdio.h>

typedef struct verb_row {
    const char *name;
    int least, most;
    const char *pairs;
    bool configs;
} verb_row;
static const verb_row verbs[] = {
#define VERB(id, name, least, most, pairs, configs) { name, least, most, pairs, configs },
#include "sim/scenario/verbs.def"
#undef VERB
};
_Static_assert(sizeof verbs / sizeof *verbs == KS_VERB_COUNT, "one row a verb");

static const char *const verb_names[] = {
#define VERB(id, name, least, most, pairs, configs) name,
#include "sim/scenario/verbs.def"
#undef VERB
    NULL
};

const char *ks_verb_name(ks_verb verb) { return verbs[verb].name; }
const char *const *ks_scenario_words(void) { return verb_names; }

typedef struct cursor {
    ks_arena *arena;
    ks_string line;
    int32_t at; /* from 0 */
    int32_t *column;
    char *problem;
    size_t problem_size;
} cursor;

static bool fail(cursor *c, int32_t at, const char *format, ...) __attribute__((format(printf, 3, 4)));
static bool fail(cursor *c, int32_t at, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(c->problem, c->problem_size, format, arguments);
    va_end(arguments);
    *c->column = at + 1;
    return false;
}

/* Levenshtein's distance, for "did you mean"; words are short. */
static int32_t distance(ks_string a, const char *b) {
    int32_t row[64], n = (int32_t)strlen(b);
    if (n >= 64 || a.size >= 64) return INT32_MAX;
    for (int32_t j = 0; j <= n; j++) row[j] = j;
    for (int32_t i = 1; i <= a.size; i++) {
        int32_t diagonal = row[0];
        row[0] = i;
        for (int32_t j = 1; j <= n; j++) {
            int32_t cost = diagonal + (a.data[i - 1] != b[j - 1]);
            diagonal = row[j];
            if (row[j] + 1 < cost) cost = row[j] + 1;
            if (row[j - 1] + 1 < cost) cost = row[j - 1] + 1;
            row[j] = cost;
        }
    }
    return row[n];
}

const char *ks_scenario_nearest(ks_string word, const char *const *words) {
    const char *nearest = NULL;
    int32_t best = word.size / 2 + 1;
    for (; *words != NULL; words++) {
        int32_t d = distance(word, *words);
        if (d >= best) continue;
        best = d;
        nearest = *words;
    }
    return nearest;
}

static bool blank(char ch) { return ch == ' ' || ch == '\t' || ch == '\r'; }

static int hex(char ch) { return ch >= '0' && ch <= '9' ? ch - '0' : ch >= 'a' && ch <= 'f' ? ch - 'a' + 10 : ch >= 'A' && ch <= 'F' ? ch - 'A' + 10 : -1; }

/* A quoted piece: c->at stands on the opening quote. */
static bool quoted(cursor *c, ks_buffer *out) {
    int32_t open = c->at++;
    for (; c->at < c->line.size && c->line.data[c->at] != '"'; c->at++) {
        char ch = c->line.data[c->at];
        if (ch != '\\') {
            ks_buffer_append(out, &ch, 1);
            continue;
        }
        char next = c->at + 1 < c->line.size ? c->line.data[++c->at] : '\0';
        if (next == '"' || next == '\\') ks_buffer_append(out, &next, 1);
        else if (next == 'n') ks_buffer_append(out, "\n", 1);
        else if (next == 't') ks_buffer_append(out, "\t", 1);
        else if (next == 'x' && c->at + 2 < c->line.size && hex(c->line.data[c->at + 1]) >= 0 && hex(c->line.data[c->at + 2]) >= 0) {
            char byte = (char)(hex(c->line.data[c->at + 1]) << 4 | hex(c->line.data[c->at + 2]));
            if (byte == '\0') return fail(c, c->at - 1, "a text cannot hold a zero byte");
            ks_buffer_append(out, &byte, 1);
            c->at += 2;
        } else return fail(c, c->at - 1, "after a backslash comes one of \\ \" n t xHH");
    }
    if (c->at >= c->line.size) return fail(c, open, "this quote is never closed");
    c->at++;
    return true;
}

/* A run of plain and quoted pieces up to a blank, or (in a name) up to '='. */
static bool piece(cursor *c, bool name, ks_word *word, bool *was_quoted) {
    ks_buffer text = { 0 };
    word->column = c->at + 1;
    *was_quoted = false;
    bool fine = true;
    while (fine && c->at < c->line.size && !blank(c->line.data[c->at]) && c->line.data[c->at] != '#') {
        char ch = c->line.data[c->at];
        if (name && ch == '=') break;
        if (ch == '"') {
            *was_quoted = true;
            fine = quoted(c, &text);
            continue;
        }
        if ((unsigned char)ch < 0x20 || ch == 0x7F) {
            fine = fail(c, c->at, "a control character (byte 0x%02X) may stand in quotes only, as \\x%02X", (unsigned char)ch, (unsigned char)ch);
            break;
        }
        ks_buffer_append(&text, &ch, 1);
        c->at++;
    }
    word->text = ks_arena_string(c->arena, (ks_string){ (const char *)text.data, (int32_t)text.size });
    if (text.size == 0) word->text = ks_arena_string(c->arena, KS_LITERAL(""));
    ks_buffer_deinit(&text);
    return fine;
}

/* ---- values ---- */

bool ks_parse_int(ks_string text, int64_t *value) {
    int64_t n = 0;
    bool negative = text.size > 0 && text.data[0] == '-';
    if (text.size <= negative) return false;
    for (int32_t i = negative; i < text.size; i++) {
        if (text.data[i] < '0' || text.data[i] > '9' || n > (INT64_MAX - 9) / 10) return false;
        n = n * 10 + (text.data[i] - '0');
    }
    *value = negative ? -n : n;
    return true;
}

static bool scaled(ks_string text, const char *const *units, const int64_t *factors, int64_t *value) {
    int32_t digits = 0;
    while (digits < text.size && text.data[digits] >= '0' && text.data[digits] <= '9') digits++;
    int64_t n;
    if (!ks_parse_int((ks_string){ text.data, digits }, &n)) return false;
    for (int i = 0; units[i] != NULL; i++) {
        if (!ks_string_equal((ks_string){ text.data + digits, text.size - digits }, ks_str(units[i]))) continue;
        if (n > INT64_MAX / factors[i]) return false;
        *value = n * factors[i];
        return true;
    }
    return false;
}

bool ks_parse_duration(ks_string text, int64_t *ns) {
    static const char *const units[] = { "us", "ms", "s", "m", "h", "d", NULL };
    static const int64_t factors[] = { 1000, 1000000, 1000000000, 60000000000, 3600000000000, 86400000000000 };
    /* A year or more of virtual time is a slip of the pen, and would overflow somewhere later. */
    return scaled(text, units, factors, ns) && *ns <= INT64_C(366) * 86400000000000;
}

bool ks_parse_size(ks_string text, int64_t *bytes) {
    static const char *const units[] = { "", "B", "KiB", "MiB", "GiB", NULL };
    static const int64_t factors[] = { 1, 1, 1024, 1048576, 1073741824 };
    return scaled(text, units, factors, bytes);
}

bool ks_parse_ratio(ks_string text, int64_t *chance, int64_t *of) {
    for (int32_t i = 0; i < text.size; i++) {
        if (text.data[i] != '/') continue;
        return ks_parse_int((ks_string){ text.data, i }, chance) && ks_parse_int((ks_string){ text.data + i + 1, text.size - i - 1 }, of) &&
               *chance >= 0 && *of > 0 && *chance <= *of && *of <= UINT32_MAX;
    }
    return false;
}

/* Is `value` one of the words between the braces? */
static bool chosen(const char *choices, ks_string value) {
    for (const char *at = choices + 1; *at != '\0' && *at != ' ';) {
        size_t size = strcspn(at, "|}");
        if (value.size == (int32_t)size && memcmp(value.data, at, size) == 0) return true;
        at += size;
        if (*at == '}') return false;
        at++;
    }
    return false;
}

static bool check_value(cursor *c, const char *type, const ks_pair *pair) {
    int64_t number, of;
    int32_t at = pair->value.column - 1;
    ks_string value = pair->value.text;
    switch (*type) {
    case 'i':
        if (ks_parse_int(value, &number) && number >= 0) return true;
        return fail(c, at, "%s is a whole number, not '%s'", pair->name.text.data, value.data);
    case 'd':
        if (ks_parse_duration(value, &number)) return true;
        return fail(c, at, "%s is a duration such as 500us, 10ms, 3s, 5m, 2h, 7d, not '%s'", pair->name.text.data, value.data);
    case 's':
        if (ks_parse_size(value, &number)) return true;
        return fail(c, at, "%s is a size such as 100, 64KiB, 1MiB, not '%s'", pair->name.text.data, value.data);
    case 'r':
        if (ks_parse_ratio(value, &number, &of)) return true;
        return fail(c, at, "%s is a ratio such as 1/3, not '%s'", pair->name.text.data, value.data);
    case '{': {
        if (chosen(type, value)) return true;
        int size = (int)strcspn(type, "}") - 1;
        return fail(c, at, "%s is one of %.*s, not '%s'", pair->name.text.data, size, type + 1, value.data);
    }
    default: return true;
    }
}

static bool check_pair(cursor *c, const verb_row *row, const ks_pair *pair) {
    ks_string name = pair->name.text;
    if (strcmp(row->pairs, "*") == 0) return true;
    const char *known[64];
    char names[1024];
    int count = 0;
    size_t used = 0;
    for (const char *at = row->pairs; *at != '\0';) {
        size_t length = strcspn(at, ":");
        if (name.size == (int32_t)length && memcmp(name.data, at, length) == 0) return check_value(c, at + length + 1, pair);
        if (count < 63 && used + length + 1 < sizeof names) {
            memcpy(names + used, at, length);
            names[used + length] = '\0';
            known[count++] = names + used;
            used += length + 1;
        }
        at += strcspn(at, " ");
        while (*at == ' ') at++;
    }
    known[count] = NULL;
    if (row->configs && memchr(name.data, '.', (size_t)name.size) != NULL) return true; /* a config of Kafka's: known to who runs it */
    const char *nearest = ks_scenario_nearest(name, known);
    return fail(c, pair->name.column - 1, "'%s' takes no '%s='%s%s%s%s", row->name, name.data, nearest ? "; did you mean '" : "", nearest ? nearest : "",
                nearest ? "='?" : "", row->configs && nearest == NULL ? "; Kafka's configs have a dot in their names" : "");
}

bool ks_command_parse(ks_arena *arena, ks_string line, ks_command_line *command, bool *verb_found, int32_t *column, char *problem, size_t problem_size) {
    cursor c = { arena, line, 0, column, problem, problem_size };
    KS_VEC(ks_word) words = { 0 };
    KS_VEC(ks_pair) pairs = { 0 };
    const verb_row *row = NULL;
    bool fine = true;
    *verb_found = false;
    while (fine) {
        while (c.at < line.size && blank(line.data[c.at])) c.at++;
        if (c.at >= line.size || line.data[c.at] == '#') break;
        ks_word word;
        bool was_quoted;
        int32_t start = c.at;
        if (!(fine = piece(&c, true, &word, &was_quoted))) break;
        if (row == NULL) {
            for (int v = 0; v < KS_VERB_COUNT; v++)
                if (ks_string_equal(word.text, ks_str(verbs[v].name))) row = &verbs[v], command->verb = (ks_verb)v;
            if (row == NULL) {
                const char *nearest = ks_scenario_nearest(word.text, verb_names);
                fine = fail(&c, start, "'%s' is not a command%s%s%s", word.text.data, nearest ? "; did you mean '" : "", nearest ? nearest : "", nearest ? "'?" : "");
            }
        } else if (c.at < line.size && line.data[c.at] == '=' && !was_quoted) {
            ks_pair pair = { .name = word };
            c.at++;
            fine = piece(&c, false, &pair.value, &was_quoted);
            for (int32_t i = 0; fine && i < pairs.count; i++)
                if (strcmp(row->pairs, "*") != 0 && ks_string_equal(pairs.items[i].name.text, word.text)) fine = fail(&c, start, "'%s=' stands here twice", word.text.data);
            fine = fine && (pair.value.text.size > 0 || was_quoted || strcmp(row->pairs, "*") == 0 || fail(&c, c.at, "'%s=' needs a value", word.text.data));
            fine = fine && check_pair(&c, row, &pair);
            if (fine) KS_PUSH(pairs, pair);
        } else KS_PUSH(words, word);
    }
    if (fine && row != NULL && words.count < row->least)
        fine = fail(&c, line.size, "'%s' needs %s%d word%s after it, here %s %d", row->name, row->most != row->least ? "at least " : "", row->least, row->least == 1 ? "" : "s", words.count == 1 ? "is" : "are", words.count);
    if (fine && row != NULL && row->most >= 0 && words.count > row->most)
        fine = fail(&c, words.items[row->most].column - 1, "'%s' takes no more than %d word%s; what is '%s'?%s", row->name, row->most, row->most == 1 ? "" : "s", words.items[row->most].text.data,
                    command->verb == KS_VERB_say || command->verb == KS_VERB_produce ? " A text with blanks stands in double quotes" : "");
    if (fine && row != NULL) {
        *verb_found = true;
        command->word_count = words.count;
        command->pair_count = pairs.count;
        command->words = ks_arena_alloc(arena, (size_t)(words.count + 1) * sizeof *words.items);
        command->pairs = ks_arena_alloc(arena, (size_t)(pairs.count + 1) * sizeof *pairs.items);
        if (words.count > 0) memcpy(command->words, words.items, (size_t)words.count * sizeof *words.items);
        if (pairs.count > 0) memcpy(command->pairs, pairs.items, (size_t)pairs.count * sizeof *pairs.items);
        command->expected = KS_NULL_STRING;
    }
    ks_free(words.items);
    ks_free(pairs.items);
    return fine;
}

const ks_pair *ks_pair_find(const ks_command_line *command, const char *name) {
    for (int32_t i = 0; i < command->pair_count; i++)
        if (ks_string_equal(command->pairs[i].name.text, ks_str(name))) return &command->pairs[i];
    return NULL;
}

bool ks_token_next(const ks_command_line *command, ks_token_place *place, ks_token *token) {
    const ks_word *word = place->words < command->word_count ? &command->words[place->words] : NULL;
    const ks_pair *pair = place->pairs < command->pair_count ? &command->pairs[place->pairs] : NULL;
    if (word == NULL && pair == NULL) return false;
    bool plain = pair == NULL || (word != NULL && word->column < pair->name.column);
    *token = plain ? (ks_token){ word, NULL } : (ks_token){ &pair->name, &pair->value };
    plain ? place->words++ : place->pairs++;
    return true;
}

int64_t ks_pair_int(const ks_command_line *command, const char *name, int64_t otherwise) {
    const ks_pair *pair = ks_pair_find(command, name);
    int64_t value;
    return pair != NULL && ks_parse_int(pair->value.text, &value) ? value : otherwise;
}

int64_t ks_pair_duration(const ks_command_line *command, const char *name, int64_t otherwise) {
    const ks_pair *pair = ks_pair_find(command, name);
    int64_t value;
    return pair != NULL && ks_parse_duration(pair->value.text, &value) ? value : otherwise;
}

const char *ks_pair_text(const ks_command_line *command, const char *name, const char *otherwise) {
    const ks_pair *pair = ks_pair_find(command, name);
    return pair != NULL ? pair->value.text.data : otherwise;
}
