/* SPDX-License-Identifier: Apache-2.0
 *
 * A scenario as data: the lines, cut into verbs, words and name=value pairs, each with its place, checked against the grammar's
 * tables (grammar.c). What needs a running cluster to be known (does that topic exist?) is not checked here.
 */
#ifndef KS_SCENARIO_COMMAND_H
#define KS_SCENARIO_COMMAND_H

#include "sim/base/base.h"

typedef enum ks_verb {
#define VERB(id, name, least, most, pairs, configs) KS_VERB_##id,
#include "sim/scenario/verbs.def"
#undef VERB
    KS_VERB_COUNT
} ks_verb;

typedef struct ks_word {
    ks_string text; /* NUL-terminated, in the scenario's arena */
    int32_t column; /* from 1 */
} ks_word;

typedef struct ks_pair {
    ks_word name, value;
} ks_pair;

typedef struct ks_command_line {
    ks_verb verb;
    int32_t line; /* from 1 */
    ks_word *words;
    int32_t word_count;
    ks_pair *pairs;
    int32_t pair_count;
    ks_string expected;    /* the expected output under it; null: none stands there */
    int32_t expected_line; /* of its first line; where it would be inserted when there is none */
    int32_t expected_end;  /* line after its last */
} ks_command_line;

struct ks_scenario {
    ks_arena *arena;
    ks_string name, text;
    const char *folder; /* of the file, "" or ending in a slash */
    KS_VEC(ks_command_line) commands;
    KS_VEC(const char *) files; /* that it reads, as often as it does; in `arena` */
};

typedef enum ks_value_type { KS_VALUE_TEXT, KS_VALUE_INT, KS_VALUE_DURATION, KS_VALUE_SIZE, KS_VALUE_CHOICE, KS_VALUE_RATIO } ks_value_type;

/* The pair of that name; NULL: it is not there. */
const ks_pair *ks_pair_find(const ks_command_line *command, const char *name);
/* Words and pairs in the order of the line, one after the other: `place` is zeroed first. */
typedef struct ks_token { const ks_word *word, *value; } ks_token; /* value NULL: a plain word */
typedef struct ks_token_place { int32_t words, pairs; } ks_token_place;
bool ks_token_next(const ks_command_line *command, ks_token_place *place, ks_token *token);
/* Values that the grammar has checked already. */
int64_t ks_pair_int(const ks_command_line *command, const char *name, int64_t otherwise);
int64_t ks_pair_duration(const ks_command_line *command, const char *name, int64_t otherwise); /* ns */
const char *ks_pair_text(const ks_command_line *command, const char *name, const char *otherwise);
bool ks_parse_duration(ks_string text, int64_t *ns); /* "500us", "10ms", "3s", "5m", "2h", "7d"; not negative */
bool ks_parse_int(ks_string text, int64_t *value);
bool ks_parse_size(ks_string text, int64_t *bytes); /* "100", "64KiB", "1MiB" */
bool ks_parse_ratio(ks_string text, int64_t *chance, int64_t *of); /* "1/3" */

/* One line. False: `problem` is "column N: ..." without the file's name and line. An empty line or comment gives `*verb_found`
 * false. */
bool ks_command_parse(ks_arena *arena, ks_string line, ks_command_line *command, bool *verb_found, int32_t *column, char *problem,
                      size_t problem_size);
/* The nearest of a NULL-ended list, or NULL. */
const char *ks_scenario_nearest(ks_string word, const char *const *words);
const char *ks_verb_name(ks_verb verb);

#endif
