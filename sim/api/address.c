/* SPDX-License-Identifier: Apache-2.0
 *
 * Addresses: a client process, its background context, and the list of what the application has open. See address.h.
 */
#include "sim/api/address.h"

#include "sim/task/context.h"
#include "sim/task/runtime.h"

#include <stdarg.h>
#include <stdio.h>

static void crashed(void *owner) {
    kafka_address *address = owner;
    ks_context_end(address->background, KAFKA_ERR_NODE_CRASHED);
}

kafka_address *ks_address_new(ks_runtime *runtime, ks_process *process, const char *text, const char *name,
                              kafka_address **all) {
    kafka_address *address = ks_alloc(sizeof *address);
    address->runtime = runtime;
    address->process = process;
    address->text = ks_strndup(text, strlen(text));
    address->name = ks_strndup(name, strlen(name));
    address->background = ks_context_background(runtime, ks_process_node(process), address);
    address->watch = (ks_process_watch){ .crashed = crashed, .owner = address };
    if (ks_process_is_down(process))
        address->background->error = KAFKA_ERR_NODE_CRASHED;
    else
        ks_process_watch_start(process, &address->watch);
    address->next = *all;
    address->link = all;
    if (address->next) address->next->link = &address->next;
    *all = address;
    return address;
}

void ks_address_drop(kafka_address *address) {
    while (address->handles) {
        ks_handle *handle = address->handles;
        ks_handle_close(handle);
        handle->drop(handle->object);
    }
    ks_process_watch_stop(&address->watch);
    ks_contexts_drop(address->runtime, address);
    *address->link = address->next;
    if (address->next) address->next->link = address->link;
    ks_free((void *)address->text);
    ks_free((void *)address->name);
    ks_free(address);
}

bool ks_address_open_thing(const kafka_address *address, char *text, size_t size) {
    const ks_handle *handle = address->handles;
    if (handle) {
        snprintf(text, size, "a %s (%s)", handle->kind, handle->remedy);
    } else if (ks_contexts_open(address->runtime, address) > 0) {
        snprintf(text, size, "a kafka_context (kafka_context_free)");
    } else {
        return false;
    }
    return true;
}

void kafka_address_free(kafka_address *address) {
    char thing[128];
    if (address == NULL || address->freed || !ks_runtime_right_thread(address->runtime)) return;
    if (ks_address_open_thing(address, thing, sizeof thing)) {
        address->freed = true;
        ks_runtime_say(address->runtime, "kafka_address_free(%s): %s made from it is still open; free that first",
                       address->name, thing);
        return; /* it dies with the simulator */
    }
    ks_address_drop(address);
}

const char *kafka_address_text(const kafka_address *address) { return address ? address->text : ""; }
const char *kafka_address_client(const kafka_address *address) { return address ? address->name : ""; }
const char *kafka_error_detail(const kafka_address *address) {
    if (address == NULL) return "";
    if (!ks_runtime_right_thread(address->runtime)) return kafka_error_text(KAFKA_ERR_WRONG_THREAD); /* the words are the other's */
    return ks_process_detail(address->process);
}

kafka_error ks_address_check(kafka_address *address, const char *call) {
    if (address == NULL) return KAFKA_ERR_INVALID_ARGUMENT;
    if (!ks_runtime_right_thread(address->runtime)) return KAFKA_ERR_WRONG_THREAD;
    if (address->freed) return ks_process_fail(address->process, KAFKA_ERR_CLOSED, "%s: this address was freed", call);
    return KAFKA_OK;
}

kafka_error ks_address_check_context(kafka_address *address, const kafka_context *context, const char *call) {
    if (context == NULL || context->runtime == address->runtime) return KAFKA_OK;
    return ks_process_fail(address->process, KAFKA_ERR_INVALID_ARGUMENT,
                           "%s: the context is of client process %s in another simulator, the call is on something of %s in this one; "
                           "a context comes from kafka_background() of an address of the same simulator",
                           call, ks_node_name(context->node), address->name);
}

bool ks_address_bootstrap(const kafka_address *address, int32_t index, ks_string *host, int32_t *port) {
    const char *place = address->text;
    for (; index > 0 && place; index--) {
        place = strchr(place, ',');
        if (place) place++;
    }
    const char *colon = place ? strchr(place, ':') : NULL;
    if (colon == NULL) return false;
    *host = (ks_string){ place, (int32_t)(colon - place) };
    *port = 0;
    for (const char *digit = colon + 1; *digit >= '0' && *digit <= '9'; digit++) *port = *port * 10 + (*digit - '0');
    return true;
}

void ks_handle_open(ks_handle *handle, kafka_address *address, const char *kind, const char *remedy,
                    void (*drop)(void *object), void *object) {
    *handle = (ks_handle){ address->handles, &address->handles, address, kind, remedy, drop, object };
    if (handle->next) handle->next->link = &handle->next;
    address->handles = handle;
}

void ks_handle_close(ks_handle *handle) {
    if (handle->link == NULL) return;
    *handle->link = handle->next;
    if (handle->next) handle->next->link = handle->link;
    handle->link = NULL;
}

kafka_error ks_address_fail(kafka_address *address, kafka_error error, const char *format, ...) {
    if (error == KAFKA_ERR_WRONG_THREAD) return error;     /* its words belong to the other thread */
    if (error == KAFKA_ERR_NOTHING_CAN_WAKE) return error; /* who waits for what was written already */
    char text[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    return ks_process_fail(address->process, error, "%s: %s", text, kafka_error_text(error));
}
