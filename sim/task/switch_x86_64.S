/* SPDX-License-Identifier: Apache-2.0
 *
 * void ks_switch_stacks(void **save_sp, void *load_sp) for x86-64, System V ABI: what a callee must keep is pushed, the stack
 * pointers change places, the other side's is popped. mxcsr and the x87 control word belong to what a callee must keep.
 */
#if defined(__x86_64__) && defined(__linux__) && !defined(__ILP32__)
    .text
    .globl ks_switch_stacks
    .hidden ks_switch_stacks
    .type ks_switch_stacks, @function
    .p2align 4
ks_switch_stacks:
    .cfi_startproc
    endbr64
    pushq %rbp
    pushq %rbx
    pushq %r12
    pushq %r13
    pushq %r14
    pushq %r15
    subq $8, %rsp
    stmxcsr (%rsp)
    fnstcw 4(%rsp)
    movq %rsp, (%rdi)
    movq %rsi, %rsp
    ldmxcsr (%rsp)
    fldcw 4(%rsp)
    addq $8, %rsp
    popq %r15
    popq %r14
    popq %r13
    popq %r12
    popq %rbx
    popq %rbp
    ret
    .cfi_endproc
    .size ks_switch_stacks, . - ks_switch_stacks

/* The bottom of a new stack: entry is in r12, its argument in r13. Debuggers stop unwinding here. */
    .globl ks_switch_begin
    .hidden ks_switch_begin
    .type ks_switch_begin, @function
    .p2align 4
ks_switch_begin:
    .cfi_startproc
    .cfi_undefined rip
    endbr64
    movq %r13, %rdi
    xorl %ebp, %ebp
    callq *%r12
    ud2
    .cfi_endproc
    .size ks_switch_begin, . - ks_switch_begin
#endif
#if defined(__ELF__)
    .section .note.GNU-stack, "", %progbits
#endif
