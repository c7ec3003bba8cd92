/* SPDX-License-Identifier: Apache-2.0 */
package record;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.ExecutionException;

import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewPartitions;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.errors.GroupNotEmptyException;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/** Record SESSIONS [NAME ...]: runs the sessions of a file, each with a broker of its own, and writes what was seen to standard output. */
public final class Record {
    private static final long SETTLE_MS = 1500; /* until the coordinator knows the new topics */

    private final Map<String, Program> actors = new HashMap<>();
    private final Facts facts;
    private final String servers;
    private final Proxy proxy;
    private final Admin admin;
    private long clock; /* ms since the first consumer began: what the steps have waited for so far */

    private Record(Proxy proxy, Admin admin, Facts facts) {
        this.proxy = proxy;
        this.admin = admin;
        this.facts = facts;
        this.servers = "127.0.0.1:" + proxy.port();
    }

    public static void main(String[] args) throws Exception {
        Map<String, List<String>> sessions = read(Path.of(args[0]));
        String version = org.apache.kafka.common.utils.AppInfoParser.getVersion();
        System.out.println("{\"recorded with\":{\"broker\":\"Apache Kafka " + version + "\",\"java\":\"kafka-clients " + version + "\",\"go\":\"kafka-go 0.4.51\"}}");
        for (var session : sessions.entrySet()) {
            if (args.length > 1 && !List.of(args).subList(1, args.length).contains(session.getKey())) continue;
            System.err.println(session.getKey());
            System.out.println(record(session.getKey(), session.getValue()));
        }
        System.exit(0);
    }

    /** "session NAME" begins one; every other line is a step; # begins a comment. */
    private static Map<String, List<String>> read(Path file) throws IOException {
        Map<String, List<String>> sessions = new LinkedHashMap<>();
        List<String> steps = null;
        for (String line : Files.readAllLines(file)) {
            line = line.replaceAll("#.*", "").trim();
            if (line.startsWith("session ")) sessions.put(line.substring(8), steps = new ArrayList<>());
            else if (!line.isEmpty()) steps.add(line);
        }
        return sessions;
    }

    private static String record(String name, List<String> steps) throws Exception {
        Properties settings = new Properties();
        steps.stream().filter(step -> step.startsWith("broker ")).forEach(step -> settings.putAll(settings(step.split(" "), 1)));
        Facts facts = new Facts();
        try (Proxy proxy = new Proxy(facts); Broker broker = new Broker(proxy.port(), settings)) {
            proxy.start(broker.port);
            Properties own = new Properties();
            own.setProperty("bootstrap.servers", "127.0.0.1:" + proxy.port());
            own.setProperty("client.id", "recorder");
            try (Admin admin = Admin.create(own); var producer = new KafkaProducer<>(own, new ByteArraySerializer(), new ByteArraySerializer())) {
                admin.listConsumerGroupOffsets("nobody").all().get(); /* makes __consumer_offsets: whoever is recorded finds it there */
                Record record = new Record(proxy, admin, facts);
                record.warmUp();
                for (String step : steps) record.step(step.split(" "), producer);
                String line = facts.write(name, steps);
                facts.finish();
                record.actors.values().forEach(actor -> actor.order("close"));
                return line;
            }
        }
    }

    /** Classes are loaded and compiled before anything is timed. */
    private void warmUp() throws Exception {
        Facts nothing = new Facts();
        for (String protocol : List.of("classic", "consumer")) {
            Actor actor = new Actor("recorder-" + protocol, servers, Map.of("group.id", "warm-up-" + protocol, "group.protocol", protocol), nothing);
            actor.order("subscribe", "warm-up");
            Thread.sleep(500);
            actor.order("close");
            actor.join();
            deleteGroup("warm-up-" + protocol);
        }
    }

    /** Whose last member may still be on its way out. */
    private void deleteGroup(String group) throws Exception {
        for (int left = 100; ; left--) {
            try {
                admin.deleteConsumerGroups(List.of(group)).all().get();
                return;
            } catch (ExecutionException problem) {
                if (left == 0 || !(problem.getCause() instanceof GroupNotEmptyException)) throw problem;
                Thread.sleep(100);
            }
        }
    }

    private void step(String[] words, KafkaProducer<byte[], byte[]> producer) throws Exception {
        switch (words[0]) {
            case "broker" -> { }
            case "topic" -> admin.createTopics(List.of(new NewTopic(words[1], Integer.parseInt(words[2]), (short) 1))).all().get();
            case "delete-topic" -> admin.deleteTopics(List.of(words[1])).all().get();
            case "partitions" -> admin.createPartitions(Map.of(words[1], NewPartitions.increaseTo(Integer.parseInt(words[2])))).all().get();
            case "put" -> {
                for (int i = 0; i < Integer.parseInt(words[3]); i++)
                    producer.send(new ProducerRecord<>(words[1], Integer.parseInt(words[2]), null, new byte[] { 'v' }));
                producer.flush();
            }
            case "run" -> {
                clock += Long.parseLong(words[1]);
                Thread.sleep(Math.max(0, clock - facts.now()));
            }
            case "consumer" -> {
                begin(words[1]);
                actors.put(words[1], new Actor(words[1], servers, settings(words, 2), facts));
            }
            case "reader" -> {
                begin(words[1]);
                if (!Files.isExecutable(Path.of(System.getProperty("reader")))) throw new IOException("sessions of kafka-go need Go: there is no reader");
                List<String> command = new ArrayList<>(List.of(System.getProperty("reader"), words[1], servers));
                command.addAll(List.of(words).subList(2, words.length));
                actors.put(words[1], new Reader(words[1], command, facts));
            }
            case "admin" -> {
                if (!actors.containsKey(Steward.NAME)) {
                    facts.watch(Steward.NAME);
                    actors.put(Steward.NAME, new Steward(servers, facts));
                }
                actors.get(Steward.NAME).order(List.of(words).subList(1, words.length).toArray(new String[0]));
            }
            case "crash" -> {
                facts.unwatch(words[1]);
                proxy.cut(words[1]);
            }
            default -> actors.get(words[1]).order(orders(words));
        }
    }

    /** The clock starts with the first program. */
    private void begin(String name) throws InterruptedException {
        if (actors.isEmpty()) {
            Thread.sleep(SETTLE_MS);
            facts.begin();
        }
        facts.watch(name);
    }

    /** "seek A o-0 3" -> seek o-0 3 */
    private static String[] orders(String[] words) {
        List<String> order = new ArrayList<>(List.of(words));
        order.remove(1);
        return order.toArray(new String[0]);
    }

    private static Map<String, String> settings(String[] words, int from) {
        Map<String, String> settings = new HashMap<>();
        for (int i = from; i < words.length; i++) settings.put(words[i].substring(0, words[i].indexOf('=')), words[i].substring(words[i].indexOf('=') + 1));
        return settings;
    }
}
