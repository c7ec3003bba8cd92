/* SPDX-License-Identifier: Apache-2.0
 * The codec against frames of independent implementations: decode = fields, encode(fields) = bytes, in every version.
 */
#include "tests/protocol/json_struct.h"

#include "sim/protocol/frame.h"
#include "sim/protocol/wire_bytes.h"

static bool has_unknown_tags(const json_t *json) {
    const char *name;
    json_t *member;
    size_t i;
    json_object_foreach((json_t *)(uintptr_t)json, name,
                        member) if (strcmp(name, "_unknown_tags") == 0 || has_unknown_tags(member)) return true;
    json_array_foreach(json, i, member) if (has_unknown_tags(member)) return true;
    return false;
}

typedef struct wire_frame {
    const char *id;
    const ks_api *api;
    const ks_struct *type;
    int16_t key, version;
    bool is_request, flexible, unknown_tags;
    ks_bytes bytes, body; /* bytes: without the size prefix */
    const json_t *line;
} wire_frame;

static void check_request_header(const wire_frame *f) {
    ks_request_header header;
    ks_bytes body;
    assert_vector(ks_request_header_decode(f->bytes, &header, &body), f->id);
    assert_vector(header.api_key == f->key && header.api_version == f->version, f->id);
    assert_vector(header.correlation_id == number_of(f->line, "correlation_id"), f->id);
    const json_t *client_id = json_object_get(f->line, "client_id");
    assert_vector(ks_string_equal(header.client_id, ks_str(json_string_value(client_id))), f->id);
    assert_vector(ks_request_header_version(f->key, f->version) == number_of(f->line, "header_version"), f->id);
}

static ks_bytes body_of(const wire_frame *f) {
    ks_request_header header;
    ks_bytes body;
    int32_t correlation_id;
    if (f->is_request) {
        check_request_header(f);
        ks_request_header_decode(f->bytes, &header, &body);
        return body;
    }
    assert_vector(ks_response_header_decode(f->key, f->version, f->bytes, &correlation_id, &body), f->id);
    assert_vector(correlation_id == number_of(f->line, "correlation_id"), f->id);
    assert_vector(ks_response_header_version(f->key, f->version) == number_of(f->line, "header_version"), f->id);
    return body;
}

static void check_decoding(const wire_frame *f, const void *expected, ks_arena *arena) {
    ks_wire_fault fault;
    void *value = ks_arena_alloc(arena, f->type->size);
    int32_t taken = ks_struct_decode(f->type, f->version, f->flexible, f->body, arena, value, &fault);
    if (taken < 0)
        fail_msg("%s: %s (%s)", f->id, ks_wire_error_text(fault.error), fault.field ? fault.field->name : "");
    assert_vector(taken == f->body.size, f->id);
    if (!ks_struct_equal(f->type, value, expected)) {
        ks_buffer a = { 0 }, b = { 0 };
        ks_struct_json(f->type, value, 0, &a);
        ks_struct_json(f->type, expected, 0, &b);
        fail_msg("%s: decoded\n%s\nexpected\n%s", f->id, (char *)a.data, (char *)b.data);
    }
}

static void check_encoding(const wire_frame *f, const void *value) {
    ks_wire_fault fault;
    ks_buffer out = { 0 };
    if (!ks_struct_encode(f->type, f->version, f->flexible, value, &out, &fault))
        fail_msg("%s: %s (%s)", f->id, ks_wire_error_text(fault.error), fault.field ? fault.field->name : "");
    assert_bytes((ks_bytes){ out.data, (int32_t)out.size }, f->body, f->id, "encoding");
    ks_buffer_deinit(&out);
}

/* The frame cut anywhere is refused, or (when only tags were cut away) never read behind its end. */
static void check_cut(const wire_frame *f, ks_arena *arena) {
    ks_wire_fault fault;
    void *value = ks_arena_alloc(arena, f->type->size);
    for (int32_t size = 0; size < f->body.size; size += 1 + f->body.size / 50) {
        uint8_t *cut = malloc((size_t)size + 1); /* ASan guards its end */
        memcpy(cut, f->body.data, (size_t)size);
        uint8_t *exact = realloc(cut, size > 0 ? (size_t)size : 1);
        ks_bytes bytes = { exact, size };
        assert_vector(ks_struct_decode(f->type, f->version, f->flexible, bytes, arena, value, &fault) < 0, f->id);
        assert_vector(fault.error != KS_WIRE_OK, f->id);
        free(exact);
    }
}

