"""A receiver of webhooks. pip install standardwebhooks; WEBHOOK_SECRET=whsec_… PORT=8080 python receiver.py"""

import os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import Queue
from threading import Thread
from typing import Any

from standardwebhooks import Webhook, WebhookVerificationError

webhook = Webhook(os.environ["WEBHOOK_SECRET"])
work: Queue[tuple[str, Any]] = Queue()  # yours: a table or a queue that a crash does not empty
handled: set[str] = set()  # yours: written in the transaction of the work itself


class Receiver(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        size = int(self.headers.get("Content-Length", 0))
        if size > 1 << 20:
            return self.answer(413)
        body = self.rfile.read(size)  # the bytes as they came: verify first, parse afterwards
        headers = {name.lower(): value for name, value in self.headers.items()}
        try:
            event = webhook.verify(body, headers)  # also refuses what is older than 5 minutes
        except (WebhookVerificationError, ValueError):
            return self.answer(401)
        work.put((headers["webhook-id"], event))
        return self.answer(204)  # answer first, work afterwards

    def answer(self, status: int) -> None:
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()


def handle() -> None:
    while True:
        delivery_id, event = work.get()
        if delivery_id not in handled:  # a repeat has the same webhook-id
            print("handled", delivery_id, event["type"], flush=True)
            handled.add(delivery_id)


if __name__ == "__main__":
    Thread(target=handle, daemon=True).start()
    ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Receiver).serve_forever()
