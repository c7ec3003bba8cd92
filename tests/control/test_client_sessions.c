/* SPDX-License-Identifier: Apache-2.0
 *
 * The simulated clients and coordinator beside the real ones: every session of client_sessions.jsonl was recorded with real clients
 * and a real broker (tests/real); the same steps are played on the simulator, and each client's requests, answers, callbacks and
 * results are compared one by one, with their times.
 *
 * A client's doings are compared in streams, since what runs beside each other has no order:
 *   group   joining, offsets, leaving, callbacks, results of calls
 *   beats   heartbeats that change nothing
 *   hello   ApiVersions: when a connection is opened is not compared, only how many there are
 *   topics  Metadata
 *   fetch   fetches that name all partitions: those that begin a fetch session or have none. In sessions whose names begin with
 *           "fetch-" every fetch that says something about its fetch session (session_fetches.h); the one that ends it belongs to
 *           group, since it has its place in closing
 * What the recording says must be there; fields that it leaves out are not looked at.
 */
#define _POSIX_C_SOURCE 200809L /* strdup */
#include "tests/control/session_fetches.h"
#include "tests/control/session_player.h"

#include "sim/protocol/consumer_protocol.h"

enum { LATE_MS = 700, METADATA_LATE_MS = 1200, MOMENT_MS = 60, RACERS = 4, SHOWN = 420 };

static const char VECTORS[] = "client_sessions.jsonl";
static const char *const streams[] = { "group", "beats", "hello", "topics", "fetch" };

/* ---- what belongs to which stream ---- */

static bool quiet(const json_t *line) {
    const json_t *q = json_object_get(line, "q"), *a = json_object_get(line, "a");
    if (a && json_integer_value(json_object_get(a, "ErrorCode")) != 0) return false;
    if (json_object_get(q, "SubscribedTopicNames") == NULL) return true;
    return json_is_null(json_object_get(q, "SubscribedTopicNames")) && json_is_null(json_object_get(q, "TopicPartitions")) &&
           json_integer_value(json_object_get(q, "MemberEpoch")) > 0 && (a == NULL || json_is_null(json_object_get(a, "Assignment")));
}

static bool ends_fetch_session(const json_t *line) {
    const json_t *q = json_object_get(line, "q");
    return json_object_get(q, "Session") && json_integer_value(json_object_get(q, "SessionEpoch")) < 0;
}

static const char *stream_of(const json_t *line) {
    const char *api = json_string_value(json_object_get(line, "api"));
    if (api == NULL) return "group";
    if (strcmp(api, "ApiVersions") == 0) return "hello";
    if (strcmp(api, "Metadata") == 0) return "topics";
    if (strcmp(api, "Fetch") == 0 && ends_fetch_session(line)) return "group";
    if (strcmp(api, "Fetch") == 0 || player_fetches_besides(line)) return "fetch";
    if (strcmp(api, "Heartbeat") == 0 || strcmp(api, "ConsumerGroupHeartbeat") == 0) return quiet(line) ? "beats" : "group";
    return "group";
}

static const char *kind_of(const json_t *step) {
    const char *api = json_string_value(json_object_get(step, "api"));
    return api ? api : "call";
}

/* ---- comparing ---- */

static const char *const unordered[] = { "Partitions", "PartitionIndexes", "Topics", "Members", "Assignments", "TopicPartitions", "Groups",
                                         "SubscribedTopicNames", "Responses", "ForgottenTopicsData", NULL };

static bool is_unordered(const char *field) {
    for (int i = 0; unordered[i]; i++)
        if (strcmp(field, unordered[i]) == 0) return true;
    return false;
}

/* What entries of such an array are told apart by. */
static void sort_key(const json_t *item, char *out, size_t size) {
    static const char *const by[] = { "PartitionIndex", "Partition", "MemberId", "Name", "Topic", "TopicId", "GroupId" };
    const json_t *key = item;
    for (size_t i = 0; key == item && json_is_object(item) && i < sizeof by / sizeof *by; i++)
        if (json_object_get(item, by[i])) key = json_object_get(item, by[i]);
    if (json_is_integer(key)) snprintf(out, size, "%010lld", (long long)json_integer_value(key));
    else snprintf(out, size, "%s", json_is_string(key) ? json_string_value(key) : "");
}

