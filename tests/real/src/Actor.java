/* SPDX-License-Identifier: Apache-2.0 */
package record;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;

import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.protocol.Errors;

/** A program with one consumer: polls 100 ms at a time, and between polls does what it is told. */
final class Actor implements Program {
    private static final Map<String, String> ASSIGNORS = Map.of(
        "range", "org.apache.kafka.clients.consumer.RangeAssignor",
        "roundrobin", "org.apache.kafka.clients.consumer.RoundRobinAssignor",
        "sticky", "org.apache.kafka.clients.consumer.StickyAssignor",
        "cooperative-sticky", "org.apache.kafka.clients.consumer.CooperativeStickyAssignor");

    private final String name;
    private final Facts facts;
    private final KafkaConsumer<byte[], byte[]> consumer;
    private final LinkedBlockingQueue<String[]> orders = new LinkedBlockingQueue<>();
    private final Thread thread;
    private boolean reading, closed, commitWhenRevoked;
    private long workMs; /* after each poll that brings records */

    Actor(String name, String servers, Map<String, String> settings, Facts facts) {
        this.name = name;
        this.facts = facts;
        Properties properties = new Properties();
        properties.putAll(settings);
        properties.computeIfPresent("partition.assignment.strategy", (key, word) -> ASSIGNORS.getOrDefault(word, (String) word));
        properties.setProperty("bootstrap.servers", servers);
        properties.setProperty("client.id", name);
        properties.setProperty("key.deserializer", "org.apache.kafka.common.serialization.ByteArrayDeserializer");
        properties.setProperty("value.deserializer", "org.apache.kafka.common.serialization.ByteArrayDeserializer");
        consumer = new KafkaConsumer<>(properties);
        thread = new Thread(this::run, name);
        thread.setDaemon(true);
        thread.start();
    }

    @Override public void order(String... words) { orders.add(words); }

    void join() throws InterruptedException { thread.join(30_000); }

    private void run() {
        while (!closed) {
            try {
                for (String[] order; !closed && (order = reading ? orders.poll() : orders.poll(100, TimeUnit.MILLISECONDS)) != null; ) carryOut(order);
                if (closed) return;
                if (!reading) continue;
                var records = consumer.poll(Duration.ofMillis(100));
                for (var record : records) facts.delivered(name, record.topic() + "-" + record.partition(), record.offset());
                if (!records.isEmpty()) Thread.sleep(workMs);
            } catch (Exception problem) {
                facts.told(name, "poll -> " + word(problem));
                try { Thread.sleep(100); } catch (InterruptedException end) { return; }
            }
        }
    }

    private void carryOut(String[] order) {
        String what = String.join(" ", order);
        try {
            switch (order[0]) {
                case "subscribe" -> {
                    consumer.subscribe(List.of(order).subList(1, order.length), new Listener());
                    reading = true;
                    return;
                }
                case "assign" -> { consumer.assign(partitions(order, 1)); reading = true; }
                case "unsubscribe" -> { consumer.unsubscribe(); reading = false; }
                case "stall" -> { Thread.sleep(Long.parseLong(order[1])); return; }
                case "work" -> { workMs = Long.parseLong(order[1]); return; }
                case "commit-sync" -> consumer.commitSync();
                case "commit-async" -> consumer.commitAsync((offsets, problem) ->
                    facts.told(name, "committed " + text(offsets) + " -> " + (problem == null ? "OK" : word(problem))));
                case "commit-revoked" -> { commitWhenRevoked = true; return; }
                case "seek" -> consumer.seek(partition(order[1]), Long.parseLong(order[2]));
                case "seek-beginning" -> consumer.seekToBeginning(partitions(order, 1));
                case "seek-end" -> consumer.seekToEnd(partitions(order, 1));
                case "pause" -> consumer.pause(partitions(order, 1));
                case "resume" -> consumer.resume(partitions(order, 1));
                case "position" -> what += " = " + consumer.position(partition(order[1]));
                case "paused" -> what += " = " + text(consumer.paused());
                case "committed" -> what += " = " + text(consumer.committed(new java.util.HashSet<>(partitions(order, 1))));
                case "close" -> {
                    closed = true;
                    if (order.length > 1) consumer.close(Duration.ofMillis(Long.parseLong(order[1])));
                    else consumer.close();
                }
                default -> throw new IllegalArgumentException("no such order: " + what);
            }
            facts.told(name, what + " -> OK");
        } catch (Exception problem) {
            facts.told(name, what + " -> " + word(problem));
        }
    }

    private final class Listener implements ConsumerRebalanceListener {
        @Override public void onPartitionsAssigned(Collection<TopicPartition> partitions) { facts.told(name, "assigned" + text(partitions)); }
        @Override public void onPartitionsLost(Collection<TopicPartition> partitions) { facts.told(name, "lost" + text(partitions)); }
        @Override public void onPartitionsRevoked(Collection<TopicPartition> partitions) {
            facts.told(name, "revoked" + text(partitions));
            if (commitWhenRevoked) carryOut(new String[] { "commit-sync" });
        }
    }

    private static List<TopicPartition> partitions(String[] words, int from) {
        List<TopicPartition> list = new ArrayList<>();
        for (int i = from; i < words.length; i++) list.add(partition(words[i]));
        return list;
    }

    static TopicPartition partition(String word) {
        int dash = word.lastIndexOf('-');
        return new TopicPartition(word.substring(0, dash), Integer.parseInt(word.substring(dash + 1)));
    }

    private static String text(Collection<TopicPartition> partitions) {
        return partitions.stream().map(TopicPartition::toString).sorted().map(word -> " " + word).collect(Collectors.joining());
    }

    private static String text(Map<TopicPartition, OffsetAndMetadata> offsets) {
        return offsets == null ? "" : offsets.entrySet().stream()
            .map(entry -> entry.getKey() + "@" + (entry.getValue() == null ? "-" : entry.getValue().offset()))
            .sorted().collect(Collectors.joining(" "));
    }

    /** Kafka's name of the error; of exceptions that have none: CommitFailedException -> COMMIT_FAILED. */
    static String word(Throwable problem) {
        while (problem.getClass() == org.apache.kafka.common.KafkaException.class && problem.getCause() != null) problem = problem.getCause();
        Errors error = Errors.forException(problem);
        if (error != Errors.UNKNOWN_SERVER_ERROR) return error.name();
        return problem.getClass().getSimpleName().replaceAll("Exception$", "").replaceAll("([a-z])([A-Z])", "$1_$2").toUpperCase(java.util.Locale.ROOT);
    }
}
