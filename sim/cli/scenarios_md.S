/* SPDX-License-Identifier: Apache-2.0
 * docs/scenarios.md as bytes of the program: the prompt's `help` reads its tables aloud, so that there is one description only. */
    .section .rodata
    .global ks_scenarios_md
    .hidden ks_scenarios_md
ks_scenarios_md:
    .incbin "docs/scenarios.md"
    .byte 0
    .section .note.GNU-stack, "", %progbits
