/* SPDX-License-Identifier: Apache-2.0
 *
 * Which clients joined which groups, as the messages tell it, and when a group is stable: its state is Stable, its
 * members are those of the live clients that joined it (and of nobody who crashed or stands still), and each knows its
 * assignment.
 *
 * A client whose members announce that they join and that they leave (those like kafka-go) counts as joined in between,
 * whatever happens to its membership meanwhile, and knows its assignment when its generation has started. Any other
 * counts from its JoinGroup on until it leaves or crashes; and for a second after it looked for the group's
 * coordinator, because then it is probably about to join (administrators look too, and never join); that it knows its
 * assignment is seen from the answer to its SyncGroup.
 */
#include <stdio.h>
#include <stdlib.h>

#include "sim/broker/group_consumer.h"
#include "sim/broker/group_coordinator.h"
#include "sim/control/sim.h"
#include "sim/protocol/events.h"

enum { LOOKING_MS = 1000 };

typedef struct joined_client { /* wants to be in the group */
    UT_hash_handle hh;
    ks_string name;            /* its bytes are the last part of this block */
    int64_t until; /* INT64_MAX: it has asked to join */
    int32_t members;
    bool announces;            /* then `members` counts, else `until` */
    char text[];
} joined_client;

typedef struct synced_member { /* has its assignment of that generation */
    UT_hash_handle hh;
    ks_string id;              /* its bytes are the last part of this block */
    int32_t generation;
    char text[];
} synced_member;

/* Who gained and gave up what: the last so many changes. */
enum { CHANGES_KEPT = 4096 };
typedef char *change; /* "+c1=orders[0,1]"; owned */

typedef struct joined_group {
    ks_string name; /* owned */
    KS_VEC(change) changes;
    int32_t oldest; /* once there are CHANGES_KEPT, they are a ring */
    joined_client *clients;
    int32_t announcing; /* of the clients */
    synced_member *members;
    int32_t generation, synced; /* the latest generation that anybody has, and how many members have it */
    UT_hash_handle hh;
} joined_group;

struct ks_sim_groups {
    joined_group *by_name, *recent; /* the one asked for last: they come in a row */
    union {
        struct {
            const ks_struct *joining, *leaving, *started, *answered, *assigned, *revoked, *lost;
        };
        const ks_struct *kinds[8]; /* of events that are heard, and NULL */
    };
};
_Static_assert(offsetof(ks_sim_groups, lost) == offsetof(ks_sim_groups, kinds[6]), "no kind is forgotten");

static joined_group *group_get(ksim *sim, ks_string name) {
    joined_group *group = sim->joined->recent;
    if (group && ks_string_equal(group->name, name)) return group;
    KS_HASH_FIND_STRING(hh, sim->joined->by_name, name, group);
    if (group == NULL) {
        group = ks_alloc(sizeof *group);
        group->name = ks_string_dup(name);
        group->generation = -1;
        KS_HASH_ADD_STRING(hh, sim->joined->by_name, name, group);
    }
    sim->joined->recent = group;
    return group;
}

static joined_client *client_find(const joined_group *group, ks_string name) {
    joined_client *client = NULL;
    KS_HASH_FIND_STRING(hh, group->clients, name, client);
    return client;
}

static void client_forget(joined_group *group, joined_client *client) {
    if (client->announces) group->announcing--;
    HASH_DELETE(hh, group->clients, client);
    ks_free(client);
}

static joined_client *client_add(joined_group *group, ks_string name, int64_t until) {
    joined_client *client = client_find(group, name);
    if (client) {
        if (until > client->until) client->until = until;
        return client;
    }
    client = ks_alloc(sizeof *client + (size_t)name.size + 1);
    client->name = (ks_string){ memcpy(client->text, name.data, (size_t)name.size), name.size };
    client->until = until;
    KS_HASH_ADD_STRING(hh, group->clients, name, client);
    return client;
}

/* It left, as its request says: one that announces says so itself. */
static void client_left(joined_group *group, ks_string name) {
    joined_client *client = client_find(group, name);
    if (client && !client->announces) client_forget(group, client);
}

/* Group coordinators have key type 0; before v4 one key stands at the top. */
static void looks_for_coordinator(ksim *sim, const ks_envelope *request, ks_string client) {
    const ks_find_coordinator_request *body = request->body;
    if (body->key_type != 0) return;
    int64_t until = ks_now(sim->kernel) + LOOKING_MS * KS_MS;
    if (request->api_version < 4) client_add(group_get(sim, body->key), client, until);
    for (int32_t i = 0; request->api_version >= 4 && i < body->coordinator_keys.count; i++) {
        client_add(group_get(sim, body->coordinator_keys.items[i]), client, until);
    }
}

