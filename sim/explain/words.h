/* SPDX-License-Identifier: Apache-2.0
 *
 * How sentences are made. words.c has a clause for every kind of event; words_step.c (with words_telling.h) puts the clauses of a step
 * in order, and makes one sentence of what belongs together (thirty partitions committed are one sentence).
 */
#ifndef KS_WORDS_H
#define KS_WORDS_H

#include "sim/explain/story_internal.h"
#include "sim/protocol/events.h"

typedef struct ks_speaker {
    const ks_story *story;
    ks_buffer *out;
    int32_t at; /* index of the event of which it speaks, for ks_words_member */
} ks_speaker;

/* Where in the sentence of a step a kind of event has its place. */
typedef enum ks_place {
    KS_PLACE_NONE, /* has nothing to say */
    KS_PLACE_COMMAND,
    KS_PLACE_CLUSTER,
    KS_PLACE_LEADER,    /* many partitions change their leader at once */
    KS_PLACE_COORDINATOR, /* and with them the coordinator of groups */
    KS_PLACE_MEMBER,    /* who came, went, was fenced */
    KS_PLACE_REBALANCE, /* that one begins */
    KS_PLACE_JOINED,    /* that the joining is over */
    KS_PLACE_TARGET,    /* of a consumer group: what everybody should have */
    KS_PLACE_RECONCILED,
    KS_PLACE_STATE,     /* the states that the group went through */
    KS_PLACE_HELD,      /* a join that waits for others */
    KS_PLACE_STABLE,    /* who has what */
    KS_PLACE_SYNC_HELD,
    KS_PLACE_COMMITTED,
    KS_PLACE_REFUSED,
    KS_PLACE_CLIENT,    /* what a client gives up and takes up */
    KS_PLACE_POSITION,
    KS_PLACE_APPENDED,
    KS_PLACE_DELIVERED,
    KS_PLACE_COUNT
} ks_place;

ks_place ks_words_place(const ks_struct *kind);

/* %s a ks_string from outside, %m a member id as its client, %w a member id or else the client id after it, %d an int64_t,
 * %t a duration in ns (int64_t), %c text of ours. */
void ks_tell(const ks_speaker *s, const char *format, ...);
/* A reason from the lists in sim/protocol/events, in words; `member`: of whom it is said, null: nobody in particular. */
void ks_tell_reason(const ks_speaker *s, ks_string reason, ks_string member);
/* Is it the reason of a JoinGroup that only uses the id it was handed? That says nothing. */
bool ks_words_is_id_reason(ks_string client_reason);
/* Who had what paused, as one calls it when it comes again (or at the end of the run). */
ks_string ks_words_former_owner(const ks_story *story, const ks_pause *pause);
/* "orders[0]" */
void ks_tell_partition(const ks_speaker *s, ks_string topic, int32_t partition);

enum { KS_WORDS_NAMED = 12 }; /* of a long list; the rest is counted */
/* "orders[0] at 5, orders[1] at 7" of a commit of `count` partitions, `listed` of which are there; *named: so many of the list stand
 * before. Returns how many are not named. */
int32_t ks_tell_offsets(const ks_speaker *s, ks_string topic, const ks_partition_offset *list, int32_t listed, int32_t count, int32_t *named);

#endif
