/* SPDX-License-Identifier: Apache-2.0
 *
 * Errors: Kafka's codes with Kafka's names, and the client's own from -1000 down.
 */
#ifndef KAFKASIM_ERROR_H
#define KAFKASIM_ERROR_H

#include <kafkasim/base.h>
#include <kafkasim/error_table.h>

KAFKA_BEGIN

/** What a call answers. KAFKA_OK is 0 (Kafka's NONE); the others are made from the table in error_table.h:
 *  KAFKA_ERR_NOT_COORDINATOR and so on. */
typedef enum kafka_error {
    KAFKA_OK = 0,
#define KAFKA_ERROR_ENUM(name, code, retriable, text) KAFKA_ERR_##name = (code),
    KAFKA_ERROR_TABLE_BROKER(KAFKA_ERROR_ENUM) KAFKA_ERROR_TABLE_CLIENT(KAFKA_ERROR_ENUM)
#undef KAFKA_ERROR_ENUM
} kafka_error;

/** Kafka's spelling, e.g. "NOT_COORDINATOR"; "UNKNOWN_CODE" for a number that no table names. Static; never NULL. */
KAFKA_API const char *kafka_error_name(kafka_error error);
/** One sentence for a person. Static; never NULL. */
KAFKA_API const char *kafka_error_text(kafka_error error);
/** As kafka-go prints it: "[10] Message Size Too Large: ...". Writes at most `size` bytes with the NUL; returns `buffer`. */
KAFKA_API char *kafka_error_format(kafka_error error, char *buffer, size_t size);
/** Kafka's own view: may the same request succeed later? (Errors.java: RetriableException) */
KAFKA_API bool kafka_error_is_retriable(kafka_error error);
/** kafka-go's view, error.go Temporary(): differs for codes 9, 51, 85, 86. */
KAFKA_API bool kafka_error_is_temporary(kafka_error error);
/** kafka-go's Timeout(): REQUEST_TIMED_OUT and DEADLINE_EXCEEDED. */
KAFKA_API bool kafka_error_is_timeout(kafka_error error);

KAFKA_END

#endif
