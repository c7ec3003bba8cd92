/* SPDX-License-Identifier: Apache-2.0
 *
 * The words all of kafkasim's public headers share: visibility, bytes, durations.
 */
#ifndef KAFKASIM_BASE_H
#define KAFKASIM_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#ifdef __cplusplus
#define KAFKA_BEGIN extern "C" {
#define KAFKA_END }
#else
#define KAFKA_BEGIN
#define KAFKA_END
#endif

#if defined(KAFKASIM_STATIC) || !defined(__GNUC__)
#define KAFKA_API
#else
#define KAFKA_API __attribute__((visibility("default")))
#endif

#if defined(__GNUC__)
#define KAFKA_PRINTF(format_index, first) __attribute__((format(printf, format_index, first)))
#define KAFKA_MUST_CHECK __attribute__((warn_unused_result))
#else
#define KAFKA_PRINTF(format_index, first)
#define KAFKA_MUST_CHECK
#endif

KAFKA_BEGIN

/** A span of virtual (on a real cluster: real) time in nanoseconds. */
typedef int64_t kafka_duration;
/** An instant: nanoseconds since the Unix epoch, UTC. 0 means "unset" wherever a time is optional. */
typedef int64_t kafka_time;

#define KAFKA_NANOSECOND  ((kafka_duration)1)
#define KAFKA_MICROSECOND ((kafka_duration)1000)
#define KAFKA_MILLISECOND ((kafka_duration)1000000)
#define KAFKA_SECOND      ((kafka_duration)1000000000)
#define KAFKA_MINUTE      (60 * KAFKA_SECOND)
#define KAFKA_HOUR        (60 * KAFKA_MINUTE)

/** Bytes that somebody else owns. `data` NULL with `size` 0 is Kafka's null, non-NULL with `size` 0 is empty:
 *  a message with a null value is a tombstone, one with an empty value is not. */
typedef struct kafka_bytes {
    const void *data; /**< borrowed or a view, as the function says */
    size_t size;      /**< in bytes */
} kafka_bytes;

/** The bytes of a C string without its NUL; NULL gives null bytes. Borrows `text`. */
static inline kafka_bytes kafka_string(const char *text) {
    kafka_bytes bytes = { text, text ? strlen(text) : 0 };
    return bytes;
}

/** True when both are null, or both are not and hold the same bytes. */
static inline bool kafka_bytes_equal(kafka_bytes a, kafka_bytes b) {
    return (a.data == NULL) == (b.data == NULL) && a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

KAFKA_END

#endif
