/* SPDX-License-Identifier: Apache-2.0
 * The page as bytes of the program, before and after the run's data: its parts one after the other. No build step makes it,
 * none is needed to read it.
 */
    .section .rodata
    .global ks_page_before
    .hidden ks_page_before
    .global ks_page_after
    .hidden ks_page_after
ks_page_before:
    .incbin "sim/explain/page/head.html"
    .ascii "<style>\n"
    .incbin "sim/explain/page/style.css"
    .ascii "</style>\n"
    .incbin "sim/explain/page/body.html"
    .ascii "<script type=\"application/json\" id=\"model\">"
    .byte 0
ks_page_after:
    .ascii "</script>\n<script>\n\"use strict\";\n(() => {\n"
    .incbin "sim/explain/page/run.js"
    .incbin "sim/explain/page/draw.js"
    .incbin "sim/explain/page/cluster.js"
    .incbin "sim/explain/page/lanes.js"
    .incbin "sim/explain/page/times.js"
    .incbin "sim/explain/page/quiz.js"
    .incbin "sim/explain/page/compare.js"
    .incbin "sim/explain/page/print.js"
    .incbin "sim/explain/page/player.js"
    .ascii "})();\n</script>\n</body>\n</html>\n"
    .byte 0
    .section .note.GNU-stack, "", %progbits
