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
import java.util.TreeMap;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;

/** Join SESSIONS FILE ..: one recording out of several, in the order of the sessions file; of a session that was recorded more than once the
 *  last counts. Files are what Record or Join wrote. Most messages are said again and again: each is written once, with API, version and a
 *  number, before the session that first says it. */
public final class Join {
    private static final ObjectMapper MAPPER = new ObjectMapper();

    public static void main(String[] args) throws IOException {
        Map<String, ObjectNode> sessions = new HashMap<>();
        Map<String, String> versions = new TreeMap<>();
        for (int i = 1; i < args.length; i++) read(Path.of(args[i]), sessions, versions);
        ObjectNode head = MAPPER.createObjectNode();
        versions.forEach(head.putObject("recorded with")::put);
        System.out.println(head);
        Map<JsonNode, Integer> numbers = new LinkedHashMap<>();
        for (String line : Files.readAllLines(Path.of(args[0]))) {
            ObjectNode session = line.startsWith("session ") ? sessions.get(line.substring(8).trim()) : null;
            if (session == null) continue;
            session.set("events", packed(session.get("events"), numbers));
            System.out.println(session);
        }
    }

    private static void read(Path file, Map<String, ObjectNode> sessions, Map<String, String> versions) throws IOException {
        Map<Integer, ObjectNode> messages = new HashMap<>();
        for (String line : Files.readAllLines(file)) {
            ObjectNode node = (ObjectNode) MAPPER.readTree(line);
            node.path("recorded with").fields().forEachRemaining(field -> versions.merge(field.getKey(), field.getValue().asText(),
                (a, b) -> a.contains(b) ? a : a + ", " + b));
            if (node.has("message")) messages.put(node.get("message").asInt(), node);
            if (!node.has("session")) continue;
            if (node.get("events").isObject()) node.set("events", unpacked(node.get("events"), messages));
            sessions.put(node.get("session").asText(), node);
        }
    }

    /** By client: [time, "call"] or [time, request, answer, how long it took, connection], the end as far as there is something to say. */
    private static ObjectNode packed(JsonNode events, Map<JsonNode, Integer> numbers) {
        Map<String, List<ObjectNode>> byClient = new LinkedHashMap<>();
        events.forEach(event -> byClient.computeIfAbsent(event.get("c").asText(), name -> new ArrayList<>()).add((ObjectNode) event));
        ObjectNode clients = MAPPER.createObjectNode();
        byClient.forEach((client, list) -> {
            ArrayNode rows = clients.putArray(client);
            list.forEach(event -> rows.add(packed(event, numbers)));
        });
        return clients;
    }

    private static ArrayNode packed(ObjectNode event, Map<JsonNode, Integer> numbers) {
        ArrayNode row = MAPPER.createArrayNode().add(event.get("t"));
        if (event.has("call")) return row.add(event.get("call"));
        number(event, "q", numbers);
        number(event, "a", numbers);
        int took = event.path("d").asInt() < 100 ? 0 : event.get("d").asInt(); /* else at once */
        row.add(event.get("q"));
        if (event.has("a")) row.add(event.get("a"));
        if (took > 0 || event.has("k")) row.add(took);
        if (event.has("k")) row.add(event.get("k"));
        return row;
    }

    private static ArrayNode unpacked(JsonNode clients, Map<Integer, ObjectNode> messages) {
        ArrayNode events = MAPPER.createArrayNode();
        clients.fields().forEachRemaining(client -> client.getValue().forEach(row -> {
            ObjectNode event = events.addObject().put("c", client.getKey()).put("t", row.get(0).asLong());
            if (row.get(1).isTextual()) { event.set("call", row.get(1)); return; }
            ObjectNode request = messages.get(row.get(1).asInt());
            event.put("api", request.get("api").asText()).put("v", request.get("v").asInt()).set("q", request.get("is"));
            if (row.size() > 2) event.set("a", messages.get(row.get(2).asInt()).get("is"));
            if (row.size() > 3) event.set("d", row.get(3));
            if (row.size() > 4) event.set("k", row.get(4));
        }));
        return events;
    }

    private static void number(ObjectNode event, String part, Map<JsonNode, Integer> numbers) {
        if (!event.has(part)) return;
        ObjectNode message = MAPPER.createObjectNode();
        message.set("api", event.get("api"));
        message.set("v", event.get("v"));
        message.set("is", sorted(event.get(part)));
        Integer number = numbers.get(message);
        if (number == null) {
            numbers.put(message, number = numbers.size() + 1);
            System.out.println(MAPPER.createObjectNode().put("message", number).setAll(message));
        }
        event.put(part, number);
    }

    /** Partitions and topics come in the order of hash tables: here in one order. */
    private static JsonNode sorted(JsonNode node) {
        if (node.isArray()) {
            ArrayNode copy = MAPPER.createArrayNode();
            node.forEach(item -> copy.add(sorted(item)));
            return copy;
        }
        if (!node.isObject()) return node;
        ObjectNode copy = MAPPER.createObjectNode();
        node.fields().forEachRemaining(field -> {
            JsonNode value = sorted(field.getValue());
            if (value.isArray() && field.getKey().matches("Partitions|PartitionIndexes|Topics|TopicPartitions|SubscribedTopicNames")) {
                var items = new java.util.ArrayList<JsonNode>();
                value.forEach(items::add);
                items.sort(java.util.Comparator.comparing(JsonNode::toString));
                value = MAPPER.createArrayNode().addAll(items);
            }
            if (!field.getKey().endsWith("Metadata") || !value.asText().isEmpty()) copy.set(field.getKey(), value); /* of offsets: none */
        });
        return copy;
    }
}
