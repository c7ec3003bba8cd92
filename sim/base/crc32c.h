/* SPDX-License-Identifier: Apache-2.0
 * CRC-32C (Castagnoli), by the CPU's instruction where it has one, else slicing-by-8. Same answer everywhere. */
#ifndef KS_CRC32C_H
#define KS_CRC32C_H
#include <stddef.h>
#include <stdint.h>
uint32_t ks_crc32c(const void *data, size_t size);
/* Goes on where `crc` (of what came before; 0 at the beginning) ended: extend(extend(0, a), b) is the CRC of ab. */
uint32_t ks_crc32c_extend(uint32_t crc, const void *data, size_t size);
/* The same by tables alone: what runs on a CPU without the instruction. */
uint32_t ks_crc32c_extend_portable(uint32_t crc, const void *data, size_t size);
const char *ks_crc32c_method(void); /* "sse4.2", "armv8" or "slicing-by-8": which one this machine uses */
#endif
