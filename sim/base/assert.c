/* SPDX-License-Identifier: Apache-2.0
 *
 * What a violated invariant does: every hook of this thread gets its say, the innermost first, then one sentence and
 * abort(). A hook is taken off before it is called: one that fails itself, or jumps away as a test's does, is not
 * called twice.
 */
#include "sim/base/base.h"

#include <stdio.h>
#include <stdlib.h>

static _Thread_local ks_assertion_hook *innermost;

void ks_assertion_hook_push(ks_assertion_hook *hook) {
    hook->outer = innermost;
    innermost = hook;
}

void ks_assertion_hook_pop(ks_assertion_hook *hook) {
    for (ks_assertion_hook **link = &innermost; *link != NULL; link = &(*link)->outer) {
        if (*link != hook) continue;
        *link = hook->outer;
        return;
    }
}

_Noreturn void ks_assertion_failed(const char *file, int line, const char *condition) {
    while (innermost != NULL) {
        ks_assertion_hook *hook = innermost;
        innermost = hook->outer;
        hook->report(hook->context, file, line, condition);
    }
    fprintf(stderr, "%s:%d: assertion failed: %s\n", file, line, condition);
    fflush(NULL);
    abort();
}
