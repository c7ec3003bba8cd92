/* SPDX-License-Identifier: Apache-2.0
 *
 * The loop of a group member (kafka-go, consumergroup.go: run, nextGeneration, leaveGroup). See group_member.h for its states.
 * One thing is done differently on purpose: a member that is closed while it reports REBALANCE_IN_PROGRESS leaves the group,
 * where kafka-go forgets to.
 */
#include "sim/client/group_member_internal.h"

#include "sim/protocol/events.h"

#define TO(state) (1u << KS_MEMBER_##state)
static const uint32_t may_become[KS_MEMBER_STATE_COUNT] = {
    [KS_MEMBER_CONNECTING] = TO(JOINING) | TO(LEAVING) | TO(REPORTING),
    [KS_MEMBER_JOINING] = TO(ASKING_PARTITIONS) | TO(SYNCING) | TO(LEAVING) | TO(REPORTING),
    [KS_MEMBER_ASKING_PARTITIONS] = TO(SYNCING) | TO(LEAVING) | TO(REPORTING),
    [KS_MEMBER_SYNCING] = TO(FETCHING_OFFSETS) | TO(LEAVING) | TO(REPORTING),
    [KS_MEMBER_FETCHING_OFFSETS] = TO(OFFERING) | TO(LEAVING) | TO(REPORTING),
    [KS_MEMBER_OFFERING] = TO(LIVING) | TO(ENDING),
    [KS_MEMBER_LIVING] = TO(ENDING),
    [KS_MEMBER_ENDING] = TO(CONNECTING) | TO(LEAVING) | TO(BACKING_OFF),
    [KS_MEMBER_LEAVING] = TO(REPORTING) | TO(CLOSED),
    [KS_MEMBER_REPORTING] = TO(BACKING_OFF) | TO(CONNECTING) | TO(LEAVING) | TO(CLOSED),
    [KS_MEMBER_BACKING_OFF] = TO(CONNECTING) | TO(CLOSED),
    [KS_MEMBER_CLOSED] = 0,
};

static void connect_anew(ks_membership *member);
static void leave_group(ks_membership *member);
static void report(ks_membership *member);

ks_kernel *ks_member_kernel(const ks_membership *member) { return ks_process_kernel(member->settings->process); }

void ks_member_become(ks_membership *member, ks_member_state state) {
    ks_assert(may_become[member->state] & 1u << state);
    member->state = state;
}

void ks_member_hang_up(ks_membership *member) {
    ks_ask_drop(&member->ask);
    ks_call_drop(member->call);
    member->call = NULL;
    ks_channel_close(member->channel);
    member->channel = NULL;
}

static void forget_round(ks_membership *member) {
    if (member->joined != NULL) ks_envelope_free(ks_member_kernel(member), member->joined);
    member->joined = NULL;
    ks_arena_reset(member->round);
}

void ks_member_forget_id(ks_membership *member) {
    ks_free((void *)member->member_id.data);
    member->member_id = (ks_string){ NULL, 0 };
}

/* ---- closing ---- */

static void closed(ks_membership *member) {
    ks_member_become(member, KS_MEMBER_CLOSED);
    ks_member_hang_up(member);
    ks_timer_start(ks_member_kernel(member), &member->timer, 0); /* says so, but not from inside ks_membership_close */
}

static void end_generation(ks_membership *member) {
    ks_member_become(member, KS_MEMBER_ENDING);
    ks_generation *generation = ks_generation_hold(member->generation);
    ks_generation_end(generation, KS_LITERAL("closed")); /* may bring us to ks_member_generation_over */
    ks_generation_release(generation);
}

