/* SPDX-License-Identifier: Apache-2.0
 * CRC-32C (Castagnoli), by the CPU's instruction where it has one, else slicing-by-8. Same answer everywhere. */
#ifndef KS_CRC32C_H
#define KS_CRC32C_H
#include <stddef.h>
#include <stdint.h>
uint32_t ks_crc32c(const void *data, size_t size);
#endif
