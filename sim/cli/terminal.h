/* SPDX-License-Identifier: Apache-2.0
 * A terminal that is put into another mode comes back out of it, whatever ends the program.
 */
#ifndef KS_CLI_TERMINAL_H
#define KS_CLI_TERMINAL_H

#include <stdbool.h>

/* Is there a terminal that can show a full screen? Else one line on standard error says what is missing and what to do instead. Remembers
 * how the terminal is now. */
bool ks_terminal_begin(const char *command, const char *instead);
/* From here on a signal that ends the program (TERM, HUP, INT, QUIT, a failed assertion, a crash) first gives the terminal back. After
 * the screen was opened: the library has handlers of its own. */
void ks_terminal_guard(void);
void ks_terminal_end(void);
/* Colours are wanted unless NO_COLOR is set to something (no-color.org). */
bool ks_terminal_wants_colour(void);

#endif
