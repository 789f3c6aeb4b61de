"""A subscriber of the alerts topic: a queue in the same engine, emptied only when the faults are over.

So it holds just the messages of what has really stayed: a killed engine takes what it had sent into the queue with it.
"""

import json
from dataclasses import dataclass

from services.stack import Stack

NAME = "chaos-listener"


@dataclass(frozen=True)
class Heard:
    """A message, and the id that SNS gave it."""

    message_id: str
    text: str


def subscribe(stack: Stack) -> None:
    sqs, sns = stack.client("sqs"), stack.client("sns")
    url = sqs.create_queue(QueueName=NAME)["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    sns.subscribe(TopicArn=stack.settings.topic, Protocol="sqs", Endpoint=arn)


def received(stack: Stack) -> dict[str, Heard]:
    """All messages that wait, by SQS's id of each; they are taken out of the queue."""
    sqs = stack.client("sqs")
    url = sqs.get_queue_url(QueueName=NAME)["QueueUrl"]
    found: dict[str, Heard] = {}
    while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", []):
        for one in messages:
            body = json.loads(one["Body"])
            found[one["MessageId"]] = Heard(body["MessageId"], body["Message"])
            sqs.delete_message(QueueUrl=url, ReceiptHandle=one["ReceiptHandle"])
    return found
