/* SPDX-License-Identifier: Apache-2.0
 * Fetch sessions by request (KIP-227): what starts, continues and ends them, what an answer still says, who gets a place; and, with
 * random steps, that what a client gathers from the news is what a full fetch says. */
#include "tests/broker/support/world.h"

#include "sim/broker/log.h"

enum { MINUTE_MS = 60000 };

static int setup(void **state) {
    *state = calloc(1, sizeof(world));
    world_init(*state, &(ks_cluster_config){ .brokers = 1, .plain_placement = true });
    return 0;
}

static int teardown(void **state) {
    world_deinit(*state);
    free(*state);
    return 0;
}

static void fill(world *w, const ks_topic *topic, int32_t partition) {
    assert_int_equal(produce(w, topic, partition, make_batch(w, 1, "some value", ks_now_ms(w->kernel)))->error_code, 0);
}

typedef struct wish { /* partition at offset; forget: no longer */
    int32_t partition;
    int64_t offset;
    bool forget;
} wish;

/* A request of a session at version 17 (12 with `by_name`) that names these and waits for nothing. */
static ks_envelope *next_fetch(world *w, const ks_topic *topic, int32_t id, int32_t epoch, const wish *wishes, int32_t count, bool by_name) {
    ks_envelope *request = fetch_request(w, by_name ? 12 : 17, topic, 0, 0, 1, 0);
    ks_fetch_request *in = request->body;
    in->session_id = id;
    in->session_epoch = epoch;
    int32_t forgotten = 0, named = 0;
    for (int32_t i = 0; i < count; i++) forgotten += wishes[i].forget;
    in->topics.count = count > forgotten;
    if (in->topics.count) REQUEST_ARRAY(request, in->topics.items[0].partitions, count - forgotten, fetch_request_partition);
    if (forgotten > 0) {
        REQUEST_ARRAY(request, in->forgotten_topics_data, 1, fetch_request_forgotten_topic);
        if (by_name) in->forgotten_topics_data.items[0].topic = ks_arena_string(request->arena, topic->name);
        else in->forgotten_topics_data.items[0].topic_id = topic->id;
        in->forgotten_topics_data.items[0].partitions.items = ks_arena_alloc(request->arena, (size_t)forgotten * sizeof(int32_t));
        in->forgotten_topics_data.items[0].partitions.count = forgotten;
    }
    forgotten = 0;
    for (int32_t i = 0; i < count; i++) {
        if (wishes[i].forget) {
            in->forgotten_topics_data.items[0].partitions.items[forgotten++] = wishes[i].partition;
            continue;
        }
        ks_fetch_request_partition *asked = &in->topics.items[0].partitions.items[named++];
        asked->partition = wishes[i].partition;
        asked->fetch_offset = wishes[i].offset;
        asked->partition_max_bytes = 1 << 20;
    }
    return request;
}

static ks_fetch_response *go(world *w, const ks_topic *topic, int32_t id, int32_t epoch, const wish *wishes, int32_t count) {
    ks_fetch_response *out = ask(w, 1, next_fetch(w, topic, id, epoch, wishes, count, false));
    assert_non_null(out);
    return out;
}

static const wish both[] = { { 0, 0, false }, { 1, 0, false } };

static int32_t start(world *w, const ks_topic *topic) { /* of two partitions */
    ks_fetch_response *out = go(w, topic, 0, 0, both, 2);
    assert_int_equal(out->error_code, 0);
    assert_true(out->session_id > 0);
    return out->session_id;
}

/* The partitions an answer tells of, as digits. */
static const char *told(const ks_fetch_response *out) {
    static char text[32];
    size_t used = 0;
    for (int32_t i = 0; i < out->responses.count; i++)
        for (int32_t j = 0; j < out->responses.items[i].partitions.count; j++)
            text[used++] = (char)('0' + out->responses.items[i].partitions.items[j].partition_index);
    text[used] = 0;
    return text;
}

