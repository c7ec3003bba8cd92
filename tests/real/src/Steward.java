/* SPDX-License-Identifier: Apache-2.0 */
package record;

import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.stream.Collectors;

import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.MemberToRemove;
import org.apache.kafka.clients.admin.RemoveMembersFromConsumerGroupOptions;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;

/** What an administrator asks about groups, and is answered. */
final class Steward implements Program {
    static final String NAME = "admin";
    private final Admin admin;
    private final Facts facts;

    Steward(String servers, Facts facts) {
        Properties properties = new Properties();
        properties.setProperty("bootstrap.servers", servers);
        properties.setProperty("client.id", NAME);
        admin = Admin.create(properties);
        this.facts = facts;
    }

    @Override public void order(String... words) {
        if (words[0].equals("close")) return;
        String answer;
        try { answer = answer(words); }
        catch (ExecutionException problem) { answer = Actor.word(problem.getCause()); }
        catch (Exception problem) { answer = Actor.word(problem); }
        facts.told(NAME, String.join(" ", words) + " -> " + answer);
    }

    private String answer(String[] words) throws Exception {
        String group = words.length > 1 ? words[1] : null;
        switch (words[0]) {
            case "list" -> {
                return admin.listConsumerGroups().all().get().stream()
                    .map(one -> one.groupId() + " " + one.groupState().get() + " " + one.type().get().toString().toLowerCase(java.util.Locale.ROOT))
                    .sorted().collect(Collectors.joining("; "));
            }
            case "describe" -> {
                var it = admin.describeConsumerGroups(List.of(group)).describedGroups().get(group).get();
                return it.groupState() + " " + it.type().toString().toLowerCase(java.util.Locale.ROOT) + " " + it.partitionAssignor()
                    + it.members().stream().sorted(Comparator.comparing(one -> one.clientId()))
                        .map(one -> "; " + one.clientId() + text(one.assignment().topicPartitions())).collect(Collectors.joining());
            }
            case "offsets" -> {
                return admin.listConsumerGroupOffsets(group).partitionsToOffsetAndMetadata().get().entrySet().stream()
                    .map(entry -> entry.getKey() + "@" + entry.getValue().offset()).sorted().collect(Collectors.joining(" "));
            }
            case "alter" -> {
                var partition = Actor.partition(words[2]);
                admin.alterConsumerGroupOffsets(group, Map.of(partition, new OffsetAndMetadata(Long.parseLong(words[3])))).partitionResult(partition).get();
            }
            case "delete-offsets" -> admin.deleteConsumerGroupOffsets(group, Set.of(Actor.partition(words[2]))).partitionResult(Actor.partition(words[2])).get();
            case "remove" -> {
                var all = new RemoveMembersFromConsumerGroupOptions();
                admin.removeMembersFromConsumerGroup(group, words.length == 2 ? all
                    : new RemoveMembersFromConsumerGroupOptions(Set.of(new MemberToRemove(words[2])))).all().get();
            }
            case "delete" -> admin.deleteConsumerGroups(List.of(group)).deletedGroups().get(group).get();
            default -> throw new IllegalArgumentException("no such order: " + words[0]);
        }
        return "OK";
    }

    private static String text(Collection<TopicPartition> partitions) {
        return partitions.stream().map(TopicPartition::toString).sorted().map(word -> " " + word).collect(Collectors.joining());
    }
}