void ks_sim_joined_request(ksim *sim, ks_connection *connection, const ks_envelope *request) {
    int16_t api = request->api_key; /* most are none of these: look no further */
    if (api != KS_API_find_coordinator && api != KS_API_join_group && api != KS_API_leave_group &&
        api != KS_API_consumer_group_heartbeat)
        return;
    ks_string client = ks_str(ks_node_name(ks_connection_client(connection)));
    if (sim->control && ks_string_equal(client, sim->control->name)) return;
    if (api == KS_API_find_coordinator) {
        looks_for_coordinator(sim, request, client);
    } else if (api == KS_API_join_group) {
        client_add(group_get(sim, ((const ks_join_group_request *)request->body)->group_id), client, INT64_MAX);
    } else if (api == KS_API_leave_group) {
        client_left(group_get(sim, ((const ks_leave_group_request *)request->body)->group_id), client);
    } else {
        const ks_consumer_group_heartbeat_request *body = request->body;
        if (body->member_epoch >= 0)
            client_add(group_get(sim, body->group_id), client, INT64_MAX);
        else
            client_left(group_get(sim, body->group_id), client);
    }
}

void ks_sim_joined_down(ksim *sim, const char *client) {
    for (joined_group *group = sim->joined->by_name; group; group = group->hh.next) {
        joined_client *gone = client_find(group, ks_str(client));
        if (gone) client_forget(group, gone);
    }
}

/* Members come and go: those of old generations are forgotten when they are the most. */
static void forget_old_members(joined_group *group) {
    synced_member *member, *next;
    if (HASH_COUNT(group->members) < 2 * (unsigned)group->synced + 64) return;
    HASH_ITER(hh, group->members, member, next) {
        if (member->generation >= group->generation) continue;
        HASH_DELETE(hh, group->members, member);
        ks_free(member);
    }
}

static void synced(joined_group *group, ks_string id, int32_t generation) {
    synced_member *member = NULL;
    KS_HASH_FIND_STRING(hh, group->members, id, member);
    if (member == NULL) {
        size_t size = id.size > 0 ? (size_t)id.size : 0;
        member = ks_alloc(sizeof *member + size + 1);
        member->id = (ks_string){ size > 0 ? memcpy(member->text, id.data, size) : member->text, (int32_t)size };
        member->generation = -1;
        KS_HASH_ADD_STRING(hh, group->members, id, member);
    }
    if (generation > group->generation) {
        forget_old_members(group);
        group->generation = generation;
        group->synced = 0;
    }
    if (generation == group->generation && member->generation != generation) group->synced++;
    member->generation = generation;
}

static change change_of(char sign, ks_string client, ks_string partitions) {
    size_t before = 1 + (size_t)client.size + 1;
    char *text = ks_realloc(NULL, before + (size_t)partitions.size + 1);
    text[0] = sign;
    memcpy(text + 1, client.data, (size_t)client.size);
    text[before - 1] = '=';
    memcpy(text + before, partitions.data, (size_t)partitions.size);
    text[before + (size_t)partitions.size] = '\0';
    return text;
}

static void changed(ksim *sim, char sign, ks_string group_name, ks_string client, ks_string partitions) {
    if (partitions.size <= 0 || group_name.size <= 0) return;
    joined_group *group = group_get(sim, group_name);
    change new = change_of(sign, client, partitions);
    if (group->changes.count < CHANGES_KEPT) {
        KS_PUSH(group->changes, new);
        return;
    }
    ks_free(group->changes.items[group->oldest]);
    group->changes.items[group->oldest] = new;
    group->oldest = (group->oldest + 1) % CHANGES_KEPT;
}

const char *ks_sim_joined_history(ksim *sim, const char *name) {
    joined_group *group = NULL;
    ks_string key = ks_str(name);
    ks_buffer text = { 0 };
    KS_HASH_FIND_STRING(hh, sim->joined->by_name, key, group);
    ks_buffer_text(&text, "");
    for (int32_t i = 0; group && i < group->changes.count; i++) {
        if (i > 0) ks_buffer_text(&text, " ");
        ks_buffer_text(&text, group->changes.items[(group->oldest + i) % group->changes.count]);
    }
    return ks_sim_view_text(sim, &text);
}

static void announced_joining(ksim *sim, const ks_ev_client_group_joining *fields) {
    joined_group *group = group_get(sim, fields->group);
    joined_client *client = client_add(group, fields->client, 0);
    if (!client->announces) group->announcing++;
    client->announces = true;
    client->members++;
}

