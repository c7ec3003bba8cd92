/* SPDX-License-Identifier: Apache-2.0
 *
 * Contexts as Go's package context has them, in C. What they do is in sim/task/context.c.
 */
#include <kafkasim/context.h>

#include "sim/api/address.h"
#include "sim/task/context.h"

#include <stdio.h>

static bool on_right_thread(const kafka_context *context) {
    return context && ks_runtime_right_thread(context->runtime);
}

kafka_context *kafka_background(kafka_address *address) {
    if (ks_address_check(address, "kafka_background")) return NULL;
    kafka_context *background = address->background;
    if (background->error && !ks_process_is_down(address->process)) { /* it was restarted: a new life */
        address->background = background = ks_context_background(address->runtime, background->node, address);
        ks_process_watch_start(address->process, &address->watch);
    }
    return background;
}

kafka_context *kafka_context_with_cancel(kafka_context *parent) {
    return on_right_thread(parent) ? ks_context_child(parent) : NULL;
}

kafka_context *kafka_context_with_deadline(kafka_context *parent, kafka_time deadline) {
    return on_right_thread(parent) ? ks_context_child_until(parent, deadline) : NULL;
}

kafka_context *kafka_context_with_timeout(kafka_context *parent, kafka_duration timeout) {
    if (!on_right_thread(parent)) return NULL;
    kafka_time now = ks_now(ks_runtime_kernel(parent->runtime));
    return ks_context_child_until(parent, timeout > INT64_MAX - now ? INT64_MAX : now + timeout);
}

void kafka_context_cancel(kafka_context *context) {
    if (!on_right_thread(context) || context->background) return;
    ks_runtime_fruitful(context->runtime);
    ks_context_end(context, KAFKA_ERR_CANCELED);
}

void kafka_context_free(kafka_context *context) {
    if (!on_right_thread(context) || context->background) return;
    ks_context_free(context);
}

kafka_error kafka_context_error(kafka_context *context) {
    if (context == NULL) return KAFKA_ERR_INVALID_ARGUMENT;
    if (!ks_runtime_right_thread(context->runtime)) return KAFKA_ERR_WRONG_THREAD;
    if (context->error)
        ks_runtime_ended_context(context->runtime, context, "kafka_context_error");
    else
        ks_runtime_fruitless(context->runtime, "kafka_context_error");
    return context->error;
}

bool kafka_context_deadline(kafka_context *context, kafka_time *deadline) {
    if (context == NULL || !context->has_deadline) return false;
    *deadline = context->deadline;
    return true;
}

kafka_duration kafka_context_time_left(kafka_context *context) {
    if (!on_right_thread(context)) return 0;
    ks_runtime_fruitless(context->runtime, "kafka_context_time_left");
    if (!context->has_deadline) return INT64_MAX;
    kafka_time now = ks_now(ks_runtime_kernel(context->runtime));
    return context->deadline > now ? context->deadline - now : 0;
}

kafka_time kafka_now(kafka_context *context) {
    if (!on_right_thread(context)) return 0;
    ks_runtime_fruitless(context->runtime, "kafka_now");
    return ks_now(ks_runtime_kernel(context->runtime));
}

/* Days since 1970-01-01 to a date of the Gregorian calendar: count years from 1 March, so that the leap day comes last.
 */
static void civil_date(int64_t days, int64_t *year, unsigned *month, unsigned *day) {
    days += 719468; /* 0000-03-01 */
    int64_t era = (days >= 0 ? days : days - 146096) / 146097;
    int64_t day_of_era = days - era * 146097;
    int64_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t shifted_month = (5 * day_of_year + 2) / 153;
    *day = (unsigned)(day_of_year - (153 * shifted_month + 2) / 5 + 1);
    *month = (unsigned)(shifted_month < 10 ? shifted_month + 3 : shifted_month - 9);
    *year = year_of_era + era * 400 + (*month <= 2);
}

char *kafka_rfc3339(kafka_time time, char text[KAFKA_RFC3339_SIZE]) {
    int64_t seconds = time / KAFKA_SECOND - (time % KAFKA_SECOND < 0);
    int64_t days = seconds / 86400 - (seconds % 86400 < 0), second = seconds - days * 86400, year;
    unsigned month, day;
    civil_date(days, &year, &month, &day);
    char buffer[64];
    snprintf(buffer, sizeof buffer, "%04d-%02u-%02uT%02d:%02d:%02dZ", (int)year, month, day, (int)(second / 3600),
             (int)(second / 60 % 60), (int)(second % 60));
    memcpy(text, buffer, KAFKA_RFC3339_SIZE - 1); /* the range of kafka_time is the years 1677 to 2262 */
    text[KAFKA_RFC3339_SIZE - 1] = 0;
    return text;
}
