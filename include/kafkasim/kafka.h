/* SPDX-License-Identifier: Apache-2.0
 *
 * The client API, after kafka-go's concepts. A program written against it runs unchanged on the simulator (ksim.h) and,
 * through another address, on a real cluster. One thread per simulator, on which its results are given back, too, as long as it
 * lives.
 */
#ifndef KAFKASIM_KAFKA_H
#define KAFKASIM_KAFKA_H

#include <kafkasim/address.h>
#include <kafkasim/assignor.h>
#include <kafkasim/balancer.h>
#include <kafkasim/base.h>
#include <kafkasim/client.h>
#include <kafkasim/consumer.h>
#include <kafkasim/context.h>
#include <kafkasim/error.h>
#include <kafkasim/group.h>
#include <kafkasim/group_admin.h>
#include <kafkasim/group_balancer.h>
#include <kafkasim/message.h>
#include <kafkasim/reader.h>
#include <kafkasim/task.h>
#include <kafkasim/writer.h>

#endif
