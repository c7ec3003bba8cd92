/* SPDX-License-Identifier: Apache-2.0
 * What a scenario expects, and whether it holds. The words are right already: check_expect.c has seen them.
 */
#include "sim/scenario/session.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "sim/scenario/places.h"

static const char *word(const ks_command_line *command, int32_t index) { return command->words[index].text.data; }

static ks_run_result unless(bool holds, char *problem, size_t size, const char *format, ...) __attribute__((format(printf, 4, 5)));
static ks_run_result unless(bool holds, char *problem, size_t size, const char *format, ...) {
    if (holds) return KS_RUN_FINE;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(problem, size, format, arguments);
    va_end(arguments);
    return KS_RUN_FAILED;
}

/* ---- groups ---- */

const char *ks_session_state(ks_session *session, const char *group) {
    const ksim_group *found = ksim_group_find(session->sim, group);
    return found != NULL ? found->state : "Dead"; /* as Kafka's admin says of a group that is not there */
}

int64_t ks_session_lag(ks_session *session, ks_string group) {
    int64_t lag = 0;
    ks_topic_place place = { 0 };
    for (const char *name; (name = ks_session_next_topic(session, group, &place)) != NULL;) {
        const ksim_topic *topic = ksim_topic_find(session->sim, name);
        for (size_t p = 0; topic != NULL && p < topic->partition_count; p++) {
            int64_t committed = ksim_committed_offset(session->sim, group.data, name, (int32_t)p);
            int64_t behind = topic->partitions[p].high_watermark - (committed >= 0 ? committed : topic->partitions[p].log_start_offset);
            lag += behind > 0 ? behind : 0;
        }
    }
    return lag;
}

/* One after the other, each topic that a consumer of the group subscribes to. */
const char *ks_session_next_topic(const ks_session *session, ks_string group, ks_topic_place *place) {
    if (place->actor == NULL && place->index == 0) place->actor = session->actors;
    for (; place->actor != NULL; place->actor = place->actor->next, place->index = 0) {
        if (!ks_string_equal(place->actor->group, group)) continue;
        while (place->index < place->actor->topic_count) {
            const char *name = place->actor->topics[place->index++];
            bool seen = false; /* at a consumer before this one */
            for (const ks_actor *other = session->actors; other != place->actor && !seen; other = other->next)
                for (int32_t t = 0; ks_string_equal(other->group, group) && t < other->topic_count; t++) seen |= strcmp(other->topics[t], name) == 0;
            if (!seen) return name;
        }
    }
    place->index = 1; /* and no more */
    return NULL;
}

typedef struct share { ks_string owner; ks_spots spots; } share;
typedef KS_VEC(share) shares;

static int by_owner(const void *a, const void *b) { return ks_string_compare(((const share *)a)->owner, ((const share *)b)->owner); }

/* "c1=orders[0,1] c2=none" of shares, which are sorted and let go. */
static char *shares_text(shares *all) {
    ks_buffer text = { 0 };
    if (all->count > 0) qsort(all->items, (size_t)all->count, sizeof *all->items, by_owner);
    ks_buffer_text(&text, all->count == 0 ? "nobody" : "");
    for (int32_t i = 0; i < all->count; i++) {
        ks_spots_sort(&all->items[i].spots);
        ks_buffer_printf(&text, "%s%.*s=", i > 0 ? " " : "", (int)all->items[i].owner.size, all->items[i].owner.data);
        ks_spots_write(&all->items[i].spots, &text);
        ks_free(all->items[i].spots.items);
    }
    ks_free(all->items);
    return ks_buffer_take(&text);
}

static ks_run_result expect_assignment(ks_session *session, const ks_command_line *command, char *problem, size_t size) {
    shares wanted = { 0 }, found = { 0 };
    ks_token_place place = { 0 };
    ks_token token;
    for (int32_t i = 0; ks_token_next(command, &place, &token); i++) {
        if (i < 2) continue;
        if (token.value != NULL) KS_PUSH(wanted, (share){ .owner = token.word->text });
        ks_spots_parse(token.value != NULL ? token.value->text : token.word->text, &wanted.items[wanted.count - 1].spots);
    }
    const ksim_group *group = ksim_group_find(session->sim, word(command, 1));
    for (size_t m = 0; group != NULL && m < group->member_count; m++) {
        const ksim_member *member = &group->members[m];
        share one = { .owner = ks_str(member->client) };
        for (size_t p = 0; p < member->assigned_count; p++) KS_PUSH(one.spots, (ks_spot){ ks_str(member->assigned[p].topic), member->assigned[p].partition });
        KS_PUSH(found, one);
    }
    char *is = shares_text(&found), *should = shares_text(&wanted);
    ks_run_result result = unless(strcmp(is, should) == 0, problem, size, "assignment of group %s: is %.400s, expected %.400s", word(command, 1), is, should);
    ks_free(is);
    ks_free(should);
    return result;
}

