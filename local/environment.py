"""What a server, its Lambdas and its users must agree on: account, region, endpoint, keys, variables.

Must not know processes or MiniStack's modules, only the names of its settings.
"""

import hashlib
import hmac
import os
from collections.abc import Mapping

from local.folder import Folder

MINISTACK = "1.5.33"
VERSION = f"2 on MiniStack {MINISTACK}"  # of what server and users agree on: the record, the gate, the state's files
ACCOUNT = "100000000000"
REGION = "us-east-1"
CHECKPOINT_PATH = "/_engine/checkpoint"  # the one request that the engine answers besides AWS's
LOG_SETTING = "STOCKTRAIL_ENGINE_LOG"
AUTH_SETTING = "STOCKTRAIL_ENGINE_AUTH"
_KEPT = ("PATH", "HOME", "LANG", AUTH_SETTING)


def user_environ(endpoint: str, secret: str) -> dict[str, str]:
    """What boto3 needs to speak to the engine. The session token is what opens the gate."""
    return {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": ACCOUNT,  # MiniStack takes a key of twelve digits for the account's number
        "AWS_SECRET_ACCESS_KEY": "engine",
        "AWS_SESSION_TOKEN": secret,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_REGION": REGION,
    }


def worker_secret(secret: str) -> str:
    """The Lambdas' own token, so that the gate can let them finish while it already refuses everyone else."""
    return hmac.new(secret.encode(), b"lambda", hashlib.sha256).hexdigest()


def server_environ(caller: Mapping[str, str], folder: Folder) -> dict[str, str]:
    """The whole environment of a server: nothing of the caller's but PATH, HOME, the locale and AUTH_SETTING.

    Set before MiniStack is imported, which reads it then. MiniStack hands all of it on to the Lambdas.
    """
    kept = {name: value for name, value in caller.items() if name in _KEPT or name.startswith("LC_")}
    return kept | {
        "TMPDIR": str(folder.temporary),
        # These two go into names that are kept (queue URLs), so they stay the same on every port.
        "MINISTACK_HOST": "localhost",
        "GATEWAY_PORT": "4566",
        "BIND_HOST": "127.0.0.1",
        "MINISTACK_ACCOUNT_ID": ACCOUNT,
        "MINISTACK_REGION": REGION,
        "PERSIST_STATE": "1",
        "STATE_DIR": str(folder.keys),
        "S3_PERSIST": "1",
        "S3_DATA_DIR": str(folder.objects),
        "LAMBDA_EXECUTOR": "local",
        "LAMBDA_WARM_TTL_SECONDS": "86400",
        "AUTH": "true" if caller.get(AUTH_SETTING) == "1" else "false",  # see `local.identities`
        "LOG_LEVEL": caller.get(LOG_SETTING) or caller.get("LOG_LEVEL") or "WARNING",
        # Nothing that listens or calls elsewhere: no brokers, no Docker, no instance metadata, no user's profile.
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        "DOCKER_HOST": "unix:///nonexistent/docker.sock",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    }