static int compare_keys(const void *a, const void *b) {
    char x[200], y[200];
    sort_key(*(json_t *const *)a, x, sizeof x);
    sort_key(*(json_t *const *)b, y, sizeof y);
    return strcmp(x, y);
}

/* A sorted shallow copy, owned. */
static json_t *sorted(const json_t *array) {
    size_t count = json_array_size(array);
    json_t **items = calloc(count + 1, sizeof *items), *copy = json_array();
    for (size_t i = 0; i < count; i++) items[i] = json_array_get(array, i);
    qsort(items, count, sizeof *items, compare_keys);
    for (size_t i = 0; i < count; i++) json_array_append(copy, items[i]);
    free(items);
    return copy;
}

static int compare_numbers(const void *a, const void *b) { return *(const int32_t *)a < *(const int32_t *)b ? -1 : 1; }

/* Assignors of the real client list partitions in the order in which they gave them out, ours in order. */
static bool same_assignment(const json_t *recorded, const json_t *seen) {
    const json_t *hex[] = { recorded, seen };
    ks_assignment read[2] = { { 0 } };
    ks_arena *arena = ks_arena_new();
    uint8_t *bytes[2] = { NULL, NULL }; /* what is read points into them */
    bool same = json_is_string(recorded) && json_is_string(seen);
    for (int i = 0; i < 2 && same; i++) {
        size_t size;
        bytes[i] = ks_test_unhex(json_string_value(hex[i]), &size);
        same = ks_assignment_decode((ks_bytes){ bytes[i], (int32_t)size }, arena, &read[i]);
        for (int32_t t = 0; same && t < read[i].topic_count; t++)
            qsort((int32_t *)(uintptr_t)read[i].topics[t].partitions, (size_t)read[i].topics[t].partition_count, sizeof(int32_t), compare_numbers);
    }
    same = same && read[0].topic_count == read[1].topic_count;
    for (int32_t t = 0; same && t < read[0].topic_count; t++) {
        const ks_topic_partitions *a = &read[0].topics[t], *b = NULL;
        for (int32_t k = 0; k < read[1].topic_count; k++)
            if (ks_string_equal(read[1].topics[k].topic, a->topic)) b = &read[1].topics[k];
        same = b && a->partition_count == b->partition_count &&
               memcmp(a->partitions, b->partitions, (size_t)a->partition_count * sizeof(int32_t)) == 0;
    }
    ks_arena_free(arena);
    free(bytes[0]);
    free(bytes[1]);
    return same;
}

/* True when `seen` has all that `recorded` has; else `where` names the first field that differs. */
static bool agrees(const json_t *recorded, const json_t *seen, const char *field, char *where, size_t size) {
    if (json_is_object(recorded) && json_is_object(seen)) {
        const char *key;
        json_t *value;
        json_object_foreach((json_t *)(uintptr_t)recorded, key, value) {
            const json_t *other = json_object_get(seen, key);
            if (!agrees(value, other, key, where, size)) return false;
        }
        return true;
    }
    if (json_is_array(recorded) && json_is_array(seen)) {
        bool same = json_array_size(recorded) == json_array_size(seen);
        json_t *a = is_unordered(field) ? sorted(recorded) : json_copy((json_t *)(uintptr_t)recorded);
        json_t *b = is_unordered(field) ? sorted(seen) : json_copy((json_t *)(uintptr_t)seen);
        if (!same) snprintf(where, size, "%s has %zu entries, not %zu", field, json_array_size(seen), json_array_size(recorded));
        for (size_t i = 0; same && i < json_array_size(a); i++) same = agrees(json_array_get(a, i), json_array_get(b, i), field, where, size);
        json_decref(a);
        json_decref(b);
        return same;
    }
    if (recorded && seen && strcmp(field, "Assignment") == 0 && same_assignment(recorded, seen)) return true;
    if (strcmp(field, "MaxWaitMs") == 0 && json_integer_value(recorded) % 100 != 0 && /* kafka-go: what is left of it on a running clock */
        llabs(json_integer_value(recorded) - json_integer_value(seen)) < LATE_MS) return true;
    if (recorded && seen && json_equal((json_t *)(uintptr_t)recorded, (json_t *)(uintptr_t)seen)) return true;
    char *x = recorded ? json_dumps(recorded, JSON_ENCODE_ANY | JSON_COMPACT) : NULL;
    char *y = seen ? json_dumps(seen, JSON_ENCODE_ANY | JSON_COMPACT) : NULL;
    snprintf(where, size, "%s is %s here, %s in Kafka", field, y ? y : "missing", x ? x : "missing");
    free(x);
    free(y);
    return false;
}