static ks_run_result expect_state(ks_session *session, const ks_command_line *command, char *problem, size_t size) {
    const char *name = word(command, 1), *state = ks_session_state(session, name);
    const ksim_group *group = ksim_group_find(session->sim, name);
    int64_t wanted = ks_pair_int(command, "generation", -1), generation = group != NULL ? group->generation : -1;
    if (strcmp(state, word(command, 2)) != 0) return unless(false, problem, size, "%s is %s, not %s", name, state, word(command, 2));
    return unless(wanted < 0 || generation == wanted, problem, size, "%s has generation %lld, not %lld", name, (long long)generation, (long long)wanted);
}

static ks_run_result expect_member(ks_session *session, const ks_command_line *command, char *problem, size_t size) {
    const ksim_group *group = ksim_group_find(session->sim, word(command, 1));
    const ksim_member *member = NULL;
    int64_t epoch = ks_pair_int(command, "epoch", -1);
    const char *state = ks_pair_text(command, "state", NULL), *name = word(command, 2);
    for (size_t m = 0; group != NULL && m < group->member_count && member == NULL; m++)
        if (strcmp(group->members[m].client, name) == 0) member = &group->members[m];
    if (member == NULL) return unless(false, problem, size, "%s is no member of %s", name, word(command, 1));
    if (epoch >= 0 && member->epoch != epoch) return unless(false, problem, size, "%s is at epoch %d, not %lld", name, member->epoch, (long long)epoch);
    if (state == NULL) return KS_RUN_FINE;
    if (member->state == NULL) return unless(false, problem, size, "%s is a member of the classic protocol, whose members have no state of their own", name);
    return unless(strcmp(member->state, state) == 0, problem, size, "%s is %s, not %s", name, member->state, state);
}

static ks_run_result expect_lag(ks_session *session, const ks_command_line *command, char *problem, size_t size) {
    int64_t wanted = 0, lag = ks_session_lag(session, command->words[1].text);
    ks_parse_int(command->words[2].text, &wanted);
    return unless(lag == wanted, problem, size, "the lag of %s is %lld, not %lld", word(command, 1), (long long)lag, (long long)wanted);
}

static ks_run_result expect_committed(ks_session *session, const ks_command_line *command, char *problem, size_t size) {
    ks_spot spot;
    int64_t wanted = -1;
    char topic[256], is[32] = "nothing";
    ks_spot_parse(command->words[2].text, &spot);
    snprintf(topic, sizeof topic, "%.*s", (int)spot.topic.size, spot.topic.data);
    ks_parse_int(command->words[3].text, &wanted);
    int64_t at = ksim_committed_offset(session->sim, word(command, 1), topic, spot.partition);
    if (at >= 0) snprintf(is, sizeof is, "%lld", (long long)at);
    return unless(at == wanted, problem, size, "%s has committed %s of %s, not %s", word(command, 1), is, word(command, 2), word(command, 3));
}

/* ---- records ---- */

static bool text_is(kafka_bytes bytes, ks_string text) {
    return bytes.data == NULL ? text.size == 0 : bytes.size == (size_t)text.size && memcmp(bytes.data, text.data, bytes.size) == 0;
}

/* "key=value", or "value" alone when the key does not count. */
static bool record_is(const ksim_record *record, ks_token token) {
    if (token.value != NULL) return text_is(record->key, token.word->text) && text_is(record->value, token.value->text);
    ks_string text = token.word->text;
    const char *equals = memchr(text.data, '=', (size_t)text.size);
    if (equals == NULL) return text_is(record->value, text);
    int32_t key = (int32_t)(equals - text.data);
    return text_is(record->key, (ks_string){ text.data, key }) && text_is(record->value, (ks_string){ equals + 1, text.size - key - 1 });
}

