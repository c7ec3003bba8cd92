/* SPDX-License-Identifier: Apache-2.0
 *
 * The cluster as a few lines of text: brokers and client processes, and for each group what it reads, who owns what, how far it is.
 * The stepper draws them, the prompt prints them. The lines are the same ones all through a run, so that two of them can be
 * compared line by line.
 */
#ifndef KS_CLI_PICTURE_H
#define KS_CLI_PICTURE_H

#include "sim/explain/fold.h"

typedef struct ks_picture_line {
    size_t start, size;   /* of its text */
    bool heading;
    int32_t client;       /* whose colour the piece has: an index of the fold's clients; -1: none */
    size_t from, to;      /* the piece: bytes of the line */
} ks_picture_line;

typedef struct ks_picture {
    const ks_fold *fold;
    KS_VEC(ks_string) topics;
    int32_t *topic_of;    /* of each partition: index of its topic */
    bool *reads;          /* group x topic: it is read by the group somewhere in the run */
    int name_columns;     /* of the widest partition */
    ks_buffer text;
    KS_VEC(ks_picture_line) lines;
} ks_picture;

void ks_picture_init(ks_picture *picture, const ks_fold *fold); /* kept: the fold outlives it. O(events * topics), mostly O(events) */
void ks_picture_deinit(ks_picture *picture);
/* The state where the fold stands. O(groups * partitions) */
void ks_picture_draw(ks_picture *picture, int columns);
const char *ks_picture_text(const ks_picture *picture, int32_t line);

#endif