static void an_answer_tells_only_what_is_new(void **state) {
    world *w = *state;
    ks_topic *topic = make_topic(w, "t", 3, 1);
    int32_t id = start(w, topic), epoch = 1;
    ks_fetch_response *out = go(w, topic, id, epoch++, NULL, 0);
    assert_int_equal(out->session_id, id);
    assert_string_equal(told(out), "");
    fill(w, topic, 1);
    out = go(w, topic, id, epoch++, NULL, 0);
    assert_string_equal(told(out), "1");
    assert_true(first_partition(out)->records.size > 0);
    assert_string_equal(told(go(w, topic, id, epoch++, NULL, 0)), "1"); /* the same records, until the client asks for later ones */
    assert_string_equal(told(go(w, topic, id, epoch++, &(wish){ 1, 1, false }, 1)), "");
    assert_string_equal(told(go(w, topic, id, epoch++, &(wish){ 2, 0, false }, 1)), "2"); /* an added one is told of once */
    assert_string_equal(told(go(w, topic, id, epoch++, NULL, 0)), "");
    ks_log_raise_start(topic->partitions[1]->log, 1);
    fill(w, topic, 0);
    assert_string_equal(told(go(w, topic, id, epoch++, &(wish){ 0, 1, false }, 1)), "01"); /* a high watermark, a log start */
    fill(w, topic, 2);
    assert_string_equal(told(go(w, topic, id, epoch++, &(wish){ 2, 0, true }, 1)), ""); /* forgotten */
}

static void whoever_gave_records_comes_after_the_others(void **state) {
    world *w = *state;
    ks_topic *topic = make_topic(w, "t", 3, 1);
    const wish all[] = { { 0, 0, false }, { 1, 0, false }, { 2, 0, false } };
    int32_t id = go(w, topic, 0, 0, all, 3)->session_id;
    fill(w, topic, 0);
    assert_string_equal(told(go(w, topic, id, 1, NULL, 0)), "0");
    fill(w, topic, 1);
    fill(w, topic, 2);
    assert_string_equal(told(go(w, topic, id, 2, NULL, 0)), "120");
    assert_string_equal(told(go(w, topic, id, 3, all, 3)), "120"); /* altered ones keep their place */
}

static void an_error_is_told_until_it_is_over_and_once_more(void **state) {
    world *w = *state;
    ks_topic *topic = make_topic(w, "t", 3, 1);
    int32_t id = start(w, topic);
    ks_fetch_response *out = go(w, topic, id, 1, &(wish){ 1, 7, false }, 1);
    assert_int_equal(first_partition(out)->error_code, KAFKA_ERR_OFFSET_OUT_OF_RANGE);
    assert_string_equal(told(go(w, topic, id, 2, NULL, 0)), "1");
    out = go(w, topic, id, 3, &(wish){ 1, 0, false }, 1);
    assert_string_equal(told(out), "1");
    assert_int_equal(first_partition(out)->error_code, 0);
    assert_string_equal(told(go(w, topic, id, 4, NULL, 0)), "");
    ks_cluster_delete_topic(w->cluster, topic);
    topic = make_topic(w, "t", 3, 1); /* of that name, but another one */
    out = go(w, topic, id, 5, NULL, 0);
    assert_string_equal(told(out), "01");
    assert_int_equal(first_partition(out)->error_code, KAFKA_ERR_UNKNOWN_TOPIC_OR_PARTITION);
    assert_string_equal(told(go(w, topic, id, 6, NULL, 0)), "01");
    out = go(w, topic, id, 7, &(wish){ 2, 0, false }, 1);
    assert_string_equal(told(out), "012");
    assert_int_equal(out->responses.count, 2);
}

