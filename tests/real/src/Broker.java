/* SPDX-License-Identifier: Apache-2.0 */
package record;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.Properties;
import java.util.stream.Stream;

import kafka.server.KafkaConfig;
import kafka.server.KafkaRaftServer;
import kafka.tools.StorageTool;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.utils.Time;

/** One real broker (broker and controller in one), on loopback, with its files in a folder of its own that goes with it. */
final class Broker implements AutoCloseable {
    final int port;
    private final Path home;
    private final KafkaRaftServer server;

    /** Clients are told to come to `advertisedPort`: the recorder's. */
    Broker(int advertisedPort, Properties extra) throws IOException {
        home = Files.createTempDirectory("kafka-record-");
        port = freePort();
        int controller = freePort();
        Properties properties = new Properties();
        properties.setProperty("process.roles", "broker,controller");
        properties.setProperty("node.id", "1");
        properties.setProperty("controller.quorum.voters", "1@127.0.0.1:" + controller);
        properties.setProperty("controller.listener.names", "CONTROLLER");
        properties.setProperty("listeners", "PLAINTEXT://127.0.0.1:" + port + ",CONTROLLER://127.0.0.1:" + controller);
        properties.setProperty("advertised.listeners", "PLAINTEXT://127.0.0.1:" + advertisedPort);
        properties.setProperty("listener.security.protocol.map", "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT");
        properties.setProperty("log.dirs", home.resolve("data").toString());
        properties.setProperty("offsets.topic.replication.factor", "1");
        properties.setProperty("offsets.topic.num.partitions", "5");
        properties.setProperty("transaction.state.log.replication.factor", "1");
        properties.setProperty("transaction.state.log.min.isr", "1");
        properties.setProperty("log.cleaner.enable", "false");
        properties.putAll(extra);
        Path file = home.resolve("server.properties");
        try (var out = Files.newOutputStream(file)) { properties.store(out, null); }
        var said = new ByteArrayOutputStream();
        int code = StorageTool.execute(new String[] { "format", "-t", Uuid.randomUuid().toString(), "-c", file.toString() },
                                       new PrintStream(said));
        if (code != 0) throw new IOException("the storage cannot be formatted: " + said);
        server = new KafkaRaftServer(KafkaConfig.fromProps(properties), Time.SYSTEM);
        server.startup();
    }

    @Override public void close() throws IOException {
        server.shutdown();
        server.awaitShutdown();
        try (Stream<Path> paths = Files.walk(home)) { paths.sorted(Comparator.reverseOrder()).forEach(path -> path.toFile().delete()); }
    }

    private static int freePort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0)) { return socket.getLocalPort(); }
    }
}
