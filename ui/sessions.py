"""How many pages are open here, told to CloudWatch: by it the hosted dashboard has more tasks or fewer.

Owns one line of the log, once a minute, in the format that CloudWatch makes a metric of. Knows nothing of pages or
people. A page is one session of Streamlit's and one websocket, and it is these that take the processor's time, not
requests: hosting/template.yaml has a target for each task, and docs/decisions.md the reasons.
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
"""

import asyncio
from collections.abc import Mapping

from aws_lambda_powertools.metrics import MetricUnit, single_metric
from streamlit import runtime
from streamlit.runtime.stats import ACTIVE_SESSIONS_FAMILY, GaugeStat

from services.stack import NAME

EVERY_SECONDS = 60.0


def hosted(environ: Mapping[str, str]) -> bool:
    """Whether this is a task of ECS, whose log is CloudWatch's."""
    return environ.get("AWS_EXECUTION_ENV", "").startswith("AWS_ECS_")


async def tell(environ: Mapping[str, str]) -> None:
    """Tell it over and over, by the name of the stack that is shown."""
    while True:
        with single_metric("Sessions", MetricUnit.Count, opened(), namespace="Stocktrail") as line:
            line.add_dimension("Stack", environ.get("STOCKTRAIL_STACK") or NAME)
        await asyncio.sleep(EVERY_SECONDS)


def opened() -> int:
    """As Streamlit counts them, at /_stcore/metrics too."""
    told = runtime.get_instance().stats_mgr.get_stats(family_names=[ACTIVE_SESSIONS_FAMILY])
    return sum(one.value for one in told[ACTIVE_SESSIONS_FAMILY] if isinstance(one, GaugeStat))
