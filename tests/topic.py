"""Subscribers of the alerts topic: a queue, as an operator would add one, and a server that takes what SNS posts."""

import json
import threading
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from services.stack import Stack
from tests.waiting import until


class Listener:
    """Receives what SNS sends while it is open."""

    def __init__(self, stack: Stack) -> None:
        self.sqs, self.sns, self.topic = stack.client("sqs"), stack.client("sns"), stack.settings.topic
        self.seen: list[str] = []

    def __enter__(self) -> "Listener":
        self.queue = self.sqs.create_queue(QueueName=f"listener-{uuid.uuid4().hex[:8]}")["QueueUrl"]
        arn = self.sqs.get_queue_attributes(QueueUrl=self.queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        self.subscription = self.sns.subscribe(
            TopicArn=self.topic, Protocol="sqs", Endpoint=arn, ReturnSubscriptionArn=True
        )["SubscriptionArn"]
        return self

    def __exit__(self, *_: Any) -> None:
        self.sns.unsubscribe(SubscriptionArn=self.subscription)
        self.sqs.delete_queue(QueueUrl=self.queue)

    def received(self, of: str, at_least: int) -> list[str]:
        """Every message so far, once so many of them name ``of``."""

        def take() -> list[str]:
            for message in self.sqs.receive_message(QueueUrl=self.queue, MaxNumberOfMessages=10).get("Messages", []):
                self.seen.append(json.loads(message["Body"])["Message"])
                self.sqs.delete_message(QueueUrl=self.queue, ReceiptHandle=message["ReceiptHandle"])
            return self.seen if sum(of in text for text in self.seen) >= at_least else []

        return until(take)


class Server:
    """An HTTP endpoint while it is open. ``tokens``: of the confirmations that SNS asked for; ``seen``: what came."""

    def __init__(self) -> None:
        self.tokens: list[str] = []
        self.seen: list[dict[str, Any]] = []

    def __enter__(self) -> "Server":
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                said = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                if said["Type"] == "SubscriptionConfirmation":
                    outer.tokens.append(said["Token"])
                else:
                    outer.seen.append(said)
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.server.server_port}/alerts"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: Any) -> None:
        self.server.shutdown()
        self.server.server_close()

    def texts(self, of: str, at_least: int) -> list[str]:
        """Every message so far, once so many of them name ``of``."""

        def seen() -> list[str]:
            texts = [one["Message"] for one in self.seen]
            return texts if sum(of in text for text in texts) >= at_least else []

        return until(seen)
