/* SPDX-License-Identifier: Apache-2.0
 * The self-contained page: page.html (embedded by page_html.S) with the runs' data in its place.
 */
#include "sim/explain/story.h"

extern const char ks_page_html[], ks_page_html_end[];

void ks_explanation_html(const ks_story *const *stories, const char *const *titles, int32_t count, ks_buffer *out) {
    static const char mark[] = "@MODEL@";
    const char *here = ks_page_html;
    while (memcmp(here, mark, sizeof mark - 1) != 0) here++;
    ks_buffer_append(out, ks_page_html, (size_t)(here - ks_page_html));
    ks_buffer_text(out, "[");
    for (int32_t i = 0; i < count; i++) {
        if (i > 0) ks_buffer_text(out, ",");
        ks_explanation_json(stories[i], titles[i], out);
    }
    ks_buffer_text(out, "]");
    here += sizeof mark - 1;
    ks_buffer_append(out, here, (size_t)(ks_page_html_end - here));
}
