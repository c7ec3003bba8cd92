/* SPDX-License-Identifier: Apache-2.0
 *
 * void ks_switch_stacks(void **save_sp, void *load_sp) for AArch64 (AAPCS64): x19 to x30 and the low halves of v8 to v15 are
 * what a callee must keep. The frame is 160 bytes, laid out as in ks_switch_prepare().
 */
#if defined(__aarch64__) && defined(__linux__)
    .text
    .globl ks_switch_stacks
    .hidden ks_switch_stacks
    .type ks_switch_stacks, %function
    .p2align 4
ks_switch_stacks:
    .cfi_startproc
    hint #34                    /* bti c, where it is known */
    sub sp, sp, #160
    stp x19, x20, [sp, #0]
    stp x21, x22, [sp, #16]
    stp x23, x24, [sp, #32]
    stp x25, x26, [sp, #48]
    stp x27, x28, [sp, #64]
    stp x29, x30, [sp, #80]
    stp d8, d9, [sp, #96]
    stp d10, d11, [sp, #112]
    stp d12, d13, [sp, #128]
    stp d14, d15, [sp, #144]
    mov x9, sp
    str x9, [x0]
    mov sp, x1
    ldp x19, x20, [sp, #0]
    ldp x21, x22, [sp, #16]
    ldp x23, x24, [sp, #32]
    ldp x25, x26, [sp, #48]
    ldp x27, x28, [sp, #64]
    ldp x29, x30, [sp, #80]
    ldp d8, d9, [sp, #96]
    ldp d10, d11, [sp, #112]
    ldp d12, d13, [sp, #128]
    ldp d14, d15, [sp, #144]
    add sp, sp, #160
    ret
    .cfi_endproc
    .size ks_switch_stacks, . - ks_switch_stacks

/* The bottom of a new stack: entry is in x19, its argument in x20. Debuggers stop unwinding here. */
    .globl ks_switch_begin
    .hidden ks_switch_begin
    .type ks_switch_begin, %function
    .p2align 4
ks_switch_begin:
    .cfi_startproc
    .cfi_undefined x30
    hint #36                    /* bti j */
    mov x0, x20
    mov x29, xzr
    mov x30, xzr
    blr x19
    brk #0
    .cfi_endproc
    .size ks_switch_begin, . - ks_switch_begin
#endif
#if defined(__ELF__)
    .section .note.GNU-stack, "", %progbits
#endif
