/* SPDX-License-Identifier: Apache-2.0
 *
 * What the commands so far have named, and whether the next one can be meant: does that topic exist, is that consumer running, is
 * that a value which Kafka allows? A whole file is held against it before anything runs; a session holds each command against it.
 * What only the cluster can know (is the group empty?) is answered by the cluster when the command runs.
 */
#ifndef KS_SCENARIO_WORLD_H
#define KS_SCENARIO_WORLD_H

#include "sim/base/hash.h"
#include "sim/broker/config.h"
#include "sim/scenario/command.h"

typedef enum ks_known_kind { KS_KNOWN_TOPIC, KS_KNOWN_CONSUMER, KS_KNOWN_PRODUCER, KS_KNOWN_GROUP, KS_KNOWN_RULE } ks_known_kind;
/* A producer runs from its declaration on. */
typedef enum ks_client_state { KS_CLIENT_DECLARED, KS_CLIENT_RUNNING, KS_CLIENT_PAUSED, KS_CLIENT_CRASHED, KS_CLIENT_LEFT } ks_client_state;

typedef struct ks_known {
    ks_known_kind kind;
    ks_string name, key;     /* key: the kind's letter before the name */
    int32_t partitions;      /* of a topic */
    bool gone;               /* a topic that was deleted, a rule that was removed */
    bool written;            /* a topic something was produced to */
    bool holds;              /* a rule that holds messages */
    bool joined;             /* a group that a consumer has joined */
    ks_client_state state;   /* of a consumer or producer */
    ks_string group;         /* of a consumer */
    int32_t line;            /* of its declaration; 0: the producer that is there without saying so */
    struct ks_known *next;   /* in order of declaration, all kinds */
    UT_hash_handle hh;
} ks_known;

typedef struct ks_world {
    ks_arena *arena;         /* borrowed */
    const char *folder;      /* where relative file names begin */
    bool begun;              /* a command was taken: `cluster` comes too late */
    int32_t brokers;
    bool given[KS_SETTING_COUNT];
    int64_t settings[KS_SETTING_COUNT]; /* of the brokers */
    ks_known *names, *first, **last;
} ks_world;

void ks_world_init(ks_world *world, ks_arena *arena, const char *folder);
void ks_world_deinit(ks_world *world);
/* Takes the command as done. False: it cannot be meant; `problem` says why and what would be right, `*column` where; the world is as
 * it was. What it keeps of `command` are texts, which must outlive it. O(its size), and of all names for a mistake. */
bool ks_world_take(ks_world *world, const ks_command_line *command, int32_t *column, char *problem, size_t size);

ks_known *ks_known_find(const ks_world *world, ks_known_kind kind, ks_string name); /* NULL: none, or gone */

/* ---- for the files that check (check.c, check_network.c, check_consumer.c, check_expect.c) ---- */

typedef struct ks_check {
    ks_world *world;
    const ks_command_line *command;
    int32_t *column;
    char *problem;
    size_t size;
} ks_check;

/* Says what is wrong, at a column; returns false. */
bool ks_check_fail(const ks_check *check, int32_t column, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* The thing of that name; NULL after saying that there is none, with the nearest. */
ks_known *ks_check_known(const ks_check *check, ks_known_kind kind, const ks_word *word, ks_string name);
/* `word` is one of a NULL-ended list; false after saying "what is one of a, b, c". */
bool ks_check_choice(const ks_check *check, const ks_word *word, const char *what, const char *const *choices);
bool ks_check_int(const ks_check *check, const ks_word *word, const char *what, int64_t least, int64_t most, int64_t *value);
bool ks_check_duration(const ks_check *check, const ks_word *word, const char *what);
/* 1 to `most` letters, digits, '.', '_', '-'. */
bool ks_check_name(const ks_check *check, const ks_word *word, const char *what, size_t most);
/* Kafka's name of a request. */
bool ks_check_api(const ks_check *check, const ks_word *word);
/* "orders/2"; `partition` NULL: "orders" is fine as well. */
bool ks_check_place(const ks_check *check, const ks_word *word, ks_known **topic, int32_t *partition);
/* "orders[0,2-4] users[1]" or "none": all of it is there. */
bool ks_check_places(const ks_check *check, const ks_word *word);
/* The name of one of Kafka's errors, or of ours when `ours`; "NONE" when `none`. */
bool ks_check_error(const ks_check *check, const ks_word *word, bool ours, bool none);

enum { KS_CLIENT_NAME_MAX = 100 };
/* Takes note of something new. */
ks_known *ks_check_add(const ks_check *check, ks_known_kind kind, ks_string name);
bool ks_check_broker(const ks_check *check, const ks_word *word);
/* A latency is more than nothing. */
bool ks_check_takes_time(const ks_check *check, const ks_word *word);

/* Whole commands. */
bool ks_check_link(const ks_check *check);
bool ks_check_rule(const ks_check *check);
bool ks_check_rule_change(const ks_check *check);
bool ks_check_consumer(const ks_check *check);
bool ks_check_expect(const ks_check *check);
bool ks_check_until(const ks_check *check);

/* Kafka's or our code of that name; false: none. */
bool ks_error_of_name(const char *name, kafka_error *error);
/* Kafka's words for the states of a group: NULL-ended. */
extern const char *const ks_group_states[];

#endif