static bool announces(const joined_group *group, ks_string name) {
    const joined_client *client = group->announcing > 0 ? client_find(group, name) : NULL;
    return client && client->announces;
}

static void announced_leaving(ksim *sim, const ks_ev_client_group_leaving *fields) {
    joined_group *group = group_get(sim, fields->group);
    joined_client *client = client_find(group, fields->client);
    if (client && --client->members <= 0) client_forget(group, client);
}

static void heard(void *context, const ks_event *event) {
    const ks_sim_groups *joined = ((const ksim *)context)->joined;
    if (event->kind == joined->joining) {
        announced_joining(context, event->fields);
    } else if (event->kind == joined->leaving) {
        announced_leaving(context, event->fields);
    } else if (event->kind == joined->answered) {
        const ks_ev_response_received *answer = event->fields;
        if (answer->api_key != KS_API_sync_group || answer->error_code != 0) return;
        joined_group *group = group_get(context, answer->group);
        if (!announces(group, ks_str(event->node_name))) synced(group, answer->member, answer->generation);
    } else if (event->kind == joined->started) {
        const ks_ev_client_generation_started *fields = event->fields;
        joined_group *group = group_get(context, fields->group);
        if (announces(group, fields->client)) synced(group, fields->member, fields->generation);
    } else if (event->kind == joined->assigned) {
        const ks_ev_client_partitions_assigned *fields = event->fields;
        changed(context, '+', fields->group, fields->client, fields->partitions);
    } else if (event->kind == joined->revoked) {
        const ks_ev_client_partitions_revoked *fields = event->fields;
        changed(context, '-', fields->group, fields->client, fields->partitions);
    } else if (event->kind == joined->lost) {
        const ks_ev_client_partitions_lost *fields = event->fields;
        changed(context, '-', fields->group, fields->client, fields->partitions);
    }
}

/* ---- stable? ---- */

static bool is_up(ksim *sim, ks_string client) {
    const ks_node *node = ks_node_find(sim->kernel, client.data);
    return node == NULL || ks_node_state_of(node) == KS_NODE_UP; /* another kind of client: not ours to judge */
}

/* Every member known, of a live client, with its assignment. The cheap questions come first: this is asked after every
 * event while somebody waits. */
static const char *classic_problem(ksim *sim, joined_group *seen, ks_group *group, ks_string *who) {
    if (seen->generation != group->generation || seen->synced < group->member_count)
        return "does not know its assignment yet";
    ks_group_member *const *members = ks_group_members_sorted(group);
    for (int32_t i = 0; i < group->member_count; i++) {
        *who = members[i]->id;
        synced_member *member = NULL;
        KS_HASH_FIND_STRING(hh, seen->members, members[i]->id, member);
        if (member == NULL || member->generation != group->generation) return "does not know its assignment yet";
        if (!is_up(sim, ks_sim_member_client(members[i])))
            return "is still a member, though its process is down or paused";
    }
    return NULL;
}

/* In a group of the consumer protocol the coordinator itself knows: a member is STABLE once it has said that it owns
 * its target. */
static const char *consumer_problem(ksim *sim, const ks_consumer_group *group, ks_string *who) {
    for (int32_t i = 0; i < group->member_count; i++) {
        *who = group->sorted[i]->id;
        if (!is_up(sim, ks_sim_client_of_host(group->sorted[i]->client_host)))
            return "is still a member, though its process is down or paused";
    }
    return NULL;
}

/* The client of every member, in order; owned. */
static ks_string *member_clients(ks_group *group, int32_t *count) {
    bool classic = group->kind == KS_GROUP_CLASSIC;
    *count = classic ? group->member_count : group->consumer->member_count;
    ks_string *names = ks_alloc(sizeof *names * (size_t)(*count + 1));
    ks_group_member *const *members = classic ? ks_group_members_sorted(group) : NULL;
    for (int32_t i = 0; i < *count; i++) {
        names[i] =
            classic ? ks_sim_member_client(members[i]) : ks_sim_client_of_host(group->consumer->sorted[i]->client_host);
    }
    return names;
}

static bool wants_in(ksim *sim, const joined_client *client) {
    return (client->announces || client->until >= ks_now(sim->kernel)) && is_up(sim, client->name);
}

static int by_text(const void *a, const void *b) {
    return ks_string_compare(*(const ks_string *)a, *(const ks_string *)b);
}