static ks_run_result expect_contents(ks_session *session, const ks_command_line *command, char *problem, size_t size) {
    ks_spot spot;
    char topic[256];
    size_t count, at = 0;
    ks_token_place place = { 0 };
    ks_token token;
    ks_spot_parse(command->words[1].text, &spot);
    snprintf(topic, sizeof topic, "%.*s", (int)spot.topic.size, spot.topic.data);
    const ksim_record *records = ksim_records(session->sim, topic, spot.partition, &count);
    for (int32_t i = 0; ks_token_next(command, &place, &token); i++) {
        if (i < 2) continue;
        if (at < count && !record_is(&records[at], token)) {
            const ksim_record *r = &records[at];
            return unless(false, problem, size, "%s@%lld is \"%.*s=%.*s\", not \"%.100s%s%.100s\"", word(command, 1), (long long)r->offset, (int)(r->key.size < 100 ? r->key.size : 100),
                          r->key.data != NULL ? (const char *)r->key.data : "", (int)(r->value.size < 100 ? r->value.size : 100), r->value.data != NULL ? (const char *)r->value.data : "",
                          token.word->text.data, token.value != NULL ? "=" : "", token.value != NULL ? token.value->text.data : "");
        }
        at++;
    }
    return unless(at == count, problem, size, "%s has %zu record%s, not %zu", word(command, 1), count, count == 1 ? "" : "s", at);
}

/* ---- deliveries ---- */

static int32_t times(const ks_book *book, int64_t offset) { return book != NULL && offset < book->capacity ? book->times[offset] : 0; }

/* How many records of the topics that the group reads were never delivered to it, be it that retention deleted them before;
 * `problem` names the first. O(records). */
static int64_t never_delivered(ks_session *session, ks_string group, char *problem, size_t size) {
    ks_topic_place place = { 0 };
    int64_t count = 0;
    for (const char *name; (name = ks_session_next_topic(session, group, &place)) != NULL;) {
        const ksim_topic *topic = ksim_topic_find(session->sim, name);
        for (size_t p = 0; topic != NULL && p < topic->partition_count; p++) {
            const ks_book *book = ks_session_book(session, group, ks_str(name), (int32_t)p, false);
            for (int64_t o = 0; o < topic->partitions[p].high_watermark; o++)
                if (times(book, o) == 0 && count++ == 0) snprintf(problem, size, "%s[%zu]@%lld was never delivered to %s", name, p, (long long)o, group.data);
        }
    }
    return count;
}

static ks_run_result expect_nothing_lost(ks_session *session, ks_string group, char *problem, size_t size) {
    return never_delivered(session, group, problem, size) == 0 ? KS_RUN_FINE : KS_RUN_FAILED;
}

static int64_t count_deliveries(ks_session *session, ks_string group, bool twice) {
    char first[600];
    int64_t count = 0;
    if (!twice) return never_delivered(session, group, first, sizeof first);
    for (ks_book *book = session->books; book != NULL; book = book->hh.next)
        if (ks_string_equal(book->group, group)) count += book->twice;
    return count;
}

/* Of this partition exactly the range was read twice, or skipped. */
static ks_run_result expect_range(ks_session *session, ks_string group, ks_string text, bool twice, char *problem, size_t size) {
    ks_range range;
    ks_spot spot;
    char topic[256];
    ks_range_parse(text, &range);
    ks_spot_parse(range.place, &spot);
    snprintf(topic, sizeof topic, "%.*s", (int)spot.topic.size, spot.topic.data);
    const ksim_partition *partition = ksim_partition_find(session->sim, topic, spot.partition);
    const ks_book *book = ks_session_book(session, group, spot.topic, spot.partition, false);
    int64_t end = partition != NULL ? partition->high_watermark : 0;
    for (int64_t o = 0; o < end; o++) {
        int32_t n = times(book, o);
        if ((twice ? n > 1 : n == 0) == (o >= range.from && o <= range.to)) continue;
        return unless(false, problem, size, "%s[%d]@%lld was delivered to %s %d time%s", topic, spot.partition, (long long)o, group.data, n, n == 1 ? "" : "s");
    }
    return unless(range.to < end, problem, size, "%s[%d] ends at %lld: there is no %lld..%lld", topic, spot.partition, (long long)end, (long long)range.from, (long long)range.to);
}

/* `read-twice` and `skipped` are written alike: a number, none, or exactly these offsets of a partition. */
static ks_run_result expect_deliveries(ks_session *session, const ks_command_line *command, bool twice, char *problem, size_t size) {
    ks_string group = command->words[1].text, what = command->words[2].text;
    int64_t number = 0;
    ks_run_result result = KS_RUN_FINE;
    if (!ks_string_equal(what, KS_LITERAL("none")) && !ks_parse_int(what, &number)) {
        for (int32_t i = 2; i < command->word_count && result == KS_RUN_FINE; i++) result = expect_range(session, group, command->words[i].text, twice, problem, size);
        return result;
    }
    int64_t count = count_deliveries(session, group, twice);
    return unless(count == number, problem, size, "%s: %lld record%s %s, not %lld", group.data, (long long)count, count == 1 ? " was" : "s were",
                  twice ? "delivered more than once" : "never delivered", (long long)number);
}

/* ---- what consumers saw ---- */