void ks_membership_close(ks_membership *member) {
    if (member->closing) return;
    member->closing = true;
    ks_node *node = ks_process_node(member->settings->process);
    KS_EMIT(ks_member_kernel(member), node, client_group_leaving, .client = ks_str(ks_node_name(node)),
            .group = member->settings->group);
    switch (member->state) {
    case KS_MEMBER_CONNECTING: /* a request is under way; what comes of it finds `closing` */
    case KS_MEMBER_JOINING:
    case KS_MEMBER_ASKING_PARTITIONS:
    case KS_MEMBER_SYNCING:
    case KS_MEMBER_FETCHING_OFFSETS:
    case KS_MEMBER_LEAVING:
    case KS_MEMBER_ENDING:
    case KS_MEMBER_CLOSED: break;
    case KS_MEMBER_OFFERING:
    case KS_MEMBER_LIVING: end_generation(member); break;
    case KS_MEMBER_REPORTING:
        if (member->member_id.size > 0)
            leave_group(member);
        else
            closed(member);
        break;
    case KS_MEMBER_BACKING_OFF:
        ks_timer_stop(&member->timer);
        closed(member);
        break;
    case KS_MEMBER_STATE_COUNT: ks_unreachable("member state");
    }
}

/* ---- connecting, leaving: both over a new connection to the coordinator ---- */

static void left(ks_membership *member) {
    ks_member_hang_up(member);
    ks_member_forget_id(member);
    if (member->closing) {
        closed(member);
        return;
    }
    member->backoff_until = ks_now(ks_member_kernel(member)) + member->settings->backoff_ns;
    report(member);
}

static void leave_answered(void *owner, kafka_error error, const ks_envelope *response) {
    ks_membership *member = owner;
    member->call = NULL;
    left(member); /* whatever it said */
}

static void send_leave(ks_membership *member) {
    ks_envelope *envelope = ks_channel_request(member->channel, KS_API_leave_group, 0);
    ks_leave_group_request *request = envelope->body;
    request->group_id = ks_arena_string(envelope->arena, member->settings->group);
    request->member_id = ks_arena_string(envelope->arena, member->member_id);
    member->call = ks_channel_send(member->channel, envelope, member->settings->timeout_ns, leave_answered, member);
}

static void coordinator_found(void *owner, kafka_error error, ks_channel *channel) {
    ks_membership *member = owner;
    member->channel = channel;
    if (member->state == KS_MEMBER_LEAVING) {
        if (error)
            left(member);
        else
            send_leave(member);
    } else if (error) {
        ks_member_failed(member, error, "FindCoordinator");
    } else {
        ks_member_become(member, KS_MEMBER_JOINING);
        ks_member_join(member);
    }
}

static void leave_group(ks_membership *member) {
    ks_member_become(member, KS_MEMBER_LEAVING);
    if (member->member_id.size > 0)
        ks_coordinator_dial_start(&member->dial);
    else
        left(member);
}

static void back_off(ks_membership *member, int64_t delay_ns) {
    ks_member_become(member, KS_MEMBER_BACKING_OFF);
    ks_timer_start_background(ks_member_kernel(member), &member->timer, delay_ns);
}

/* A round that took no time at all (a network without latency) is followed by a pause: else a member that is refused again and
 * again, which rejoins at once, would never let the clock go on. */
static void connect_anew(ks_membership *member) {
    int64_t now = ks_now(ks_member_kernel(member));
    forget_round(member);
    if (member->round_began == now) {
        back_off(member, member->settings->backoff_ns);
        return;
    }
    ks_member_become(member, KS_MEMBER_CONNECTING);
    member->round_began = now;
    ks_coordinator_dial_start(&member->dial);
}

/* ---- what a round comes to ---- */

/* The loop goes on before its owner hears the error, who may ask for the next result at once, or close. */
static void tell_error(ks_membership *member) {
    kafka_error error = member->error;
    int64_t now = ks_now(ks_member_kernel(member));
    member->wanted = false;
    if (member->backoff_until > now)
        back_off(member, member->backoff_until - now);
    else
        connect_anew(member);
    member->events->failed(member->owner, error, member->failed_step);
}

static void report(ks_membership *member) {
    ks_member_become(member, KS_MEMBER_REPORTING);
    if (member->wanted) tell_error(member);
}

