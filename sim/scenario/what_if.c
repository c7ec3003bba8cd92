/* SPDX-License-Identifier: Apache-2.0
 * What if? A command with other settings than the file's, for `ksim why`.
 */
#include "sim/scenario/session.h"

enum { MORE = 16 }; /* settings that may be given */

static void put_pair(ks_command_line *line, ks_string name, ks_string value) {
    int32_t at = 0;
    while (at < line->pair_count && !ks_string_equal(line->pairs[at].name.text, name)) at++;
    if (value.size == 0) {
        for (; at + 1 < line->pair_count; at++) line->pairs[at] = line->pairs[at + 1];
        if (at < line->pair_count) line->pair_count = at;
        return;
    }
    if (at == line->pair_count) line->pair_count++;
    line->pairs[at] = (ks_pair){ { .text = name }, { .text = value } };
}

const ks_command_line *ks_command_with(const ks_command_line *command, const char *settings, ks_arena *arena) {
    if (settings == NULL) return command;
    ks_command_line *line = ks_arena_alloc(arena, sizeof *line);
    *line = *command;
    line->pairs = ks_arena_alloc(arena, (size_t)(command->pair_count + MORE) * sizeof *line->pairs);
    if (command->pair_count > 0) memcpy(line->pairs, command->pairs, (size_t)command->pair_count * sizeof *line->pairs);
    int32_t put = 0;
    for (const char *at = settings; *at != '\0' && put < MORE; put++) {
        int32_t length = (int32_t)strcspn(at, " "), sign = (int32_t)strcspn(at, "=");
        if (sign >= length) return line; /* not a setting: ours are */
        ks_string name = ks_arena_string(arena, (ks_string){ at, sign }), value = { at + sign + 1, length - sign - 1 };
        if (ks_string_equal(value, KS_LITERAL("{name}"))) value = command->words[0].text;
        put_pair(line, name, value.size > 0 ? ks_arena_string(arena, value) : KS_LITERAL(""));
        at += length;
        while (*at == ' ') at++;
    }
    return line;
}

const ks_command_line *ks_consumer_what_if(const ks_session *session, const ks_command_line *command) {
    const ks_scenario_options *options = &session->options;
    bool group = options->settings_group == NULL || strcmp(ks_pair_text(command, "group", ""), options->settings_group) == 0;
    bool client = options->settings_client == NULL || strcmp(ks_pair_text(command, "client", "java"), options->settings_client) == 0;
    return group && client ? ks_command_with(command, options->consumer_settings, session->arena) : command;
}