static void what_is_asked_of_no_session_gets_kafkas_error(void **state) {
    world *w = *state;
    ks_topic *topic = make_topic(w, "t", 2, 1);
    int32_t id = start(w, topic);
    const struct {
        int32_t id, epoch;
        bool by_name;
        kafka_error error;
    } rows[] = {
        { 0, 1, false, KAFKA_ERR_FETCH_SESSION_ID_NOT_FOUND },
        { id + 1, 1, false, KAFKA_ERR_FETCH_SESSION_ID_NOT_FOUND },
        { id, 2, false, KAFKA_ERR_INVALID_FETCH_SESSION_EPOCH },
        { id, INT32_MAX, false, KAFKA_ERR_INVALID_FETCH_SESSION_EPOCH },
        { id, 1, true, KAFKA_ERR_FETCH_SESSION_TOPIC_ID_ERROR },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        ks_fetch_response *out = ask(w, 1, next_fetch(w, topic, rows[i].id, rows[i].epoch, both, 2, rows[i].by_name));
        if (out->error_code != rows[i].error) fail_msg("row %zu: %d, not %d", i, out->error_code, rows[i].error);
        assert_int_equal(out->session_id, 0);
        assert_int_equal(out->responses.count, 0);
    }
    assert_int_equal(go(w, topic, id, 1, NULL, 0)->error_code, 0); /* as it was */
}

static void sessions_end_as_their_client_says(void **state) {
    world *w = *state;
    w->logs = true;
    ks_topic *topic = make_topic(w, "t", 2, 1);
    int32_t id = start(w, topic);
    ks_fetch_response *out = go(w, topic, id, -1, NULL, 0); /* closed */
    assert_int_equal(out->error_code + out->session_id + out->responses.count, 0);
    assert_int_equal(go(w, topic, id, 1, NULL, 0)->error_code, KAFKA_ERR_FETCH_SESSION_ID_NOT_FOUND);
    id = start(w, topic);
    int32_t second = go(w, topic, id, 0, both, 2)->session_id; /* replaced */
    assert_true(second > 0 && second != id);
    assert_int_equal(go(w, topic, id, 1, NULL, 0)->error_code, KAFKA_ERR_FETCH_SESSION_ID_NOT_FOUND);
    const wish none[] = { { 0, 0, true }, { 1, 0, true } };
    out = go(w, topic, second, 1, none, 2); /* nothing is left */
    assert_int_equal(out->error_code + out->session_id + out->responses.count, 0);
    assert_int_equal(go(w, topic, second, 2, NULL, 0)->error_code, KAFKA_ERR_FETCH_SESSION_ID_NOT_FOUND);
    out = go(w, topic, 0, -1, both, 2); /* without one */
    assert_int_equal(out->session_id, 0);
    assert_string_equal(told(out), "01");
    assert_int_equal(seen(w, "fetch_session_started"), 3);
    assert_int_equal(seen(w, "fetch_session_ended"), 3);
}

static void versions_below_13_have_sessions_by_name(void **state) {
    world *w = *state;
    ks_topic *topic = make_topic(w, "t", 2, 1);
    ks_fetch_response *out = ask(w, 1, next_fetch(w, topic, 0, 0, both, 2, true));
    int32_t id = out->session_id;
    fill(w, topic, 1);
    out = ask(w, 1, next_fetch(w, topic, id, 1, NULL, 0, true));
    assert_string_equal(told(out), "1");
    assert_true(ks_string_equal(out->responses.items[0].topic, KS_LITERAL("t")));
    out = ask(w, 1, next_fetch(w, topic, id, 2, (wish[]){ { 1, 0, true }, { 0, 0, false } }, 2, true));
    assert_string_equal(told(out), "");
    out = ask(w, 1, next_fetch(w, topic, id, 3, both, 2, false));
    assert_int_equal(out->error_code, KAFKA_ERR_FETCH_SESSION_TOPIC_ID_ERROR);
}