void ks_member_failed(ks_membership *member, kafka_error error, const char *step) {
    ks_member_hang_up(member);
    if (ks_in_background(ks_member_kernel(member)) && error > -1000) ks_progress(ks_member_kernel(member));
    member->error = error;
    member->failed_step = step;
    member->backoff_until = 0;
    if (error != KAFKA_ERR_REBALANCE_IN_PROGRESS || member->closing)
        leave_group(member);
    else
        report(member);
}

static void tell_generation(ks_membership *member) {
    member->wanted = false;
    ks_member_become(member, KS_MEMBER_LIVING);
    ks_generation *generation = ks_generation_hold(member->generation);
    member->events->generation(member->owner, generation);
    if (member->generation == generation && generation->ended && generation->running == 0)
        ks_member_generation_over(member);
    ks_generation_release(generation);
}

void ks_member_offer(ks_membership *member) {
    ks_member_become(member, KS_MEMBER_OFFERING);
    if (member->closing)
        end_generation(member);
    else if (member->wanted)
        tell_generation(member);
}

/* A generation that ended before anybody took it is handed out all the same: until then the loop does not go on. */
void ks_member_generation_over(ks_membership *member) {
    if (member->state == KS_MEMBER_OFFERING && !member->closing) return;
    if (member->state != KS_MEMBER_ENDING) ks_member_become(member, KS_MEMBER_ENDING);
    ks_generation *generation = member->generation;
    member->generation = NULL;
    ks_generation_detach(generation);
    ks_generation_release(generation);
    ks_member_hang_up(member);
    if (member->closing)
        leave_group(member);
    else
        connect_anew(member);
}

void ks_membership_next(ks_membership *member) {
    member->wanted = true;
    if (member->state == KS_MEMBER_OFFERING)
        tell_generation(member);
    else if (member->state == KS_MEMBER_REPORTING)
        tell_error(member);
}

void ks_membership_do_not_wait(ks_membership *member) { member->wanted = false; }

/* ---- life ---- */

static void timer_fired(ks_timer *timer) {
    ks_membership *member = timer->owner;
    if (member->state == KS_MEMBER_CLOSED)
        member->events->closed(member->owner);
    else
        connect_anew(member);
}

ks_membership *ks_membership_new(const ks_membership_settings *settings, const ks_membership_events *events,
                                 void *owner) {
    ks_membership *member = ks_alloc(sizeof *member);
    member->settings = settings;
    member->events = events;
    member->owner = owner;
    member->member_id = (ks_string){ NULL, 0 };
    member->round = ks_arena_new();
    member->dial = (ks_coordinator_dial){ .process = settings->process,
                                          .seeds = &settings->seeds,
                                          .group = settings->group,
                                          .timeout_ns = settings->dial_timeout_ns,
                                          .done = coordinator_found,
                                          .owner = member };
    ks_timer_init(&member->timer, ks_process_node(settings->process), timer_fired, member);
    member->round_began = ks_now(ks_member_kernel(member));
    ks_node *node = ks_process_node(settings->process);
    KS_EMIT(ks_member_kernel(member), node, client_group_joining, .client = ks_str(ks_node_name(node)),
            .group = settings->group);
    ks_coordinator_dial_start(&member->dial); /* CONNECTING */
    return member;
}

void ks_membership_free(ks_membership *member) {
    if (member == NULL) return;
    ks_generation *generation = member->generation;
    member->generation = NULL;
    if (generation != NULL) {
        ks_generation_detach(generation);
        ks_generation_end(generation, KS_LITERAL("crashed"));
        ks_generation_release(generation);
    }
    ks_timer_stop(&member->timer);
    ks_coordinator_dial_stop(&member->dial);
    ks_member_hang_up(member);
    forget_round(member);
    ks_arena_free(member->round);
    ks_member_forget_id(member);
    ks_free(member);
}
