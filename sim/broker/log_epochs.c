/* SPDX-License-Identifier: Apache-2.0
 * Which leader epoch wrote which offsets (Kafka's LeaderEpochFileCache, KIP-101): a short list, ascending in both. */
#include "sim/broker/log_segment.h"

void ks_log_epoch_begins(ks_log *log, int32_t epoch) {
    if (log->epoch_count > 0 && log->epochs[log->epoch_count - 1].epoch >= epoch) return;
    log->epochs = ks_log_grow(log->epochs, log->epoch_count, sizeof *log->epochs);
    log->epochs[log->epoch_count++] = (ks_epoch_start){ epoch, log->log_end };
}

int32_t ks_log_latest_epoch(const ks_log *log) {
    return log == NULL || log->epoch_count == 0 ? -1 : log->epochs[log->epoch_count - 1].epoch;
}

int32_t ks_log_epoch_at(const ks_log *log, int64_t offset) {
    int32_t epoch = -1;
    for (int32_t i = 0; log != NULL && i < log->epoch_count && log->epochs[i].start <= offset; i++)
        epoch = log->epochs[i].epoch;
    return epoch;
}

void ks_log_epoch_end(const ks_log *log, int32_t epoch, int32_t *answer_epoch, int64_t *end_offset) {
    *answer_epoch = -1;
    *end_offset = -1;
    int32_t latest = ks_log_latest_epoch(log);
    if (epoch < 0 || epoch > latest) return;
    if (epoch == latest) {
        *answer_epoch = epoch;
        *end_offset = log->log_end;
        return;
    }
    int32_t next = 0; /* the first entry with a higher epoch: there is one, the latest */
    while (log->epochs[next].epoch <= epoch) next++;
    *answer_epoch = next == 0 ? epoch : log->epochs[next - 1].epoch;
    *end_offset = log->epochs[next].start;
}

void ks_log_epochs_cut_front(ks_log *log) {
    int32_t keep = 0; /* the entry that the log start lies in, and all after it */
    while (keep + 1 < log->epoch_count && log->epochs[keep + 1].start <= log->log_start) keep++;
    if (log->epoch_count == 0) return;
    if (keep > 0) { /* a copy of its own size: ks_log_grow() goes by the count */
        int32_t count = log->epoch_count - keep, capacity = 1;
        while (capacity < count) capacity *= 2;
        ks_epoch_start *left = ks_alloc((size_t)capacity * sizeof *left);
        memcpy(left, log->epochs + keep, (size_t)count * sizeof *left);
        ks_free(log->epochs);
        log->epochs = left;
        log->epoch_count = count;
    }
    if (log->epochs[0].start < log->log_start) log->epochs[0].start = log->log_start;
}