static void a_brokers_sessions_die_with_it(void **state) {
    world *w = *state;
    ks_topic *topic = make_topic(w, "t", 2, 1);
    int32_t id = start(w, topic);
    post(w, 1, 1, next_fetch(w, topic, 0, 0, both, 2, false));
    run_ms(w, 10);
    ks_node *broker = ks_cluster_broker_find(w->cluster, 1)->node;
    ks_node_crash(broker);
    run_ms(w, 10);
    assert_null(topic->partitions[0]->fetches);
    ks_node_start(broker);
    run_ms(w, 10);
    assert_int_equal(go(w, topic, id, 1, NULL, 0)->error_code, KAFKA_ERR_FETCH_SESSION_ID_NOT_FOUND);
    start(w, topic);
}

/* ---- waiting ---- */

static ks_envelope *patient(ks_envelope *request) {
    ((ks_fetch_request *)request->body)->max_wait_ms = 500;
    return request;
}

static void an_idle_session_waits_and_is_woken(void **state) {
    world *w = *state;
    ks_topic *topic = make_topic(w, "t", 2, 1);
    int32_t id = start(w, topic);
    for (int32_t epoch = 1; epoch < 4; epoch++) {
        int64_t from = ks_now_ms(w->kernel);
        ks_fetch_response *out = ask(w, 1, patient(next_fetch(w, topic, id, epoch, NULL, 0, false)));
        assert_string_equal(told(out), "");
        assert_i64_equal(ks_now_ms(w->kernel) - from, 501);
    }
    post(w, 1, 1, patient(next_fetch(w, topic, id, 4, NULL, 0, false)));
    run_ms(w, 100);
    fill(w, topic, 1);
    int64_t from = ks_now_ms(w->kernel);
    ks_fetch_response *out = poll_line(w, 1);
    assert_string_equal(told(out), "1");
    assert_true(ks_now_ms(w->kernel) - from <= 1);
    assert_string_equal(told(ask(w, 1, patient(next_fetch(w, topic, id, 5, NULL, 0, false)))), "1"); /* the client has not moved on */
}

static void a_session_without_its_client_is_met_once_by_appends(void **state) {
    world *w = *state;
    ks_topic *topic = make_topic(w, "t", 2, 1);
    int32_t id = start(w, topic);
    post(w, 1, 1, patient(next_fetch(w, topic, id, 1, NULL, 0, false)));
    run_ms(w, 100);
    ks_connection_close(w->lines[1].connection);
    w->lines[1].connection = NULL;
    run_ms(w, 600);
    assert_non_null(topic->partitions[0]->fetches); /* it may go on on another connection */
    fill(w, topic, 0);
    assert_null(topic->partitions[0]->fetches);
    assert_non_null(topic->partitions[1]->fetches);
    ks_fetch_response *out = ask(w, 1, patient(next_fetch(w, topic, id, 2, NULL, 0, false)));
    assert_string_equal(told(out), "0");
}

static void a_second_request_for_a_session_ends_the_wait_of_the_first(void **state) {
    world *w = *state;
    ks_topic *topic = make_topic(w, "t", 2, 1);
    int32_t id = start(w, topic);
    post(w, 1, 1, patient(next_fetch(w, topic, id, 1, NULL, 0, false)));
    run_ms(w, 100);
    post(w, 2, 1, patient(next_fetch(w, topic, id, 2, NULL, 0, false)));
    ks_fetch_response *out = poll_line(w, 1);
    assert_int_equal(out->error_code, KAFKA_ERR_INVALID_FETCH_SESSION_EPOCH);
    out = poll_line(w, 2);
    assert_int_equal(out->error_code, 0);
    post(w, 1, 1, patient(next_fetch(w, topic, id, 3, NULL, 0, false))); /* one that waits while its session is replaced is still answered */
    run_ms(w, 100);
    assert_true(((ks_fetch_response *)ask(w, 1, next_fetch(w, topic, id, 0, both, 2, false)))->session_id != id);
    out = poll_line(w, 1);
    assert_int_equal(out->error_code, 0);
    assert_int_equal(go(w, topic, id, 4, NULL, 0)->error_code, KAFKA_ERR_FETCH_SESSION_ID_NOT_FOUND);
}