static int64_t time_of(const json_t *step) { return json_integer_value(json_object_get(step, "t")); }

/* How long the answer took; what the recording leaves out came at once. */
static int64_t took(const json_t *step) { return json_object_get(step, "a") ? json_integer_value(json_object_get(step, "d")) : 0; }

/* At the same time, or as long after the step before it: what was late once may stay late. */
static bool same_time(const json_t *recorded, const json_t *seen, size_t i) {
    int64_t late = time_of(json_array_get(seen, i)) - time_of(json_array_get(recorded, i));
    if (llabs(took(json_array_get(recorded, i)) - took(json_array_get(seen, i))) > LATE_MS) return false;
    int64_t later = late - (i > 0 ? time_of(json_array_get(seen, i - 1)) - time_of(json_array_get(recorded, i - 1)) : 0);
    int64_t allowed = strcmp(kind_of(json_array_get(recorded, i)), "Metadata") == 0 ? METADATA_LATE_MS : LATE_MS; /* its pauses are drawn */
    return llabs(late) <= allowed || llabs(later) <= allowed;
}

static bool same_step(const json_t *recorded, const json_t *seen, char *where, size_t size) {
    static const char *const fields[] = { "call", "api", "k", "v", "q", "a" };
    if (recorded == NULL || seen == NULL) {
        snprintf(where, size, "%s", recorded ? "the simulator does nothing more" : "Kafka's client does nothing more");
        return false;
    }
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        const json_t *a = json_object_get(recorded, fields[i]), *b = json_object_get(seen, fields[i]);
        if ((a || (b && i < 3)) && !agrees(a, b, fields[i], where, size)) return false;
    }
    return true;
}

/* The i-th steps of two lists. */
static bool same_steps(const json_t *recorded, const json_t *seen, size_t i, char *where, size_t size) {
    const json_t *a = json_array_get(recorded, i), *b = json_array_get(seen, i);
    if (!same_step(a, b, where, size)) return false;
    if (strcmp(stream_of(a), "hello") == 0 || same_time(recorded, seen, i)) return true;
    snprintf(where, size, "at %lld ms, answered in %lld ms here; at %lld ms, in %lld ms in Kafka", (long long)time_of(b),
             (long long)json_integer_value(json_object_get(b, "d")), (long long)time_of(a), (long long)json_integer_value(json_object_get(a, "d")));
    return false;
}

/* ---- telling ---- */

static void print_step(const json_t *line, bool mark) {
    char *q = json_dumps(json_object_get(line, "q"), JSON_COMPACT), *a = json_dumps(json_object_get(line, "a"), JSON_COMPACT);
    const char *call = json_string_value(json_object_get(line, "call"));
    print_message("%s %6lld ", mark ? "->" : "  ", (long long)json_integer_value(json_object_get(line, "t")));
    if (call) print_message("%s\n", call);
    else print_message("%s v%lld on %s %.*s -> %.*s\n", json_string_value(json_object_get(line, "api")),
                       (long long)json_integer_value(json_object_get(line, "v")), json_is_string(json_object_get(line, "k")) ? json_string_value(json_object_get(line, "k")) : "its connection",
                       SHOWN, q ? q : "", SHOWN, a ? a : "no answer");
    free(q);
    free(a);
}

