"""A subscriber of the alerts topic: a queue of its own, as an operator would add one."""

import json
import uuid
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
            return self.seen if sum(of in text for text in self.seen) >= at_least else []

        return until(take)
