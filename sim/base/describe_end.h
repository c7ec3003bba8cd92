/* SPDX-License-Identifier: Apache-2.0
 * Forgets the macros of describe_struct.h or describe_table.h. */
#undef STRUCT
#undef FIELD
#undef LIST
#undef NESTED
#undef NESTED_PTR
#undef ARRAY
#undef END
#ifdef KS_FIELD_COMMON
#pragma GCC diagnostic pop
#undef KS_FIELD_COMMON
#endif