static void check_frame(wire_frame *f) {
    ks_arena *arena = ks_arena_new();
    ks_bytes whole = unhex(arena, json_object_get(f->line, "hex"));
    assert_vector(whole.size > 4 && ks_load_i32(whole.data) == whole.size - 4, f->id);
    f->bytes = (ks_bytes){ whole.data + 4, whole.size - 4 };
    f->type = f->is_request ? f->api->request() : f->api->response();
    f->flexible = ks_api_is_flexible(f->key, f->version);
    f->body = body_of(f);
    void *value = ks_arena_alloc(arena, f->type->size);
    json_to_struct(f->type, json_object_get(f->line, "fields"), arena, value, f->id);
    check_decoding(f, value, arena);
    if (!f->unknown_tags) check_encoding(f, value);
    check_cut(f, arena);
    ks_arena_free(arena);
}

static void frames_of_other_implementations_are_read_and_written_to_the_byte(void **state) {
    int line_number = 0, checked = 0;
    FILE *file = ks_vectors_open("wire_frames.jsonl");
    if (file == NULL) return;
    for (json_t *line; (line = ks_vectors_next_json(file, "wire_frames.jsonl", &line_number)) != NULL;
         json_decref(line)) {
        wire_frame f = { .id = text_of(line, "id"),
                         .line = line,
                         .key = (int16_t)number_of(line, "key"),
                         .version = (int16_t)number_of(line, "version"),
                         .is_request = strcmp(text_of(line, "direction"), "request") == 0 };
        f.api = ks_api_find(f.key);
        f.unknown_tags = has_unknown_tags(json_object_get(line, "fields"));
        if (json_object_get(line, "body_version") != NULL) f.version = (int16_t)number_of(line, "body_version");
        if (f.api == NULL || f.version < f.api->since || f.version > f.api->until)
            continue; /* not served, not described */
        assert_string_equal(f.api->name, text_of(line, "api"));
        check_frame(&f);
        checked++;
    }
    fclose(file);
    assert_true(checked > 500);
}

/* ---- whole frames ---- */

static ks_envelope *heartbeat(ks_kernel *kernel) {
    ks_envelope *envelope = ks_envelope_new(kernel, KS_API_heartbeat, 4, ks_describe_heartbeat_request());
    ks_heartbeat_request *request = envelope->body;
    request->group_id = KS_LITERAL("billing");
    request->member_id = KS_LITERAL("c1-1");
    request->generation_id = 3;
    envelope->client_id = KS_LITERAL("c1");
    envelope->correlation_id = 77;
    return envelope;
}

static void an_envelope_becomes_a_frame_and_an_envelope_again(void **state) {
    ks_kernel *kernel = ks_kernel_new(&(ks_kernel_config){ .seed = 1 });
    ks_envelope *envelope = heartbeat(kernel);
    ks_wire_fault fault;
    ks_buffer frame = { 0 };
    assert_true(ks_envelope_encode(envelope, &frame, &fault));
    assert_int_equal(ks_load_i32(frame.data), frame.size - 4);
    ks_buffer_append(&frame, "more", 4); /* WR-8 */
    ks_envelope *again = ks_request_decode(kernel, (ks_bytes){ frame.data + 4, (int32_t)frame.size - 4 }, &fault);
    assert_non_null(again);
    assert_int_equal(again->correlation_id, 77);
    assert_true(ks_string_equal(again->client_id, KS_LITERAL("c1")));
    assert_true(ks_struct_equal(envelope->type, envelope->body, again->body));
    assert_null(ks_request_decode(kernel, (ks_bytes){ frame.data + 4, 15 }, &fault));
    assert_int_equal(fault.error, KS_WIRE_TRUNCATED);
    ks_envelope_free(kernel, envelope);
    ks_envelope_free(kernel, again);

    envelope = ks_envelope_new(kernel, KS_API_heartbeat, 4, ks_describe_heartbeat_response());
    envelope->is_response = true;
    envelope->correlation_id = -5;
    ((ks_heartbeat_response *)envelope->body)->error_code = 27;
    ks_buffer_clear(&frame);
    assert_true(ks_envelope_encode(envelope, &frame, &fault));
    again =
        ks_response_decode(kernel, KS_API_heartbeat, 4, (ks_bytes){ frame.data + 4, (int32_t)frame.size - 4 }, &fault);
    assert_non_null(again);
    assert_int_equal(again->correlation_id, -5);
    assert_true(again->is_response);
    assert_int_equal(((ks_heartbeat_response *)again->body)->error_code, 27);
    ks_envelope_free(kernel, envelope);
    ks_envelope_free(kernel, again);
    ks_buffer_deinit(&frame);
    ks_kernel_free(kernel);
}