static void print_steps(const char *title, const json_t *list, size_t mark) {
    print_message("%s\n", title);
    for (size_t i = 0; i < json_array_size(list); i++) print_step(json_array_get(list, i), i == mark);
}

/* What is asked and answered again and again, as often as there is time: metadata, committed offsets that are missing, a way into
 * a group that is closed. */
static bool is_repeated(const json_t *list, const json_t *line) {
    const json_t *last = json_array_get(list, json_array_size(list) - 1);
    const char *api = kind_of(line);
    return last && (strcmp(api, "Metadata") == 0 || strcmp(api, "OffsetFetch") == 0 || strcmp(api, "JoinGroup") == 0) && strcmp(api, kind_of(last)) == 0 &&
           json_equal(json_object_get(last, "q"), json_object_get(line, "q")) &&
           (json_object_get(line, "a") == NULL || json_equal(json_object_get(last, "a"), json_object_get(line, "a")));
}

/* The lines of one client and stream, owned. */
static json_t *chosen(const json_t *events, const char *client, const char *stream) {
    json_t *list = json_array(), *line;
    size_t i;
    json_array_foreach(events, i, line)
        if (strcmp(json_string_value(json_object_get(line, "c")), client) == 0 && strcmp(stream_of(line), stream) == 0 && !is_repeated(list, line))
            json_array_append(list, line);
    return list;
}

/* Fetches that lost their session name all partitions again, at other times here: each recorded one must be among them. */
static void drop_fetches_between(const json_t *recorded, json_t *seen) {
    char where[600];
    for (size_t i = 0; i < json_array_size(recorded) && i < json_array_size(seen);) {
        if (same_steps(recorded, seen, i, where, sizeof where)) i++;
        else if (i + 1 < json_array_size(seen)) json_array_remove(seen, i);
        else return;
    }
    while (json_array_size(seen) > json_array_size(recorded)) json_array_remove(seen, json_array_size(seen) - 1);
}

static bool of_kip848(const json_t *recorded) {
    for (size_t i = 0; i < json_array_size(recorded); i++) {
        const char *api = json_string_value(json_object_get(json_array_get(recorded, i), "api"));
        if (api && strcmp(api, "ConsumerGroupHeartbeat") == 0) return true;
    }
    return false;
}

/* What was recorded within a moment has no order where it does not wait for one another: a call that returns and the request that it
 * left behind; and everything of a KIP-848 client, which works on two threads. What comes first here is taken first. */
static void settle_race(json_t *recorded, const json_t *seen, size_t i, bool two_threads) {
    char where[600];
    const json_t *next = json_array_get(seen, i);
    for (size_t k = i; k < i + RACERS && k < json_array_size(recorded); k++) {
        json_t *step = json_array_get(recorded, k);
        if (time_of(step) - time_of(json_array_get(recorded, i)) > MOMENT_MS) return;
        if (k > i && strcmp(kind_of(step), kind_of(json_array_get(recorded, k - 1))) == 0) return;
        if (!same_step(step, next, where, sizeof where)) continue;
        if (!two_threads && (k > i + 1 || (strcmp(kind_of(step), "call") != 0 && strcmp(kind_of(json_array_get(recorded, i)), "call") != 0)))
            return;
        json_incref(step);
        json_array_remove(recorded, k);
        json_array_insert_new(recorded, i, step);
        return;
    }
}