/* Are these the partitions that the command names after the consumer? */
static ks_run_result expect_spots(ks_spots *is, const ks_command_line *command, const char *verb, char *problem, size_t size) {
    ks_spots wanted = { 0 };
    ks_buffer texts[2] = { { 0 }, { 0 } };
    for (int32_t i = 2; i < command->word_count; i++) ks_spots_parse(command->words[i].text, &wanted);
    ks_spots_sort(is);
    ks_spots_sort(&wanted);
    ks_spots_write(is, &texts[0]);
    ks_spots_write(&wanted, &texts[1]);
    const char *was = (const char *)texts[0].data, *should = (const char *)texts[1].data;
    ks_run_result result = unless(strcmp(was, should) == 0, problem, size, "%s %s %.400s, not %.400s", word(command, 1), verb, was, should);
    for (int i = 0; i < 2; i++) ks_buffer_deinit(&texts[i]);
    ks_free(wanted.items);
    return result;
}

/* `log`: lines "c1=orders[0,1]". */
static ks_run_result expect_given_up(const ks_buffer *log, const ks_command_line *command, const char *verb, char *problem, size_t size) {
    ks_spots is = { 0 };
    ks_string name = command->words[1].text;
    const char *line = log->size > 0 ? (const char *)log->data : "";
    for (size_t length; *line != '\0'; line += length + (line[length] == '\n')) {
        length = strcspn(line, "\n");
        if ((int32_t)length > name.size && memcmp(line, name.data, (size_t)name.size) == 0 && line[name.size] == '=')
            ks_spots_parse((ks_string){ line + name.size + 1, (int32_t)length - name.size - 1 }, &is);
    }
    ks_run_result result = expect_spots(&is, command, verb, problem, size);
    ks_free(is.items);
    return result;
}

/* Its own view, not the group's. */
static ks_run_result expect_holds(ks_session *session, const ks_command_line *command, char *problem, size_t size) {
    return expect_spots(&ks_actor_find(session, command->words[1].text)->held, command, "holds", problem, size);
}

static ks_run_result expect_error(ks_session *session, const ks_command_line *command, char *problem, size_t size) {
    const ks_actor *actor = ks_actor_find(session, command->words[1].text);
    kafka_error wanted = KAFKA_OK;
    ks_error_of_name(word(command, 2), &wanted);
    return unless(actor->last_error == wanted, problem, size, "the last error of %s is %s, not %s", actor->name.data, kafka_error_name(actor->last_error), word(command, 2));
}

static ks_run_result expect_answer(ks_session *session, const ks_command_line *command, char *problem, size_t size) {
    kafka_error wanted = KAFKA_OK;
    int64_t count = ks_pair_int(command, "count", -1);
    ks_error_of_name(word(command, 3), &wanted);
    int64_t got = ks_session_answers(session, command->words[1].text, ks_api_find_name(word(command, 2))->key, (int16_t)wanted);
    if (count >= 0) return unless(got == count, problem, size, "%s got the answer %s to a %s %lld time%s, not %lld", word(command, 1), word(command, 3), word(command, 2), (long long)got, got == 1 ? "" : "s", (long long)count);
    return unless(got > 0, problem, size, "%s got no answer %s to a %s", word(command, 1), word(command, 3), word(command, 2));
}

ks_run_result ks_session_expect(ks_session *session, const ks_command_line *command, char *problem, size_t size) {
    const char *kind = word(command, 0);
    if (strcmp(kind, "assignment") == 0) return expect_assignment(session, command, problem, size);
    if (strcmp(kind, "state") == 0) return expect_state(session, command, problem, size);
    if (strcmp(kind, "member") == 0) return expect_member(session, command, problem, size);
    if (strcmp(kind, "lag") == 0) return expect_lag(session, command, problem, size);
    if (strcmp(kind, "committed") == 0) return expect_committed(session, command, problem, size);
    if (strcmp(kind, "contents") == 0) return expect_contents(session, command, problem, size);
    if (strcmp(kind, "nothing") == 0) return expect_nothing_lost(session, command->words[2].text, problem, size);
    if (strcmp(kind, "read-twice") == 0) return expect_deliveries(session, command, true, problem, size);
    if (strcmp(kind, "skipped") == 0) return expect_deliveries(session, command, false, problem, size);
    if (strcmp(kind, "revoked") == 0) return expect_given_up(&session->gave_up, command, "has given up", problem, size);
    if (strcmp(kind, "lost") == 0) return expect_given_up(&session->lost, command, "has lost", problem, size);
    if (strcmp(kind, "holds") == 0) return expect_holds(session, command, problem, size);
    if (strcmp(kind, "error") == 0) return expect_error(session, command, problem, size);
    return expect_answer(session, command, problem, size);
}
