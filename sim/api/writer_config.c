/* SPDX-License-Identifier: Apache-2.0
 *
 * Checking a writer's config and filling in kafka-go's defaults (writer.go); and the texts of a writer's small enums
 * and of a list of errors.
 */
#include "sim/api/writer_config.h"

#include <stdio.h>

#include "sim/client/balancer.h"

static int64_t or_default(int64_t value, int64_t fallback) { return value > 0 ? value : fallback; }

/* Wider than any sane batch, and far from where a batch's 32-bit length would end. */
#define BATCH_BYTES_MAX ((int64_t)1 << 29)

static bool check(const kafka_writer_config *config, char *problem, size_t size) {
    const char *balancer = ks_balancer_problem(&config->balancer);
    int32_t acks = config->required_acks, codec = config->compression;
    problem[0] = 0;
    if (acks < -1 || acks > 1)
        snprintf(problem, size, "required_acks is %d; allowed are KAFKA_ACKS_NONE, _ONE and _ALL (0, 1, -1)",
                 (int)acks);
    else if (codec < KAFKA_COMPRESSION_NONE || codec > KAFKA_COMPRESSION_ZSTD)
        snprintf(problem, size,
                 "compression is %d; allowed are KAFKA_COMPRESSION_NONE, _GZIP, _SNAPPY, _LZ4, _ZSTD (0 to 4)",
                 (int)codec);
    else if (*balancer)
        snprintf(problem, size, "balancer %s", balancer);
    else if (config->batch_bytes > BATCH_BYTES_MAX)
        snprintf(problem, size, "batch_bytes is %lld; at most %lld is allowed", (long long)config->batch_bytes,
                 (long long)BATCH_BYTES_MAX);
    else if (config->write_backoff_min > 0 && config->write_backoff_max > 0 &&
             config->write_backoff_max < config->write_backoff_min)
        snprintf(problem, size, "write_backoff_max (%lld ns) is below write_backoff_min (%lld ns)",
                 (long long)config->write_backoff_max, (long long)config->write_backoff_min);
    return problem[0] == 0;
}

bool ks_writer_settings_init(ks_writer_settings *settings, const kafka_writer_config *config, char *problem,
                             size_t size) {
    if (!check(config, problem, size)) return false;
    *settings = (ks_writer_settings){
        .read_timeout = or_default(config->read_timeout, 10 * KAFKA_SECOND),
        .async = config->async,
        .allow_auto_topic_creation = config->allow_auto_topic_creation,
        .completion = config->completion,
        .completion_argument = config->completion_argument,
        .engine = {
            .max_attempts = (int32_t)or_default(config->max_attempts, 10),
            .batch_size = (int32_t)or_default(config->batch_size, 100),
            .batch_bytes = or_default(config->batch_bytes, 1048576),
            .backoff_min = or_default(config->write_backoff_min, 100 * KAFKA_MILLISECOND),
            .backoff_max = or_default(config->write_backoff_max, KAFKA_SECOND),
            .batch_timeout = or_default(config->batch_timeout, KAFKA_SECOND),
            .write_timeout = or_default(config->write_timeout, 10 * KAFKA_SECOND),
            .acks = (int16_t)config->required_acks,
            .codec = (ks_codec)config->compression,
        },
    };
    if (config->topic != NULL && *config->topic) settings->topic = ks_strndup(config->topic, strlen(config->topic));
    return true;
}

void ks_writer_settings_deinit(ks_writer_settings *settings) {
    ks_free(settings->topic);
    settings->topic = NULL;
}

const char *kafka_required_acks_name(kafka_required_acks acks) {
    switch (acks) {
    case KAFKA_ACKS_ALL: return "all";
    case KAFKA_ACKS_NONE: return "none";
    case KAFKA_ACKS_ONE: return "one";
    }
    return "?";
}

const char *kafka_compression_name(kafka_compression compression) {
    bool known = (int)compression >= KAFKA_COMPRESSION_NONE && (int)compression <= KAFKA_COMPRESSION_ZSTD;
    return known ? ks_codec_name((ks_codec)compression) : "?";
}

size_t kafka_write_errors_count(const kafka_error *errors, size_t count) {
    size_t failed = 0;
    for (size_t i = 0; errors != NULL && i < count; i++) failed += errors[i] != KAFKA_OK;
    return failed;
}

char *kafka_write_errors_format(const kafka_error *errors, size_t count, char *buffer, size_t size) {
    if (buffer == NULL || size == 0) return buffer;
    ks_buffer text = { 0 };
    ks_buffer_printf(&text, "Kafka write errors (%zu/%zu), errors: [", kafka_write_errors_count(errors, count), count);
    for (size_t i = 0; errors != NULL && i < count && text.size < size; i++) { /* what would be cut need not be made */
        char one[256];
        if (i > 0) ks_buffer_text(&text, " ");
        ks_buffer_text(&text, errors[i] == KAFKA_OK ? "<nil>" : kafka_error_format(errors[i], one, sizeof one));
    }
    ks_buffer_text(&text, "]");
    snprintf(buffer, size, "%s", (const char *)text.data);
    ks_buffer_deinit(&text);
    return buffer;
}