static const char *clients_problem(ksim *sim, joined_group *seen, ks_group *group, ks_string *who) {
    static const char problem[] = "wants to be in it and is no member yet";
    int32_t count = group->kind == KS_GROUP_CLASSIC ? group->member_count : group->consumer->member_count;
    int64_t wanted = 0;
    for (joined_client *client = seen->clients; client; client = client->hh.next) {
        if (wants_in(sim, client)) wanted += client->announces ? client->members : 1;
    }
    *who = KS_LITERAL("somebody");
    if (wanted > count) return problem;
    ks_string *names = member_clients(group, &count);
    qsort(names, (size_t)count, sizeof *names, by_text);
    const joined_client *client = seen->clients;
    while (client && (!wants_in(sim, client) || bsearch(&client->name, names, (size_t)count, sizeof *names, by_text)))
        client = client->hh.next;
    ks_free(names);
    if (client) *who = client->name;
    return client ? problem : NULL;
}

/* NULL: it is stable. `who` is whom the sentence speaks of, null: the group. */
static const char *problem_of(ksim *sim, ks_string name, ks_string *who) {
    *who = KS_NULL_STRING;
    joined_group *seen = NULL;
    KS_HASH_FIND_STRING(hh, sim->joined->by_name, name, seen);
    ks_group *group = ks_cluster_group_find(sim->cluster, name);
    if (seen == NULL || group == NULL) return "nobody has joined it";
    bool classic = group->kind == KS_GROUP_CLASSIC;
    if (strcmp(ks_group_state_text(group), "Stable") != 0) return ks_group_state_text(group);
    if (classic && (group->pending || group->pending_sync_count > 0))
        return "is not a member yet, though it has its member id";
    const char *problem =
        classic ? classic_problem(sim, seen, group, who) : consumer_problem(sim, group->consumer, who);
    return problem ? problem : clients_problem(sim, seen, group, who);
}

static bool is_stable(ksim *sim, void *context) {
    ks_string who;
    return problem_of(sim, *(const ks_string *)context, &who) == NULL;
}

kafka_error ksim_run_until_group_stable(ksim *sim, const char *group) {
    kafka_error error = ks_sim_check_run(sim, "ksim_run_until_group_stable");
    if (error) return error;
    if (group == NULL)
        return ks_sim_fail(sim, KAFKA_ERR_INVALID_ARGUMENT, "ksim_run_until_group_stable: group is NULL");
    ks_string name = ks_str(group), who;
    char what[128];
    snprintf(what, sizeof what, "group %.100s is stable", group);
    error = ksim_run_until(sim, is_stable, &name, what, 0);
    const char *problem = error ? problem_of(sim, name, &who) : NULL;
    if (problem) {
        char before[512];
        snprintf(before, sizeof before, "%.511s", sim->detail);
        ks_sim_fail(sim, error, "group %.100s is not stable: %.*s%s%s; %s", group, who.size > 0 ? (int)who.size : 0,
                    who.size > 0 ? who.data : "", who.size > 0 ? " " : "", problem, before);
    }
    return error;
}

/* ---- made and freed ---- */

void ks_sim_joined_init(ksim *sim) {
    sim->joined = ks_alloc(sizeof *sim->joined);
    sim->joined->joining = ks_describe_ev_client_group_joining();
    sim->joined->started = ks_describe_ev_client_generation_started();
    sim->joined->leaving = ks_describe_ev_client_group_leaving();
    sim->joined->answered = ks_describe_ev_response_received();
    sim->joined->assigned = ks_describe_ev_client_partitions_assigned();
    sim->joined->revoked = ks_describe_ev_client_partitions_revoked();
    sim->joined->lost = ks_describe_ev_client_partitions_lost();
    sim->joined_subscriber = (ks_subscriber){ .event = heard, .context = sim, .spared = true, .kinds = sim->joined->kinds };
    ks_trace_subscribe(sim->kernel, &sim->joined_subscriber);
}

static void group_free(joined_group *group) {
    while (group->clients) client_forget(group, group->clients);
    synced_member *member, *next;
    HASH_ITER(hh, group->members, member, next) {
        HASH_DELETE(hh, group->members, member);
        ks_free(member);
    }
    for (int32_t i = 0; i < group->changes.count; i++) ks_free(group->changes.items[i]);
    ks_free(group->changes.items);
    ks_free((void *)group->name.data);
    ks_free(group);
}

void ks_sim_joined_deinit(ksim *sim) {
    ks_trace_unsubscribe(sim->kernel, &sim->joined_subscriber);
    joined_group *group, *next;
    HASH_ITER(hh, sim->joined->by_name, group, next) {
        HASH_DELETE(hh, sim->joined->by_name, group);
        group_free(group);
    }
    ks_free(sim->joined);
}
