/* SPDX-License-Identifier: Apache-2.0
 *
 * kafka-go's three group balancers as pure functions of their arguments (groupbalancer.go). The public face is
 * include/kafkasim/group_balancer.h, where their signature is explained.
 */
#ifndef KS_KAFKA_GO_BALANCER_H
#define KS_KAFKA_GO_BALANCER_H

#include <kafkasim/group_balancer.h>

kafka_group_assign_function ks_kafka_go_range, ks_kafka_go_round_robin, ks_kafka_go_rack_affinity;
/* The rack (a C string, NULL: unknown) as user data. */
kafka_group_user_data_function ks_kafka_go_rack_data;

#endif
