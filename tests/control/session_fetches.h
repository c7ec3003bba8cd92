/* SPDX-License-Identifier: Apache-2.0
 *
 * What the fetches of a played session say about fetch sessions (KIP-227), in the words of the recording (tests/real/src/Fetches.java):
 * `Session` is "session N", the Nth of that client, or "none"; an epoch is "next" when it is the one after the request before it; of an
 * answer's partitions it is told whether they bring records. Idle fetches, asking for nothing new and told nothing, are dropped.
 */
#ifndef KS_SESSION_FETCHES_H
#define KS_SESSION_FETCHES_H

#include "tests/support/test.h"

#include <stdbool.h>

static void session_name_fetch_session(json_t *names, json_t *counts, const char *client, json_t *message) {
    json_int_t id = json_integer_value(json_object_get(message, "SessionId"));
    char key[200], name[40];
    snprintf(key, sizeof key, "%s %lld", client, (long long)id);
    if (id != 0 && json_object_get(names, key) == NULL) {
        json_int_t count = json_integer_value(json_object_get(counts, client)) + 1;
        json_object_set_new(counts, client, json_integer(count));
        snprintf(name, sizeof name, "session %lld", (long long)count);
        json_object_set_new(names, key, json_string(name));
    }
    if (id == 0) json_object_set_new(message, "Session", json_string("none"));
    else json_object_set(message, "Session", json_object_get(names, key));
}

/* Partitions stand in the order of the session, with a topic as often as the order asks for; here each topic stands once. */
static void session_merge_topics(json_t *topics) {
    for (size_t i = 0; i < json_array_size(topics); i++)
        for (size_t k = json_array_size(topics) - 1; k > i; k--) {
            json_t *one = json_array_get(topics, i), *other = json_array_get(topics, k);
            const char *by = json_object_get(one, "TopicId") ? "TopicId" : "Topic";
            if (!json_equal(json_object_get(one, by), json_object_get(other, by))) continue;
            json_array_extend(json_object_get(one, "Partitions"), json_object_get(other, "Partitions"));
            json_array_remove(topics, k);
        }
}

static void session_tell_records(json_t *topics) {
    json_t *topic, *one;
    size_t i, k;
    json_array_foreach(topics, i, topic)
        json_array_foreach(json_object_get(topic, "Partitions"), k, one)
            json_object_set_new(one, "HasRecords", json_boolean(json_string_length(json_object_get(one, "Records")) > 0));
}

static bool session_fetch_says_something(const json_t *line) {
    const json_t *q = json_object_get(line, "q"), *a = json_object_get(line, "a"), *epoch = json_object_get(q, "SessionEpoch");
    return (json_is_integer(epoch) && json_integer_value(epoch) <= 0) || json_array_size(json_object_get(q, "Topics")) > 0 ||
           json_array_size(json_object_get(q, "ForgottenTopicsData")) > 0 || json_integer_value(json_object_get(a, "ErrorCode")) != 0 ||
           json_array_size(json_object_get(a, "Responses")) > 0;
}

static void session_tell_fetches(json_t *events) {
    json_t *names = json_object(), *counts = json_object(), *epochs = json_object();
    for (size_t i = 0; i < json_array_size(events);) {
        json_t *line = json_array_get(events, i++), *q = json_object_get(line, "q"), *a = json_object_get(line, "a");
        const char *api = json_string_value(json_object_get(line, "api")), *client = json_string_value(json_object_get(line, "c"));
        if (api == NULL || strcmp(api, "Fetch") != 0) continue;
        json_t *epoch = json_incref(json_object_get(q, "SessionEpoch"));
        const json_t *former = json_object_get(epochs, client);
        if (json_integer_value(epoch) > 0 && former && json_integer_value(epoch) == json_integer_value(former) + 1)
            json_object_set_new(q, "SessionEpoch", json_string("next"));
        json_object_set_new(epochs, client, epoch);
        session_name_fetch_session(names, counts, client, q);
        if (a) session_name_fetch_session(names, counts, client, a);
        session_merge_topics(json_object_get(q, "Topics"));
        session_merge_topics(json_object_get(q, "ForgottenTopicsData"));
        session_merge_topics(json_object_get(a, "Responses"));
        session_tell_records(json_object_get(a, "Responses"));
        if (!session_fetch_says_something(line)) json_array_remove(events, --i);
    }
    json_decref(names);
    json_decref(counts);
    json_decref(epochs);
}

#endif
