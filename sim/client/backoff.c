/* SPDX-License-Identifier: Apache-2.0
 *
 * The wait between attempts (kafka-go, backoff in conn.go): quadratic, capped, without jitter.
 */
#include "sim/client/process.h"

int64_t ks_backoff(int32_t attempt, int64_t min_ns, int64_t max_ns) {
    int64_t square = (int64_t)attempt * attempt; /* below 2^62 */
    if (square == 0 || min_ns <= 0) return 0;
    return min_ns > max_ns / square ? max_ns : square * min_ns;
}
