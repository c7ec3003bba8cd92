/* SPDX-License-Identifier: Apache-2.0
 *
 * Step 6: topic management: create, again, list, look closer, enlarge, delete, again.
 */
#include "demos/lab07/lab07.h"

#include <string.h>

static void say(const char *what, const kafka_named_errors *results) {
    for (size_t i = 0; i < results->count; i++) {
        const char *message = results->items[i].message;
        printf("  %-28s %-10s %s\n", what, results->items[i].name,
               results->items[i].error == KAFKA_OK ? "done" : kafka_error_name(results->items[i].error));
        if (message != NULL) lab07_sentence(6, message);
    }
}

static void create(kafka_address *address, kafka_client *client, const char *what, const kafka_topic_config *topic,
                   const kafka_create_options *options) {
    kafka_named_errors *results;
    lab07_must(address, what, kafka_client_create_topics(client, kafka_background(address), topic, 1, options, &results));
    say(what, results);
    kafka_named_errors_free(results);
}

static void list(kafka_address *address, kafka_client *client) {
    kafka_metadata *metadata;
    lab07_must(address, "metadata", kafka_client_metadata(client, kafka_background(address), NULL, 0, &metadata));
    if (metadata->controller != NULL) printf("  controller: broker %d\n", metadata->controller->id);
    for (size_t i = 0; i < metadata->topic_count; i++) {
        const kafka_topic_info *topic = &metadata->topics[i];
        if (topic->internal) continue;
        for (size_t p = 0; p < topic->partition_count; p++) {
            const kafka_partition_info *partition = &topic->partitions[p];
            printf("  %s[%d]  leader %d  replicas", topic->name, partition->id, partition->leader);
            for (size_t r = 0; r < partition->replica_count; r++) printf(" %d", partition->replicas[r]);
            printf("  in sync");
            for (size_t r = 0; r < partition->in_sync_replica_count; r++) printf(" %d", partition->in_sync_replicas[r]);
            printf("\n");
        }
    }
    kafka_metadata_free(metadata);
}

int lab07_step6(const lab07_options *options) {
    lab07_heading(6, "topic management");
    ksim *sim = lab07_cluster(options, 3, NULL);
    kafka_address *address = ksim_client(sim, "admin");
    kafka_context *ctx = kafka_background(address);
    kafka_client *client;
    lab07_must(address, "new client", kafka_client_new(&(kafka_client_config){ .address = address }, &client));

    printf("Create, and what the cluster says to mistakes:\n\n");
    kafka_config_entry keep = { "retention.ms", "3600000" }, wrong = { "retention.msec", "3600000" };
    kafka_topic_config orders = { .topic = "orders", .partitions = 3, .replication_factor = 1, .configs = &keep, .config_count = 1 };
    kafka_topic_config nothing = { .topic = "nothing", .partitions = 0, .replication_factor = 1 };
    kafka_topic_config large = { .topic = "large", .partitions = 1, .replication_factor = 4 };
    kafka_topic_config typo = { .topic = "typo", .partitions = 1, .replication_factor = 1, .configs = &wrong, .config_count = 1 };
    kafka_topic_config name = { .topic = "no spaces", .partitions = 1, .replication_factor = 1 };
    create(address, client, "create", &orders, NULL);
    create(address, client, "create again", &orders, NULL);
    create(address, client, "create if it does not exist", &orders, &(kafka_create_options){ .if_not_exists = true });
    create(address, client, "no partitions", &nothing, NULL);
    create(address, client, "4 replicas, 3 brokers", &large, NULL);
    create(address, client, "a setting misspelt", &typo, NULL);
    create(address, client, "a name with a space", &name, NULL);

    printf("\nList, with who leads and who follows:\n\n");
    list(address, client);

    printf("\nThe settings of orders that differ from the defaults:\n\n");
    kafka_described_configs *configs;
    kafka_config_resource resource = { .type = KAFKA_RESOURCE_TOPIC, .name = "orders" };
    lab07_must(address, "describe", kafka_client_describe_configs(client, ctx, &resource, 1, &configs));
    for (size_t i = 0; i < configs->resources[0].config_count; i++) {
        const kafka_described_config *config = &configs->resources[0].configs[i];
        if (!config->is_default) printf("  %s=%s\n", config->name, config->value);
    }
    kafka_described_configs_free(configs);

    printf("\nEnlarge from 3 to 6: the same key may now go elsewhere.\n\n");
    kafka_named_errors *results;
    lab07_must(address, "enlarge",
               kafka_client_create_partitions(client, ctx, &(kafka_partitions_config){ .topic = "orders", .count = 6 }, 1, false,
                                              &results));
    say("enlarge to 6", results);
    kafka_named_errors_free(results);
    lab07_must(address, "shrink",
               kafka_client_create_partitions(client, ctx, &(kafka_partitions_config){ .topic = "orders", .count = 2 }, 1, false,
                                              &results));
    say("shrink to 2", results);
    kafka_named_errors_free(results);
    static const char *const keys[] = { "user-1", "user-2", "user-3", "alice" };
    for (int i = 0; i < 4; i++)
        printf("  %-7s of 3: %d   of 6: %d\n", keys[i], kafka_balancer_partition(kafka_balancer_hash(), kafka_string(keys[i]), 3),
               kafka_balancer_partition(kafka_balancer_hash(), kafka_string(keys[i]), 6));

    printf("\nDelete, and again:\n\n");
    const char *doomed = "orders";
    for (int i = 0; i < 2; i++) {
        lab07_must(address, "delete", kafka_client_delete_topics(client, ctx, &doomed, 1, &results));
        say(i == 0 ? "delete" : "delete again", results);
        kafka_named_errors_free(results);
    }
    bool gone = ksim_topic_find(sim, "orders") == NULL;

    lab07_beneath(sim);
    printf("\nQuestions\n  Why can partitions be added but never taken away?\n"
           "  Which of the mistakes above can only the broker find, and which could a client find alone?\n\n");
    kafka_client_free(client);
    kafka_address_free(address);
    ksim_free(sim);
    return gone ? 0 : 1;
}

LAB07_MAIN(lab07_step6);
