/* SPDX-License-Identifier: Apache-2.0
 * "Did you mean": the nearest of some words by edit distance. */
#ifndef KS_JAVA_NEAREST_H
#define KS_JAVA_NEAREST_H

/* The nearest of `words` (NULL-ended), the first of equally near ones; NULL when none is near (at most a third of the letters
 * differ). */
const char *ks_java_nearest(const char *word, const char *const *words);

#endif
