/* SPDX-License-Identifier: Apache-2.0
 * The self-contained page: its parts (sim/explain/page/, embedded by page_html.S) around the runs' data.
 */
#include "sim/explain/story.h"

extern const char ks_page_before[], ks_page_after[];

void ks_explanation_html(const ks_story *const *stories, const char *const *titles, int32_t count, ks_buffer *out) {
    ks_buffer_text(out, ks_page_before);
    ks_buffer_text(out, "[");
    for (int32_t i = 0; i < count; i++) {
        if (i > 0) ks_buffer_text(out, ",");
        ks_explanation_json(stories[i], titles[i], out);
    }
    ks_buffer_text(out, "]");
    ks_buffer_text(out, ks_page_after);
}
