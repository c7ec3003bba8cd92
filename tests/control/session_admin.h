/* SPDX-License-Identifier: Apache-2.0
 *
 * What an administrator does in a session, as the recorder's Steward does it: "admin describe g" and so on; the answer in one line.
 */
#ifndef KS_SESSION_ADMIN_H
#define KS_SESSION_ADMIN_H

#include "tests/support/test.h"

#include <kafkasim/group_admin.h>
#include <kafkasim/kafka.h>

#include "sim/base/base.h"

static int session_compare_words(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

/* Sorted, with `between` between them; takes the words. */
static void session_join(char **words, size_t count, const char *between, ks_buffer *out) {
    if (count > 0) qsort(words, count, sizeof *words, session_compare_words);
    for (size_t i = 0; i < count; i++) {
        ks_buffer_printf(out, "%s%s", i > 0 ? between : "", words[i]);
        ks_free(words[i]);
    }
}

static char *session_word(const char *format, ...) __attribute__((format(printf, 1, 2)));
static char *session_word(const char *format, ...) {
    char text[1024];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    ks_buffer word = { 0 };
    ks_buffer_text(&word, text);
    return ks_buffer_take(&word);
}

static kafka_error session_list(kafka_client *client, kafka_context *ctx, ks_buffer *out) {
    kafka_listed_groups *groups = NULL;
    char *words[64];
    size_t n = 0;
    kafka_error error = kafka_client_list_consumer_groups(client, ctx, NULL, &groups);
    for (size_t i = 0; !error && i < groups->count && n < 64; i++) {
        const kafka_listed_group *one = &groups->items[i];
        words[n++] = session_word("%s %s %s", one->group, one->state, one->type);
    }
    session_join(words, n, "; ", out);
    kafka_listed_groups_free(groups);
    return error;
}

static kafka_error session_describe(kafka_client *client, kafka_context *ctx, const char *group, ks_buffer *out) {
    kafka_described_groups *described = NULL;
    kafka_error error = kafka_client_describe_consumer_groups(client, ctx, &group, 1, &described);
    if (!error) error = described->items[0].error;
    if (error) {
        kafka_described_groups_free(described);
        return error;
    }
    const kafka_described_group *it = &described->items[0];
    ks_buffer_printf(out, "%s %s %s", it->state, it->type, it->protocol);
    char *members[16];
    size_t n = 0;
    for (size_t m = 0; m < it->member_count && n < 16; m++) {
        char *words[64];
        size_t count = 0;
        for (size_t t = 0; t < it->members[m].assignment_count; t++)
            for (size_t p = 0; p < it->members[m].assignment[t].partition_count && count < 64; p++)
                words[count++] = session_word(" %s-%d", it->members[m].assignment[t].topic, (int)it->members[m].assignment[t].partitions[p]);
        ks_buffer text = { 0 };
        ks_buffer_printf(&text, "; %s", it->members[m].client);
        session_join(words, count, "", &text);
        members[n++] = ks_buffer_take(&text);
    }
    session_join(members, n, "", out);
    kafka_described_groups_free(described);
    return KAFKA_OK;
}

static kafka_error session_offsets(kafka_client *client, kafka_context *ctx, const char *group, ks_buffer *out) {
    kafka_group_offsets *offsets = NULL;
    char *words[64];
    size_t n = 0;
    kafka_error error = kafka_client_list_consumer_group_offsets(client, ctx, group, NULL, 0, &offsets);
    if (!error) error = offsets->error;
    for (size_t i = 0; !error && i < offsets->count && n < 64; i++)
        words[n++] = session_word("%s-%d@%lld", offsets->items[i].topic, (int)offsets->items[i].partition, (long long)offsets->items[i].offset);
    session_join(words, n, " ", out);
    kafka_group_offsets_free(offsets);
    return error;
}

/* words: describe g. Writes the answer, or "OK". */
static kafka_error session_administer(kafka_client *client, kafka_context *ctx, char **words, int count, ks_buffer *out) {
    const char *verb = words[0], *group = count > 1 ? words[1] : NULL;
    if (strcmp(verb, "list") == 0) return session_list(client, ctx, out);
    if (strcmp(verb, "describe") == 0) return session_describe(client, ctx, group, out);
    if (strcmp(verb, "offsets") == 0) return session_offsets(client, ctx, group, out);
    char name[128] = "", *dash = NULL;
    if (count > 2) {
        snprintf(name, sizeof name, "%s", words[2]);
        dash = strrchr(name, '-');
        if (dash) *dash = 0;
    }
    kafka_error error = KAFKA_ERR_INVALID_ARGUMENT;
    if (strcmp(verb, "alter") == 0)
        error = kafka_client_alter_consumer_group_offsets(client, ctx, group, &(kafka_group_offset){ .topic = name, .partition = atoi(dash + 1),
                                                                                                     .offset = atoll(words[3]) }, 1, NULL);
    else if (strcmp(verb, "delete-offsets") == 0)
        error = kafka_client_delete_consumer_group_offsets(client, ctx, group, &(kafka_topic_partition){ name, atoi(dash + 1) }, 1, NULL);
    else if (strcmp(verb, "remove") == 0)
        error = kafka_client_remove_group_members(client, ctx, group, &(kafka_member_to_remove){ .group_instance = words[2] },
                                                  count > 2 ? 1 : 0, NULL, NULL);
    else if (strcmp(verb, "delete") == 0)
        error = kafka_client_delete_consumer_groups(client, ctx, &group, 1, NULL);
    else
        fail_msg("no such order: %s", verb);
    if (!error) ks_buffer_text(out, "OK");
    return error;
}

#endif
