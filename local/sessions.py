"""boto3 sessions that share botocore's descriptions of AWS, which take a third of a second to read: once a process."""

from functools import cache
from typing import Any

import boto3
from botocore.loaders import Loader, create_loader
from botocore.session import Session


@cache
def _descriptions() -> Loader:
    return create_loader()


def session(of: Session | None = None, **more: Any) -> boto3.Session:
    """As `boto3.Session(botocore_session=of, **more)`."""
    inner = of or Session()
    made = boto3.Session(botocore_session=inner, **more)
    inner.register_component("data_loader", _descriptions())  # behind boto3, which adds to the paths of the one there
    return made
