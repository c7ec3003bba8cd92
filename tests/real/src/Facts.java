/* SPDX-License-Identifier: Apache-2.0 */
package record;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.node.TextNode;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.requests.RequestHeader;

/** What was seen in one session, in the order in which it was seen; written without what differs from run to run: member ids become
 *  CLIENT#N (the Nth id of that client), topic ids id:TOPIC (of one that was deleted and made again id:TOPIC#N), bytes hex, times milliseconds since the session began. */
final class Facts {
    /** Not what a simulated cluster could or should repeat. */
    private static final Set<String> LEFT_OUT = Set.of("ThrottleTimeMs", "ClusterId", "Host", "Port", "Rack", "NodeId", "Brokers",
        "ControllerId", "ClientHost", "ClientSoftwareVersion", "Records", "RecordsSizeInBytes", "SessionId", "ApiKeys", "SupportedFeatures",
        "FinalizedFeatures", "FinalizedFeaturesEpoch", "ZkMigrationReady", "ReplicaNodes", "IsrNodes", "OfflineReplicas",
        "EligibleLeaderReplicas", "LastKnownElr", "LeaderId", "ReplicaState", "AbortedTransactions", "PreferredReadReplica",
        "DivergingEpoch", "CurrentLeader", "SnapshotId", "NodeEndpoints", "ReplicaDirectoryId", "ClusterAuthorizedOperations",
        "TopicAuthorizedOperations", "Tags", "Timestamp", "CommitTimestamp",
        "IncludeTopicAuthorizedOperations", "IsInternal", "ClientSoftwareName");

    static final class Event {
        final String client;
        final long time;
        final ObjectNode line;
        Event(String client, long time, ObjectNode line) { this.client = client; this.time = time; this.line = line; }
    }

    private static final ObjectMapper MAPPER = new ObjectMapper();
    private final List<Event> events = new ArrayList<>();
    private final Map<String, String> names = new HashMap<>(); /* member and topic ids */
    private final Map<String, Integer> members = new HashMap<>(), topics = new HashMap<>(); /* ids met: of a client, of a topic's name */
    private final Map<String, Map<String, List<long[]>>> delivered = new TreeMap<>();
    private final Set<String> watched = new java.util.HashSet<>();
    private final Map<String, String> last = new HashMap<>();
    private long start;

    /** Only these clients' doings are facts. */
    synchronized void watch(String client) { watched.add(client); }
    synchronized void begin() { start = System.nanoTime(); }
    synchronized void unwatch(String client) { watched.remove(client); }
    synchronized void finish() { watched.clear(); }
    long now() { return (System.nanoTime() - start) / 1_000_000; }

    synchronized Event asked(String client, int connection, RequestHeader header, JsonNode body) {
        ObjectNode line = MAPPER.createObjectNode();
        Event event = new Event(client, now(), line);
        ObjectNode request = (ObjectNode) kafkaNames(body);
        topicIds(request);
        if (!watched.contains(client)) return event;
        line.put("c", client).put("t", event.time).put("k", connection).put("api", header.apiKey().name).put("v", header.apiVersion());
        meet(client, request);
        line.set("q", request);
        events.add(event);
        return event;
    }

    synchronized void answered(Event event, JsonNode body) {
        ObjectNode response = (ObjectNode) kafkaNames(body);
        topicIds(response);
        if (!watched.contains(event.client)) return;
        meet(event.client, response);
        event.line.put("d", now() - event.time);
        event.line.set("a", response);
    }

    /** A callback, or a call and how it ended; a poll that fails again and again is told once. */
    synchronized void told(String client, String what) {
        if (!watched.contains(client) || (what.equals(last.put(client, what)) && what.startsWith("poll "))) return;
        ObjectNode line = MAPPER.createObjectNode().put("c", client).put("t", now()).put("call", what);
        events.add(new Event(client, now(), line));
    }

    synchronized void delivered(String client, String partition, long offset) {
        if (!watched.contains(client)) return;
        List<long[]> ranges = delivered.computeIfAbsent(client, name -> new TreeMap<>()).computeIfAbsent(partition, name -> new ArrayList<>());
        if (!ranges.isEmpty() && ranges.get(ranges.size() - 1)[1] == offset) ranges.get(ranges.size() - 1)[1]++;
        else ranges.add(new long[] { offset, offset + 1 });
    }

    /** The session's line. */
    synchronized String write(String session, List<String> steps) {
        ObjectNode line = MAPPER.createObjectNode().put("session", session);
        ArrayNode told = line.putArray("steps");
        steps.forEach(told::add);
        ArrayNode seen = line.putArray("events");
        Map<String, String> connections = new HashMap<>();
        Set<String> fetched = new java.util.HashSet<>();
        Fetches fetches = session.startsWith("fetch-") ? new Fetches() : null;
        for (Event event : events) {
            if (!matters(event.line, fetches) || (fetchesBesides(event.line) && !fetched.add(event.client + event.line.get("q")))) continue;
            nameConnection(event.line, connections);
            seen.add(renamed(event.line));
        }
        ObjectNode ranges = line.putObject("delivered");
        delivered.forEach((client, partitions) -> {
            ObjectNode of = ranges.putObject(client);
            partitions.forEach((partition, list) -> {
                ArrayNode array = of.putArray(partition);
                list.forEach(range -> array.add(range[0] + ".." + range[1]));
            });
        });
        return line.toString();
    }