/* ---- room ---- */

static void places_are_given_as_kafka_gives_them(void **state) { /* FetchSessionCache.tryEvict */
    (void)state;
    world small_one, *w = &small_one;
    const ks_config_entry few = { "max.incremental.fetch.session.cache.slots", "2" };
    world_init(w, &(ks_cluster_config){ .settings = &few, .setting_count = 1 });
    ks_topic *topic = make_topic(w, "t", 3, 1);
    const wish all[] = { { 0, 0, false }, { 1, 0, false }, { 2, 0, false } };
    int32_t small = go(w, topic, 0, 0, all, 1)->session_id, bigger = go(w, topic, 0, 0, all, 2)->session_id, epoch = 1;
    assert_int_equal(go(w, topic, 0, 0, all, 3)->session_id, 0); /* all are young */
    for (; epoch <= 3; epoch++) { /* in use, and old by now */
        run_ms(w, MINUTE_MS);
        assert_int_equal(go(w, topic, small, epoch, NULL, 0)->error_code, 0);
        assert_int_equal(go(w, topic, bigger, epoch, NULL, 0)->error_code, 0);
    }
    assert_int_equal(go(w, topic, 0, 0, all, 1)->session_id, 0); /* no bigger than the smallest */
    int32_t biggest = go(w, topic, 0, 0, all, 3)->session_id;
    assert_true(biggest > 0);
    assert_int_equal(go(w, topic, small, epoch, NULL, 0)->error_code, KAFKA_ERR_FETCH_SESSION_ID_NOT_FOUND);
    assert_int_equal(go(w, topic, bigger, epoch, NULL, 0)->error_code, 0);
    run_ms(w, 2 * MINUTE_MS); /* to the millisecond: not yet idle */
    run_ms(w, 10);
    assert_true(go(w, topic, 0, 0, all, 1)->session_id > 0); /* the oldest was idle for more than two minutes */
    assert_int_equal(go(w, topic, biggest, 1, NULL, 0)->error_code, KAFKA_ERR_FETCH_SESSION_ID_NOT_FOUND);
    world_deinit(w);
}

static void without_places_every_fetch_is_full(void **state) {
    (void)state;
    world w;
    const ks_config_entry none = { "max.incremental.fetch.session.cache.slots", "0" };
    world_init(&w, &(ks_cluster_config){ .settings = &none, .setting_count = 1 });
    ks_topic *topic = make_topic(&w, "t", 2, 1);
    for (int i = 0; i < 3; i++) {
        ks_fetch_response *out = go(&w, topic, 0, 0, both, 2);
        assert_int_equal(out->session_id, 0);
        assert_string_equal(told(out), "01");
    }
    world_deinit(&w);
}

/* ---- random steps: the news add up to what a full fetch says ---- */

enum { MOST = 40, STEPS = 3000 }; /* partitions: more than are found without an index */

typedef struct view {
    bool wanted;
    int64_t offset, high_watermark, log_start;
    int16_t error;
    int32_t bytes; /* of the last answer */
} view;

static void take_in(const ks_fetch_response *out, view *views) {
    for (int32_t i = 0; i < out->responses.count; i++)
        for (int32_t j = 0; j < out->responses.items[i].partitions.count; j++) {
            const ks_fetch_response_partition_data *data = &out->responses.items[i].partitions.items[j];
            view *v = &views[data->partition_index];
            *v = (view){ true, v->offset, data->high_watermark, data->log_start_offset, data->error_code, data->records.size };
        }
}

static int64_t below(world *w, int64_t bound) { return (int64_t)ks_random_below(w->kernel, KS_STREAM_TEST, (uint64_t)bound); }

