/* SPDX-License-Identifier: Apache-2.0
 * page.html as bytes of the program: no build step makes it, none is needed to read it. */
    .section .rodata
    .global ks_page_html
    .hidden ks_page_html
    .global ks_page_html_end
    .hidden ks_page_html_end
ks_page_html:
    .incbin "sim/explain/page.html"
ks_page_html_end:
    .byte 0
    .section .note.GNU-stack, "", %progbits
