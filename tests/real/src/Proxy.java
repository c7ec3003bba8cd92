/* SPDX-License-Identifier: Apache-2.0 */
package record;

import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.lang.reflect.Method;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

import org.apache.kafka.common.protocol.ByteBufferAccessor;
import org.apache.kafka.common.requests.AbstractRequest;
import org.apache.kafka.common.requests.AbstractResponse;
import org.apache.kafka.common.requests.RequestAndSize;
import org.apache.kafka.common.requests.RequestHeader;
import org.apache.kafka.network.RequestConvertToJson;

/** Stands between clients and the broker, hands every frame on as it is, and writes down what it says. A client is known by its
 *  client.id; one that was cut off has its connections reset and gets no new ones, as a process that died. */
final class Proxy implements AutoCloseable {
    private record Link(Socket client, Socket broker, int number) { }
    private record Asked(RequestHeader header, Facts.Event event) { }

    private final ServerSocket server = new ServerSocket(0, 100, InetAddress.getLoopbackAddress());
    private final Set<String> dead = ConcurrentHashMap.newKeySet();
    private final Map<Link, String> links = new ConcurrentHashMap<>();
    private final Map<String, Integer> connections = new ConcurrentHashMap<>();
    private final Facts facts;
    private volatile int brokerPort;

    Proxy(Facts facts) throws IOException { this.facts = facts; }

    int port() { return server.getLocalPort(); }

    void start(int brokerPort) {
        this.brokerPort = brokerPort;
        thread(() -> {
            while (true) {
                Socket client = server.accept();
                thread(() -> connected(client));
            }
        });
    }

    /** From now on nothing of this client gets through, in either direction. */
    void cut(String client) {
        dead.add(client);
        links.forEach((link, name) -> { if (name.equals(client)) drop(link); });
    }

    private void connected(Socket client) throws IOException {
        Socket broker = new Socket();
        broker.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), brokerPort));
        client.setTcpNoDelay(true);
        broker.setTcpNoDelay(true);
        Map<Integer, Asked> asked = new ConcurrentHashMap<>();
        Link[] link = new Link[1];
        thread(() -> {
            try { pump(broker, client, frame -> answered(frame, asked)); }
            finally { broker.close(); client.close(); }
        });
        try {
            pump(client, broker, frame -> {
                RequestHeader header = RequestHeader.parse(frame);
                String name = header.clientId();
                if (dead.contains(name)) throw new IOException("cut");
                if (link[0] == null) {
                    link[0] = new Link(client, broker, connections.merge(name, 1, Integer::sum));
                    links.put(link[0], name);
                    if (dead.contains(name)) throw new IOException("cut");
                }
                var request = parse(header, frame);
                asked.put(header.correlationId(), new Asked(header, facts.asked(name, link[0].number, header,
                                                                                 RequestConvertToJson.request(request))));
            });
        } finally {
            broker.close();
            client.close();
            if (link[0] != null) links.remove(link[0]);
        }
    }

    /** From Kafka 4.1 on the frame is given as a Readable. */
    private static AbstractRequest parse(RequestHeader header, ByteBuffer frame) {
        try {
            for (Method method : AbstractRequest.class.getMethods())
                if (method.getName().equals("parseRequest") && method.getParameterCount() == 3)
                    return ((RequestAndSize) method.invoke(null, header.apiKey(), header.apiVersion(),
                                                           method.getParameterTypes()[2] == ByteBuffer.class ? frame : new ByteBufferAccessor(frame))).request;
            throw new IllegalStateException("AbstractRequest.parseRequest is gone");
        } catch (ReflectiveOperationException problem) {
            throw new IllegalStateException(problem);
        }
    }

    private void answered(ByteBuffer frame, Map<Integer, Asked> asked) {
        Asked question = asked.remove(frame.getInt(0));
        if (question == null) return;
        AbstractResponse response = AbstractResponse.parseResponse(frame, question.header);
        facts.answered(question.event, RequestConvertToJson.response(response, question.header.apiVersion()));
    }

    private interface FrameReader { void read(ByteBuffer frame) throws IOException; }

    private static void pump(Socket from, Socket to, FrameReader reader) throws IOException {
        var in = new DataInputStream(from.getInputStream());
        var out = new DataOutputStream(to.getOutputStream());
        while (true) {
            byte[] frame = new byte[in.readInt()];
            in.readFully(frame);
            reader.read(ByteBuffer.wrap(frame));
            byte[] whole = ByteBuffer.allocate(frame.length + 4).putInt(frame.length).put(frame).array();
            out.write(whole);
            out.flush();
        }
    }

    private static void drop(Link link) {
        try {
            link.broker.setSoLinger(true, 0);
            link.broker.close();
            link.client.close();
        } catch (IOException gone) { /* closed already */ }
    }

    @Override public void close() throws IOException {
        server.close();
        links.keySet().forEach(Proxy::drop);
    }

    private interface Work { void run() throws Exception; }

    /** Its end is the end of a connection: nothing to report. */
    private static void thread(Work work) {
        Thread thread = new Thread(() -> { try { work.run(); } catch (Exception end) { if (System.getenv("DEBUG") != null && !(end instanceof IOException)) end.printStackTrace(); } });
        thread.setDaemon(true);
        thread.start();
    }
}
