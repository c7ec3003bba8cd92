/* SPDX-License-Identifier: Apache-2.0
 * What the files of sim/explain share about a story. */
#ifndef KS_STORY_INTERNAL_H
#define KS_STORY_INTERNAL_H

#include "sim/explain/story.h"

/* Does an event of this kind make its step part of the story (rather than of the protocol)? */
bool ks_words_matters(const ks_struct *kind);
bool ks_story_is_step_api(int16_t key);
/* A member of a group that begins to read behind records, because nothing was committed. */
bool ks_story_skips(const ks_recorded *event);

bool ks_filter_passes(const ks_story *story, int32_t step, const ks_filter *filter);
/* What an event is about, of one kind: calls `each` for every name (some may be null, come twice, or name something else). */
typedef enum ks_filter_by { KS_BY_NODE, KS_BY_GROUP } ks_filter_by;
void ks_filter_each_name(const ks_recorded *event, ks_filter_by by, void *context, void (*each)(void *context, ks_string name));

/* Which client a member id belongs to, from the requests that named it. */
void ks_story_learn_members(ks_story *story);
void ks_story_forget_members(ks_story *story);
/* The rebalances of every group, and whom a coordinator waits for. */
void ks_story_find_rebalances(ks_story *story);
/* What each rebalance cost each partition. After ks_story_find_rebalances. */
void ks_story_count_pauses(ks_story *story);
/* What the delivery brought again; NULL: nothing. O(log deliveries). */
const ks_again *ks_story_again(const ks_story *story, int32_t event);

/* Walks "orders[0,1] payments[2]": calls `each` for every partition. */
void ks_partitions_each(ks_string text, void (*each)(void *context, ks_string topic, int32_t partition), void *context);

#endif
