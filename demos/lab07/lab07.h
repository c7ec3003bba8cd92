/* SPDX-License-Identifier: Apache-2.0
 *
 * Lab 07: what the eight steps share. Each step is a small program of its own; `ksim demo lab07` runs them all.
 */
#ifndef LAB07_H
#define LAB07_H

#include <kafkasim/ksim.h>

#include <stdio.h>

/* What the command line may say. */
typedef struct lab07_options {
    uint64_t seed;     /* --seed: another run of the same program */
    FILE *trace;       /* --trace: where every step's simulator writes what happened; NULL: nowhere */
    const char *input; /* step 8: --input FILE, else NULL */
    const char *key;   /* step 8: --key, a field of the input's lines; NULL: the whole line */
    int partitions, consumers; /* step 8; 0: 3 */
} lab07_options;

/* One function a step; each returns the exit status: 0, or 1 when something it checks did not hold. */
int lab07_step1(const lab07_options *options);
int lab07_step2(const lab07_options *options);
int lab07_step3(const lab07_options *options);
int lab07_step4(const lab07_options *options);
int lab07_step5(const lab07_options *options);
int lab07_step6(const lab07_options *options);
int lab07_step7(const lab07_options *options);
int lab07_step8(const lab07_options *options);

/* "Step N: title", underlined. */
void lab07_heading(int step, const char *title);
/* A cluster for a step: broker settings by Kafka's names may be NULL. Ends the program when that fails. */
ksim *lab07_cluster(const lab07_options *options, int brokers, const ksim_setting *settings);
/* Ends the program with one sentence unless `error` is KAFKA_OK: in a demo nothing may fail unseen. */
void lab07_must(kafka_address *address, const char *what, kafka_error error);
/* Virtual seconds since the cluster was made, e.g. "12.004 s". `text` has 32 bytes; returned. */
char *lab07_clock(ksim *sim, char text[32]);
/* The bytes as text on standard output; "(null)" for null. */
void lab07_print(kafka_bytes bytes);
/* How many requests of each kind reached the cluster in this step, and in how much virtual time. */
void lab07_beneath(ksim *sim);
/* Prints a word of a list behind the words before it, on a new line (indented by `indent`) where it would pass column 96. `column`:
 * where the list stands; advanced. */
void lab07_word(int *column, int indent, const char *word);
/* A sentence on lines of its own, indented and wrapped in the same way. */
void lab07_sentence(int indent, const char *text);
/* Writes `count` messages with the keys user-0 .. user-(keys-1) in turn and the values "event 0", "event 1", ... */
void lab07_write_events(ksim *sim, const char *topic, int count, int keys);

/* At the end of a step's file: makes it a program of its own. */
#ifdef LAB07_PROGRAM
#define LAB07_MAIN(step)                                                                                               \
    int main(void) { return step(&(lab07_options){ .seed = 7 }); }
#else
#define LAB07_MAIN(step) struct lab07_options /* so that the line may end in a semicolon */
#endif

#endif
