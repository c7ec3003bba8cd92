/* SPDX-License-Identifier: Apache-2.0
 *
 * Names, sentences and flags of errors, all from the table in <kafkasim/error_table.h>; and kafka-go's view of them
 * (error.go: Error(), Title(), Temporary(), Timeout()).
 *
 * kafka-go's title is Kafka's name in words, apart from a few that Kafka has renamed since. Where kafka-go leaves title
 * and description empty ("[13] : "), or knows no such code (107 and up), the name in words is filled in.
 */
#include "sim/protocol/error.h"

#include <stdio.h>

enum { POSITION_OUT_OF_RANGE = 99 }; /* named by kafka-go alone; Kafka has retired it */

const char *kafka_error_name(kafka_error error) {
    switch ((int)error) {
    case KAFKA_OK: return "NONE";
#define NAME(name, code, retriable, text)                                                                              \
    case code: return #name;
        KAFKA_ERROR_TABLE_BROKER(NAME)
        KAFKA_ERROR_TABLE_CLIENT(NAME)
#undef NAME
    default: return "UNKNOWN_CODE";
    }
}

const char *kafka_error_text(kafka_error error) {
    switch ((int)error) {
    case KAFKA_OK: return "no error";
    case POSITION_OUT_OF_RANGE: return "the asked position is not in the log";
#define TEXT(name, code, retriable, text)                                                                              \
    case code: return text;
        KAFKA_ERROR_TABLE_BROKER(TEXT)
        KAFKA_ERROR_TABLE_CLIENT(TEXT)
#undef TEXT
    default: return "a code that no table names";
    }
}

bool kafka_error_is_retriable(kafka_error error) {
    switch ((int)error) {
#define RETRIABLE(name, code, retriable, text)                                                                         \
    case code: return (retriable) != 0;
        KAFKA_ERROR_TABLE_BROKER(RETRIABLE)
        KAFKA_ERROR_TABLE_CLIENT(RETRIABLE)
#undef RETRIABLE
    default: return false;
    }
}

bool kafka_error_is_temporary(kafka_error error) {
    switch ((int)error) {
    case KAFKA_ERR_REPLICA_NOT_AVAILABLE:
    case KAFKA_ERR_CONCURRENT_TRANSACTIONS: return false;
    case KAFKA_ERR_NO_REASSIGNMENT_IN_PROGRESS:
    case KAFKA_ERR_GROUP_SUBSCRIBED_TO_TOPIC: return true;
    default: break;
    }
    return error <= KAFKA_ERR_FETCH_SESSION_TOPIC_ID_ERROR && kafka_error_is_retriable(error);
}

bool kafka_error_is_timeout(kafka_error error) {
    return error == KAFKA_ERR_REQUEST_TIMED_OUT || error == KAFKA_ERR_DEADLINE_EXCEEDED;
}

bool ks_error_refreshes_metadata(kafka_error error) {
    switch ((int)error) {
    case KAFKA_ERR_UNKNOWN_TOPIC_OR_PARTITION:
    case KAFKA_ERR_LEADER_NOT_AVAILABLE:
    case KAFKA_ERR_NOT_LEADER_OR_FOLLOWER:
    case KAFKA_ERR_REPLICA_NOT_AVAILABLE:
    case KAFKA_ERR_NETWORK_EXCEPTION:
    case KAFKA_ERR_KAFKA_STORAGE_ERROR:
    case KAFKA_ERR_LISTENER_NOT_FOUND:
    case KAFKA_ERR_FENCED_LEADER_EPOCH:
    case KAFKA_ERR_PREFERRED_LEADER_NOT_AVAILABLE:
    case KAFKA_ERR_ELIGIBLE_LEADERS_NOT_AVAILABLE:
    case KAFKA_ERR_ELECTION_NOT_NEEDED:
    case KAFKA_ERR_UNKNOWN_TOPIC_ID:
    case KAFKA_ERR_INCONSISTENT_TOPIC_ID: return true;
    default: return false;
    }
}

/* ---- kafka-go's titles ---- */