/* Those of a reader's partitions have no order among each other: `seen` gets the order of the recording. */
static void order_fetches(const json_t *recorded, json_t *seen) {
    char where[600];
    for (size_t i = 0; i < json_array_size(recorded) && player_fetches_besides(json_array_get(recorded, i)); i++)
        for (size_t k = i; k < json_array_size(seen); k++) {
            json_t *step = json_array_get(seen, k);
            if (!same_step(json_array_get(recorded, i), step, where, sizeof where)) continue;
            json_incref(step);
            json_array_remove(seen, k);
            json_array_insert_new(seen, i, step);
            break;
        }
}

static int compare_stream(json_t *recorded, const json_t *seen, const char *session, int at, const char *client, const char *stream) {
    char where[600] = "";
    size_t i = 0, count = json_array_size(recorded) > json_array_size(seen) ? json_array_size(recorded) : json_array_size(seen);
    bool two_threads = of_kip848(recorded);
    while (i < count) {
        settle_race(recorded, seen, i, two_threads);
        if (!same_steps(recorded, seen, i, where, sizeof where)) break;
        i++;
    }
    if (i == count) return 0;
    if (i + 1 == count && strcmp(stream, "beats") == 0 && json_array_size(recorded) != json_array_size(seen))
        return 0; /* what is a little later each time may drop off at the end */
    print_message("%s:%d: %s: %s differs from Kafka in its %s: step %zu: %s\n", VECTORS, at, session, client, stream, i + 1, where);
    print_steps("  in Kafka:", recorded, i);
    print_steps("  here:", seen, i);
    return 1;
}

/* Differences kept on purpose: rows of docs/FIDELITY.md. */
static bool is_kept(const char *session, const char *stream) {
    static const char *const kept[][2] = {
        { "subscription-changes-kip848", "fetch" }, /* topics that are no longer named are not fetched */
    };
    for (size_t i = 0; i < sizeof kept / sizeof *kept; i++)
        if (strcmp(kept[i][0], session) == 0 && strcmp(kept[i][1], stream) == 0) return true;
    return false;
}

static int compare_session(const json_t *session, int line) {
    const char *name = json_string_value(json_object_get(session, "session"));
    bool of_fetches = strncmp(name, "fetch-", 6) == 0;
    json_t *seen = player_play(json_object_get(session, "steps")), *step, *clients = json_object();
    if (of_fetches) session_tell_fetches(json_object_get(seen, "events"));
    size_t i;
    int differences = 0;
    json_array_foreach(json_object_get(session, "events"), i, step)
        json_object_set_new(clients, json_string_value(json_object_get(step, "c")), json_true());
    const char *client;
    json_object_foreach(clients, client, step) {
        for (size_t s = 0; s < sizeof streams / sizeof *streams; s++) {
            if (is_kept(name, streams[s]) || (strcmp(client, "admin") == 0 && strcmp(streams[s], "group") != 0)) continue;
            json_t *a = chosen(json_object_get(session, "events"), client, streams[s]);
            json_t *b = chosen(json_object_get(seen, "events"), client, streams[s]);
            if (strcmp(streams[s], "fetch") == 0 && !of_fetches) {
                order_fetches(a, b);
                drop_fetches_between(a, b);
            }
            differences += compare_stream(a, b, name, line, client, streams[s]);
            json_decref(a);
            json_decref(b);
        }
    }
    char where[600];
    if (!agrees(json_object_get(session, "delivered"), json_object_get(seen, "delivered"), "delivered", where, sizeof where)) {
        print_message("%s:%d: %s: what was delivered differs: %s\n", VECTORS, line, name, where);
        differences++;
    }
    json_decref(clients);
    json_decref(seen);
    return differences;
}

static json_t *message_of(const json_t *messages, const json_t *number) {
    json_t *message = json_array_get(messages, (size_t)json_integer_value(number) - 1);
    if (message == NULL) fail_msg("message %lld is missing", (long long)json_integer_value(number));
    return message;
}

/* Recorded by client: [time, "call"] or [time, request, answer, how long it took, connection]; requests and answers by number. Here each
 * is an object as the player makes them. */
