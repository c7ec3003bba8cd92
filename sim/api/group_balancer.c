/* SPDX-License-Identifier: Apache-2.0
 *
 * The three balancers that kafka-go brings, as values an application can list (kafka-go, groupbalancer.go).
 */
#include <kafkasim/group_balancer.h>

#include "sim/client/kafka_go_balancer.h"

kafka_group_balancer kafka_group_balancer_range(void) {
    return (kafka_group_balancer){ .name = "range", .assign = ks_kafka_go_range };
}

kafka_group_balancer kafka_group_balancer_round_robin(void) {
    return (kafka_group_balancer){ .name = "roundrobin", .assign = ks_kafka_go_round_robin };
}

kafka_group_balancer kafka_group_balancer_rack_affinity(const char *rack) {
    return (kafka_group_balancer){ .name = "rack-affinity",
                                   .assign = ks_kafka_go_rack_affinity,
                                   .user_data = ks_kafka_go_rack_data,
                                   .argument = (void *)rack };
}