static void the_news_add_up_to_a_full_fetch(void **state) {
    world *w = *state;
    ks_topic *topic = make_topic(w, "t", MOST, 1);
    view views[MOST] = { { 0 } };
    int32_t id = 0, epoch = 0, wanted = 0;
    for (int step = 0; step < STEPS; step++) {
        wish wishes[2 * MOST];
        int32_t count = 0, p = (int32_t)below(w, MOST);
        if (below(w, 2)) fill(w, topic, p);
        if (below(w, 10) == 0 && topic->partitions[p]->log) ks_log_raise_start(topic->partitions[p]->log, below(w, ks_log_end_offset(topic->partitions[p]->log) + 1));
        for (int64_t changes = below(w, step % 100 == 0 ? 2 * MOST : 3); changes > 0; changes--) {
            p = (int32_t)below(w, MOST);
            bool named = false;
            for (int32_t i = 0; i < count; i++) named |= wishes[i].partition == p;
            if (named) continue;
            bool forget = views[p].wanted && below(w, 3) == 0 && wanted > 1;
            int64_t end = ks_log_end_offset(topic->partitions[p]->log);
            wanted += forget ? -1 : !views[p].wanted;
            views[p].wanted = !forget;
            views[p].offset = below(w, end + 2); /* one behind the end is out of range */
            wishes[count++] = (wish){ p, views[p].offset, forget };
        }
        if (epoch == 0) { /* a full fetch names all that is wanted */
            count = 0;
            for (int32_t i = 0; i < MOST; i++)
                if (views[i].wanted) wishes[count++] = (wish){ i, views[i].offset, false };
            if (count == 0) continue;
        }
        for (int32_t i = 0; i < MOST; i++) views[i].bytes = 0;
        ks_fetch_response *out = ask(w, 1, patient(next_fetch(w, topic, id, epoch, wishes, count, false)));
        assert_int_equal(out->error_code, 0);
        id = out->session_id;
        epoch++;
        assert_true(id > 0);
        take_in(out, views);
        count = 0;
        for (int32_t i = 0; i < MOST; i++)
            if (views[i].wanted) wishes[count++] = (wish){ i, views[i].offset, false };
        view full[MOST] = { { 0 } };
        for (int32_t i = 0; i < MOST; i++) full[i].offset = views[i].offset;
        take_in(go(w, topic, 0, -1, wishes, count), full);
        for (int32_t i = 0; i < MOST; i++)
            if (views[i].wanted && memcmp(&views[i], &full[i], sizeof *full) != 0)
                fail_msg("step %d, partition %d: high watermark %lld, not %lld; log start %lld, not %lld; error %d, not %d; %d bytes, not %d", step,
                         i, (long long)views[i].high_watermark, (long long)full[i].high_watermark, (long long)views[i].log_start,
                         (long long)full[i].log_start, views[i].error, full[i].error, views[i].bytes, full[i].bytes);
        if (below(w, 200) == 0) epoch = 0; /* starts anew */
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_answer_tells_only_what_is_new, setup, teardown),
        cmocka_unit_test_setup_teardown(whoever_gave_records_comes_after_the_others, setup, teardown),
        cmocka_unit_test_setup_teardown(an_error_is_told_until_it_is_over_and_once_more, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_asked_of_no_session_gets_kafkas_error, setup, teardown),
        cmocka_unit_test_setup_teardown(sessions_end_as_their_client_says, setup, teardown),
        cmocka_unit_test_setup_teardown(versions_below_13_have_sessions_by_name, setup, teardown),
        cmocka_unit_test_setup_teardown(a_brokers_sessions_die_with_it, setup, teardown),
        cmocka_unit_test_setup_teardown(an_idle_session_waits_and_is_woken, setup, teardown),
        cmocka_unit_test_setup_teardown(a_session_without_its_client_is_met_once_by_appends, setup, teardown),
        cmocka_unit_test_setup_teardown(a_second_request_for_a_session_ends_the_wait_of_the_first, setup, teardown),
        cmocka_unit_test(places_are_given_as_kafka_gives_them),
        cmocka_unit_test(without_places_every_fetch_is_full),
        cmocka_unit_test_setup_teardown(the_news_add_up_to_a_full_fetch, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
