/* SPDX-License-Identifier: Apache-2.0 */
package record;

import java.util.HashMap;
import java.util.Map;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;

/** What the fetches of one recording say about fetch sessions (KIP-227). Requests and answers get a `Session`: "session N", the Nth of
 *  that client, or "none"; a request's epoch becomes "next" when it is the one after the request before it; of an answer's partitions
 *  it is told whether they bring records. Idle fetches, asking for nothing new and told nothing, are not counted. */
final class Fetches {
    private final Map<String, String> sessions = new HashMap<>(); /* client and id -> its name */
    private final Map<String, Integer> counts = new HashMap<>(), epochs = new HashMap<>(); /* by client */

    /** Writes a fetch down; false: it says nothing. To be called of every fetch, in order. */
    boolean tell(ObjectNode line) {
        String client = line.get("c").asText();
        ObjectNode request = (ObjectNode) line.get("q");
        int epoch = request.get("SessionEpoch").asInt();
        name(client, request);
        if (epoch > 0 && epoch == epochs.getOrDefault(client, -1) + 1) request.put("SessionEpoch", "next");
        epochs.put(client, epoch);
        merge((ArrayNode) request.get("Topics"));
        merge((ArrayNode) request.get("ForgottenTopicsData"));
        boolean says = epoch <= 0 || !request.get("Topics").isEmpty() || !request.get("ForgottenTopicsData").isEmpty();
        if (!(line.get("a") instanceof ObjectNode answer)) return says;
        name(client, answer);
        merge((ArrayNode) answer.get("Responses"));
        answer.get("Responses").forEach(topic -> topic.get("Partitions").forEach(one ->
            ((ObjectNode) one).put("HasRecords", one.path("RecordsSizeInBytes").asInt() > 0)));
        return says || answer.get("ErrorCode").asInt() != 0 || !answer.get("Responses").isEmpty();
    }

    private void name(String client, ObjectNode message) {
        int id = message.get("SessionId").asInt();
        message.put("Session", id == 0 ? "none" : sessions.computeIfAbsent(client + " " + id, key -> "session " + counts.merge(client, 1, Integer::sum)));
    }

    /** Partitions stand in the order of the session, with a topic as often as the order asks for; here each topic stands once. */
    static void merge(ArrayNode topics) {
        Map<String, ArrayNode> found = new HashMap<>();
        for (var each = topics.iterator(); each.hasNext(); ) {
            JsonNode topic = each.next();
            ArrayNode partitions = (ArrayNode) topic.get("Partitions"), former = found.putIfAbsent(topic.path("TopicId").asText(topic.path("Topic").asText()), partitions);
            if (former == null) continue;
            former.addAll(partitions);
            each.remove();
        }
    }
}
