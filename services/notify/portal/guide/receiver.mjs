// A receiver of webhooks. npm install standardwebhooks; WEBHOOK_SECRET=whsec_… PORT=8080 node receiver.mjs
import { createServer } from "node:http";
import { Webhook } from "standardwebhooks";

const webhook = new Webhook(process.env.WEBHOOK_SECRET);
const handled = new Set(); // yours: written in the transaction of the work itself

createServer(async (request, response) => {
  const parts = [];
  let size = 0;
  for await (const part of request) {
    size += part.length;
    if (size > 1 << 20) return response.writeHead(413, { Connection: "close" }).end();
    parts.push(part);
  }
  const body = Buffer.concat(parts); // the bytes as they came: no JSON middleware in front
  let event;
  try {
    event = webhook.verify(body, request.headers); // also refuses what is older than 5 minutes
  } catch {
    return response.writeHead(401).end();
  }
  // Yours: put it in a table or a queue that a crash does not empty. Then answer; work afterwards.
  response.writeHead(204).end();
  setImmediate(handle, request.headers["webhook-id"], event);
}).listen(Number(process.env.PORT), "127.0.0.1");

function handle(deliveryId, event) {
  if (handled.has(deliveryId)) return; // a repeat has the same webhook-id
  console.log("handled", deliveryId, event.type);
  handled.add(deliveryId);
}