static const char *renamed_title(kafka_error error) {
    switch ((int)error) {
    case KAFKA_ERR_UNKNOWN_SERVER_ERROR: return "Unknown";
    case KAFKA_ERR_CORRUPT_MESSAGE: return "Invalid Message";
    case KAFKA_ERR_INVALID_FETCH_SIZE: return "Invalid Message Size";
    case KAFKA_ERR_NOT_LEADER_OR_FOLLOWER: return "Not Leader For Partition";
    case KAFKA_ERR_MESSAGE_TOO_LARGE: return "Message Size Too Large";
    case KAFKA_ERR_COORDINATOR_LOAD_IN_PROGRESS: return "Group Load In Progress";
    case KAFKA_ERR_COORDINATOR_NOT_AVAILABLE: return "Group Coordinator Not Available";
    case KAFKA_ERR_NOT_COORDINATOR: return "Not Coordinator For Group";
    case KAFKA_ERR_INVALID_TOPIC_EXCEPTION: return "Invalid Topic";
    case KAFKA_ERR_INVALID_PARTITIONS: return "Invalid Partition Number";
    case KAFKA_ERR_INVALID_CONFIG: return "Invalid Configuration";
    case KAFKA_ERR_INVALID_TXN_STATE: return "Invalid Transaction State";
    case KAFKA_ERR_OPERATION_NOT_ATTEMPTED:
        return "Broker Authorization Failed"; /* kafka-go is wrong here; the text says it */
    case KAFKA_ERR_ELIGIBLE_LEADERS_NOT_AVAILABLE: return "Eligible Leader Not Available";
    case POSITION_OUT_OF_RANGE: return "Position Out Of Range";
    default: return NULL;
    }
}

static bool is_acronym(const char *word, size_t size) {
    return (size == 2 && memcmp(word, "ID", 2) == 0) || (size == 4 && memcmp(word, "SASL", 4) == 0);
}

static void words_of_name(const char *name, ks_buffer *out) { /* UNKNOWN_TOPIC_ID: Unknown Topic ID */
    for (const char *word = name; *word != '\0';) {
        size_t size = strcspn(word, "_");
        ks_buffer_append(out, word, is_acronym(word, size) ? size : 1);
        for (size_t i = 1; i < size && !is_acronym(word, size); i++) {
            char lower = (char)(word[i] - 'A' + 'a');
            ks_buffer_append(out, &lower, 1);
        }
        word += size;
        if (*word == '_') {
            ks_buffer_text(out, " ");
            word++;
        }
    }
}

void ks_error_title(kafka_error error, ks_buffer *out) {
    const char *renamed = renamed_title(error), *name = kafka_error_name(error);
    if (renamed != NULL)
        ks_buffer_text(out, renamed);
    else if (strcmp(name, "UNKNOWN_CODE") != 0)
        words_of_name(name, out);
}

char *kafka_error_format(kafka_error error, char *buffer, size_t size) {
    if (size == 0) return buffer;
    if (error == KAFKA_OK || error <= KAFKA_ERR_CLOSED) { /* kafka-go's client errors have no code, only words */
        snprintf(buffer, size, "%s", kafka_error_text(error));
        return buffer;
    }
    ks_buffer title = { 0 };
    ks_buffer_text(&title, "");
    ks_error_title(error, &title);
    snprintf(buffer, size, "[%d] %s: %s", (int)error, (const char *)title.data,
             title.size ? kafka_error_text(error) : "");
    ks_buffer_deinit(&title);
    return buffer;
}

bool ks_error_find_name(const char *name, kafka_error *error) {
    static const struct {
        const char *name;
        int code;
    } table[] = { { "NONE", 0 },
#define ROW(name, code, retriable, text) { #name, code },
                  KAFKA_ERROR_TABLE_BROKER(ROW) KAFKA_ERROR_TABLE_CLIENT(ROW)
#undef ROW
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        if (strcmp(table[i].name, name) != 0) continue;
        *error = (kafka_error)table[i].code;
        return true;
    }
    return false;
}
