/* SPDX-License-Identifier: Apache-2.0
 *
 * One call of the application: which batches its messages went to and how those fared. Calls are recycled with their
 * arrays, so that writing costs no allocation once it is warm.
 */
#include "sim/client/producer_internal.h"

ks_write *ks_write_begin(ks_producer *producer, size_t count) {
    ks_write *write = producer->spare_writes;
    if (write != NULL) {
        producer->spare_writes = write->next;
    } else {
        write = ks_alloc(sizeof *write);
        write->all_next = producer->writes;
        producer->writes = write;
    }
    if (write->capacity < count) {
        write->slots = ks_realloc(write->slots, count * sizeof *write->slots);
        write->capacity = count;
    }
    write->producer = producer;
    write->held = true;
    write->failed = false;
    write->pending = 0;
    write->results.count = 0;
    write->done = NULL;
    return write;
}

static void recycle_if_over(ks_write *write) {
    if (write->held || write->pending > 0) return;
    write->next = write->producer->spare_writes;
    write->producer->spare_writes = write;
}

int32_t *ks_write_notes(ks_write *write) { return write->slots; }

bool ks_write_await(ks_write *write, void (*done)(void *owner), void *owner) {
    if (write->pending == 0) return false;
    write->done = done;
    write->owner = owner;
    return true;
}

void ks_write_batch_finished(ks_write *write, int32_t slot, kafka_error error) {
    write->results.items[slot] = error;
    write->failed |= error != KAFKA_OK;
    if (--write->pending > 0) return;
    if (write->held && write->done != NULL) write->done(write->owner);
    recycle_if_over(write);
}

kafka_error ks_write_error(const ks_write *write, size_t index) { return write->results.items[write->slots[index]]; }

bool ks_write_failed(const ks_write *write) { return write->failed; }

void ks_write_release(ks_write *write) {
    write->held = false;
    write->done = NULL;
    recycle_if_over(write);
}

void ks_writes_free(ks_producer *producer) {
    for (ks_write *write; (write = producer->writes) != NULL;) {
        producer->writes = write->all_next;
        ks_free(write->slots);
        ks_free(write->results.items);
        ks_free(write);
    }
}