    /** Which connections a client uses for what: "group 1" is the first that it asked the coordinator on, "data 1" the first for what
     *  leaders answer; only others are named. Where it asks who is who is left to chance: whatever is open. */
    private static void nameConnection(ObjectNode line, Map<String, String> connections) {
        JsonNode number = line.remove("k");
        String api = line.path("api").asText();
        if (number == null || Set.of("ApiVersions", "Metadata", "FindCoordinator").contains(api) || fetchesBesides(line) || line.get("c").asText().equals(Steward.NAME))
            return;
        String use = line.get("c").asText() + (Set.of("Fetch", "ListOffsets", "OffsetForLeaderEpoch").contains(api) ? " data " : " group ");
        String connection = line.get("c").asText() + number.asInt();
        String name = connections.computeIfAbsent(connection, key -> use + (1 + connections.values().stream().filter(one -> one.startsWith(use)).count()));
        if (!name.equals(use + 1)) line.put("k", name.substring(name.indexOf(' ') + 1));
    }

    /** kafka-go reads each partition by a task with a connection of its own. */
    private static boolean fetchesBesides(ObjectNode line) {
        return line.path("api").asText().equals("Fetch") && line.path("v").asInt() < 12 || line.path("api").asText().equals("ListOffsets") && line.path("v").asInt() < 4;
    }

    /** Brokers keep fetch sessions, so only fetches that name all their partitions (and those that fail) say something, but where these
     *  are what is recorded. */
    private static boolean matters(ObjectNode line, Fetches fetches) {
        if (line.get("c").asText().equals(Steward.NAME) && Set.of("ApiVersions", "Metadata", "DescribeCluster").contains(line.path("api").asText()))
            return false; /* how it finds brokers is no matter of groups */
        if (line.path("api").asText().equals("Metadata") && line.path("q").path("Topics").isEmpty()) return false; /* before subscribe */
        if (!line.path("api").asText().equals("Fetch")) return true;
        if (fetches != null) return fetches.tell(line);
        boolean whole = line.path("q").path("SessionEpoch").asInt() == 0 || fetchesBesides(line);
        Fetches.merge((ArrayNode) line.path("q").path("Topics"));
        if (line.path("a") instanceof ObjectNode answer) answer.remove("Responses");
        return whole || line.path("a").path("ErrorCode").asInt() != 0;
    }

    private void meet(String client, JsonNode message) {
        String id = message.path("MemberId").asText("");
        if (!id.isEmpty() && !names.containsKey(id)) names.put(id, client + "#" + members.merge(client, 1, Integer::sum));
    }

    private void topicIds(JsonNode node) {
        if (node.has("TopicId") && !node.path("Name").asText("").isEmpty() && !node.get("TopicId").asText().equals(Uuid.ZERO_UUID.toString()))
            names.computeIfAbsent(node.get("TopicId").asText(), id -> {
                int nth = topics.merge(node.get("Name").asText(), 1, Integer::sum);
                return "id:" + node.get("Name").asText() + (nth > 1 ? "#" + nth : "");
            });
        node.forEach(this::topicIds);
    }

    private JsonNode renamed(JsonNode node) {
        if (node.isTextual()) return TextNode.valueOf(renamed(node.asText()));
        if (node.isArray()) {
            ArrayNode copy = MAPPER.createArrayNode();
            node.forEach(item -> copy.add(renamed(item)));
            return copy;
        }
        if (!node.isObject()) return node;
        ObjectNode copy = MAPPER.createObjectNode();
        node.fields().forEachRemaining(field -> { if (!LEFT_OUT.contains(field.getKey())) copy.set(field.getKey(), renamed(field.getValue())); });
        return copy;
    }

    /** Ids stand in reasons, too. */
    private String renamed(String text) {
        for (var name : names.entrySet()) text = text.replace(name.getKey(), name.getValue());
        return text;
    }

    /** groupId -> GroupId, bytes -> hex. */
    private static JsonNode kafkaNames(JsonNode node) {
        if (node.isBinary()) {
            try { return TextNode.valueOf(HexFormat.of().formatHex(node.binaryValue())); }
            catch (java.io.IOException impossible) { throw new IllegalStateException(impossible); }
        }
        if (node.isArray()) {
            ArrayNode copy = MAPPER.createArrayNode();
            node.forEach(item -> copy.add(kafkaNames(item)));
            return copy;
        }
        if (!node.isObject()) return node;
        ObjectNode copy = MAPPER.createObjectNode();
        node.fields().forEachRemaining(field ->
            copy.set(Character.toUpperCase(field.getKey().charAt(0)) + field.getKey().substring(1), kafkaNames(field.getValue())));
        return copy;
    }
}
