/* SPDX-License-Identifier: Apache-2.0 */
package record;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.util.List;

/** A process with a kafka-go reader (reader/main.go). */
final class Reader implements Program {
    private final Process process;

    Reader(String name, List<String> command, Facts facts) throws IOException {
        process = new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start();
        Thread thread = new Thread(() -> {
            try (var lines = new BufferedReader(new InputStreamReader(process.getInputStream()))) {
                for (String line; (line = lines.readLine()) != null; ) {
                    String[] words = line.split(" ", 2);
                    if (words[0].equals("told")) facts.told(name, words[1]);
                    else facts.delivered(name, words[1].split(" ")[0], Long.parseLong(words[1].split(" ")[1]));
                }
            } catch (IOException end) { /* of the process */ }
        }, name);
        thread.setDaemon(true);
        thread.start();
    }

    @Override public void order(String... words) {
        try {
            process.outputWriter().write(String.join(" ", words) + "\n");
            process.outputWriter().flush();
        } catch (IOException problem) {
            if (process.isAlive()) throw new UncheckedIOException(problem);
        }
    }
}
