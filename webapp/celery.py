"""Celery carries one word, "look", from whoever made work to the workers. Losing it costs a moment, never a result."""

import logging
import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "webapp.settings")

from celery import Celery
from django.conf import settings
from kombu import Exchange, Queue
from kombu.exceptions import OperationalError

LOOK = "webapp.searches.workers.tasks.look"
LOOK_EXPIRES_SECONDS = 10  # The reconciler rings again every two seconds, so an old message is worth nothing.

log = logging.getLogger(__name__)

app = Celery("webapp")
app.conf.update(
    broker_url=settings.BROKER_URL,
    result_backend=None,
    task_ignore_result=True,
    task_serializer="json",
    accept_content=["json"],
    # Acknowledged early: what makes work safe is the lease in the database. Redelivery lost 20 of 30,000 messages.
    task_acks_late=False,
    worker_prefetch_multiplier=1,
    # Rings are taken by whoever has a process that rests: busy hosts would keep those for which another one waits.
    worker_disable_prefetch=True,
    task_publish_retry=False,
    broker_connection_retry_on_startup=True,
    broker_connection_max_retries=None,
    worker_consumer="webapp.searches.workers.hearing:Listener",
    broker_connection_timeout=1,
    broker_transport_options={"socket_timeout": 5, "socket_connect_timeout": 1, "max_retries": 0},
    worker_hijack_root_logger=False,
    worker_send_task_events=False,
    worker_enable_remote_control=False,
    task_default_queue="look",
    # Taken without an acknowledgement. One that cannot be sent, because the broker dies just then, would count as a
    # message under way for ever: with as many of them as processes, Celery takes no more and the worker is deaf.
    task_queues=[Queue("look", Exchange("look"), routing_key="look", no_ack=True)],
    enable_utc=True,
    imports=["webapp.searches.workers.tasks"],
)


def ring_workers(times: int = 1) -> bool:
    """Tell up to this many workers to look for work. False where no broker answers; the reconciler rings again."""
    if not settings.REDIS_URL:
        return False
    try:
        for _ in range(times):
            app.send_task(LOOK, expires=LOOK_EXPIRES_SECONDS, retry=False, ignore_result=True)
    except OperationalError as error:
        log.warning("Nobody was rung, the broker does not answer: %s", error)
        return False
    return True
