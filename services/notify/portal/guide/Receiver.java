// A receiver of webhooks. Maven: com.standardwebhooks:standardwebhooks
// WEBHOOK_SECRET=whsec_… PORT=8080 java -cp standardwebhooks.jar Receiver.java
import com.standardwebhooks.Webhook;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

public class Receiver {
    static final int LIMIT = 1 << 20;
    static final Webhook webhook = new Webhook(System.getenv("WEBHOOK_SECRET"));
    static final ExecutorService work = Executors.newSingleThreadExecutor(); // yours: a table or queue that survives a crash
    static final Set<String> handled = new HashSet<>(); // yours: written in the transaction of the work itself

    public static void main(String[] args) throws IOException {
        int port = Integer.parseInt(System.getenv("PORT"));
        HttpServer server = HttpServer.create(new InetSocketAddress("127.0.0.1", port), 0);
        server.createContext("/", Receiver::receive);
        server.setExecutor(Executors.newFixedThreadPool(8));
        server.start();
    }

    static void receive(HttpExchange exchange) throws IOException {
        try (exchange) {
            byte[] bytes = exchange.getRequestBody().readNBytes(LIMIT + 1);
            if (bytes.length > LIMIT) {
                exchange.sendResponseHeaders(413, -1);
                return;
            }
            String body = new String(bytes, StandardCharsets.UTF_8); // as it came: verify first, parse afterwards
            Map<String, List<String>> headers = new HashMap<>();
            exchange.getRequestHeaders().forEach((name, values) -> headers.put(name.toLowerCase(), values));
            try {
                webhook.verify(body, headers); // also refuses what is older than 5 minutes
            } catch (Exception refused) {
                exchange.sendResponseHeaders(401, -1);
                return;
            }
            work.submit(() -> handle(headers.get("webhook-id").get(0), body));
            exchange.sendResponseHeaders(204, -1); // answer first, work afterwards
        }
    }

    static void handle(String deliveryId, String event) {
        if (handled.add(deliveryId)) { // a repeat has the same webhook-id
            System.out.println("handled " + deliveryId + " " + event.length());
        }
    }
}