static void unpack_events(json_t *session, const json_t *messages) {
    json_t *events = json_array(), *rows, *row;
    const char *client;
    size_t i;
    json_object_foreach(json_object_get(session, "events"), client, rows)
        json_array_foreach(rows, i, row) {
            json_t *event = json_pack("{s:s, s:O}", "c", client, "t", json_array_get(row, 0));
            json_array_append_new(events, event);
            if (json_is_string(json_array_get(row, 1))) {
                json_object_set(event, "call", json_array_get(row, 1));
                continue;
            }
            json_t *request = message_of(messages, json_array_get(row, 1)), *answer = json_array_get(row, 2);
            json_object_set(event, "api", json_object_get(request, "api"));
            json_object_set(event, "v", json_object_get(request, "v"));
            json_object_set(event, "q", json_object_get(request, "is"));
            if (answer) json_object_set(event, "a", json_object_get(message_of(messages, answer), "is"));
            if (json_array_size(row) > 3) json_object_set(event, "d", json_array_get(row, 3));
            if (json_array_size(row) > 4) json_object_set(event, "k", json_array_get(row, 4));
        }
    json_object_set_new(session, "events", events);
}

static void the_simulator_does_what_kafka_does(void **state) {
    (void)state;
    FILE *file = ks_vectors_open(VECTORS);
    if (file == NULL) return;
    int line = 0, differences = 0, sessions = 0;
    const char *only = getenv("SESSION");
    json_t *messages = json_array(); /* message N is entry N - 1 */
    for (json_t *session; (session = ks_vectors_next_json(file, VECTORS, &line)); json_decref(session)) {
        const char *name = json_string_value(json_object_get(session, "session"));
        if (json_object_get(session, "message")) json_array_append(messages, session);
        if (name == NULL || (only && strcmp(only, name) != 0)) continue;
        unpack_events(session, messages);
        differences += compare_session(session, line);
        sessions++;
    }
    json_decref(messages);
    fclose(file);
    assert_true(sessions > 0);
    if (differences) fail_msg("%d differences in %d sessions", differences, sessions);
}

static bool names_topic(const json_t *topics, const char *id) {
    const json_t *topic;
    size_t i;
    json_array_foreach(topics, i, topic)
        if (strcmp(json_string_value(json_object_get(topic, "TopicId")), id) == 0) return true;
    return false;
}

/* FetchSessionHandler: a topic id that another one took the place of is forgotten by the request that names that one. Not recorded: the
 * program must not poll while the topic is away, and what Kafka says of the old id then is a row of docs/FIDELITY.md. */
static void a_topic_made_anew_leaves_the_session_by_its_old_id(void **state) {
    (void)state;
    json_t *steps = json_pack("[ssssssssssss]", "topic o 1", "topic p 1", "put o 0 3", "consumer A group.id=g auto.offset.reset=earliest",
                              "assign A o-0 p-0", "run 2000", "stall A 3000", "run 1000", "delete-topic o", "topic o 1", "run 6000", "close A");
    json_t *seen = player_play(steps), *line;
    int replaced = 0, told_later = 0;
    size_t i;
    json_array_foreach(json_object_get(seen, "events"), i, line) {
        const json_t *q = json_object_get(line, "q"), *a = json_object_get(line, "a");
        if (strcmp(kind_of(line), "Fetch") != 0) continue;
        bool forgets = names_topic(json_object_get(q, "ForgottenTopicsData"), "id:o");
        if (forgets) assert_true(names_topic(json_object_get(q, "Topics"), "id:o#2"));
        replaced += forgets;
        told_later += replaced > 0 && names_topic(json_object_get(a, "Responses"), "id:o");
    }
    assert_int_equal(replaced, 1);
    assert_int_equal(told_later, 0);
    json_decref(steps);
    json_decref(seen);
}

int main(void) {
    const struct CMUnitTest tests[] = { cmocka_unit_test(the_simulator_does_what_kafka_does),
                                        cmocka_unit_test(a_topic_made_anew_leaves_the_session_by_its_old_id) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