/* ---- the wire check ---- */

static jmp_buf escape;
static char complaint[300];

static void note_complaint(void *context, const char *file, int line, const char *condition) {
    snprintf(complaint, sizeof complaint, "%s", condition);
    longjmp(escape, 1);
}

static void the_wire_check_gives_an_equal_message_and_keeps_the_blocks(void **state) {
    ks_kernel *kernel = ks_kernel_new(&(ks_kernel_config){ .seed = 1 });
    ks_envelope *envelope = ks_wire_check(kernel, heartbeat(kernel));
    ks_heartbeat_request *request = envelope->body;
    assert_true(ks_string_equal(request->group_id, KS_LITERAL("billing")));
    assert_int_equal(request->generation_id, 3);
    assert_int_equal(envelope->correlation_id, 77);
    assert_true(ks_string_equal(envelope->client_id, KS_LITERAL("c1")));
    ks_envelope_free(kernel, envelope);

    envelope = ks_envelope_new(kernel, KS_API_fetch, 10, ks_describe_fetch_response());
    envelope->is_response = true;
    ks_fetch_response *fetch = envelope->body;
    fetch->responses.count = 1;
    fetch->responses.items = ks_arena_alloc(envelope->arena, sizeof *fetch->responses.items);
    ks_struct_default(ks_describe_fetch_response_fetchable_topic_response(), fetch->responses.items);
    ks_fetch_response_fetchable_topic_response *topic = fetch->responses.items;
    topic->topic = KS_LITERAL("orders");
    topic->partitions.count = 2;
    topic->partitions.items = ks_arena_alloc(envelope->arena, 2 * sizeof *topic->partitions.items);
    ks_block *block = ks_block_new(3);
    memcpy(block->data, "abc", 3);
    for (int i = 0; i < 2; i++)
        ks_struct_default(ks_describe_fetch_response_partition_data(), &topic->partitions.items[i]);
    topic->partitions.items[0].records = (ks_bytes){ block->data, 3 };
    topic->partitions.items[1].records = ks_arena_bytes(envelope->arena, (ks_bytes){ (const uint8_t *)"xy", 2 });
    ks_envelope_hold(envelope, block);
    ks_block_release(block);
    assert_int_equal(block->references, 1);
    envelope = ks_wire_transcode(kernel, envelope);
    fetch = envelope->body;
    assert_ptr_equal(fetch->responses.items[0].partitions.items[0].records.data, block->data);
    assert_memory_equal(fetch->responses.items[0].partitions.items[1].records.data, "xy", 2);
    assert_int_equal(block->references, 1);
    ks_envelope_free(kernel, envelope);
    ks_kernel_free(kernel);
}

static void the_wire_check_names_what_a_version_cannot_carry(void **state) {
    ks_kernel *kernel = ks_kernel_new(&(ks_kernel_config){ .seed = 1 });
    ks_envelope *envelope = heartbeat(kernel);
    envelope->api_version = 2; /* group.instance.id came with v3 and may not be dropped */
    ((ks_heartbeat_request *)envelope->body)->group_instance_id = KS_LITERAL("static-1");
    ks_assertion_hook hook = { note_complaint, NULL, NULL };
    ks_assertion_hook_push(&hook);
    if (setjmp(escape) == 0) ks_wire_check(kernel, envelope);
    ks_assertion_hook_pop(&hook);
    assert_string_equal(
        complaint, "wire check: Heartbeat request v2: a field is set that this version cannot carry: GroupInstanceId");
    ks_envelope_free(kernel, envelope);
    ks_kernel_free(kernel);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frames_of_other_implementations_are_read_and_written_to_the_byte),
        cmocka_unit_test(an_envelope_becomes_a_frame_and_an_envelope_again),
        cmocka_unit_test(the_wire_check_gives_an_equal_message_and_keeps_the_blocks),
        cmocka_unit_test(the_wire_check_names_what_a_version_cannot_carry),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
