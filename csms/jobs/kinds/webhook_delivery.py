"""Kind `webhook_delivery`: tell one webhook of events, one item each, at least once.

What is sent and under which id is a row before the first attempt and the same at every one; the
signature is made for each, because it has the time in it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from http import HTTPStatus
from typing import Any

from csms.clock import Clock
from csms.domain.jobs import ItemState, Job, JobItem, NewItem, Policy, Submission
from csms.domain.permissions import SYSTEM
from csms.domain.sealing import Seal
from csms.domain.webhooks import DeliveryState, Webhook, message_id, signature, wait_s
from csms.jobs.kinds.no_calls import SendsNoCall
from csms.jobs.port import Admission, Done, Go, Intent, Result, Retry
from csms.services import webhooks as service
from csms.services.webhook_sending import Answer, DeliveryFailed, Sender
from csms.store import webhook_deliveries, webhooks
from csms.store.database import Database, ReadTx, Tx

KIND = "webhook_delivery"
# A receiver that takes nothing is tried for a weekend; each of many events about once an hour.
TRIED_FOR_S = 3 * 86_400.0
_UNTIL_GIVEN_UP = Policy(
    first_delay_s=5.0, max_delay_s=3600.0, max_attempts=200, expires_in_s=TRIED_FOR_S
)
# One that takes others does not want this one.
REFUSALS = 10
_TAKES_OTHERS = timedelta(hours=1)
# Beyond what a webhook asks for, so that retries do not stand in the way of what is new.
_MORE_AT_ONCE = 4


def submission(webhook: Webhook, event_ids: Sequence[int], *, is_test: bool = False) -> Submission:
    """The job of telling a webhook of these events, in this order."""
    policy = Policy(max_attempts=1) if is_test else _UNTIL_GIVEN_UP
    return Submission(
        kind=KIND,
        dialect="native",
        principal=SYSTEM.id,
        params={"webhook": webhook.id, "test": is_test},
        items=[
            NewItem(message_id(webhook.uuid, event_id), data={"event": event_id})
            for event_id in event_ids
        ],
        hidden=True,
        policy=replace(policy, max_parallel=webhook.max_parallel),
    )


class WebhookRunner(SendsNoCall):
    """Runs the items: one POST each."""

    name: str = KIND
    first_step: str | None = None
    late_effects: bool = False

    def __init__(
        self, *, db: Database, clock: Clock, seal: Seal, sender: Sender, disable_after_days: float
    ) -> None:
        self._db = db
        self._clock = clock
        self._seal = seal
        self._sender = sender
        self._disable_after_days = disable_after_days
        self._at_once: Counter[int] = Counter()

    def keep(self, params: dict[str, Any]) -> dict[str, Any]:
        """There are no secrets among them."""
        return params

    def admit(self, job: Job, item: JobItem) -> Admission:
        """No station is asked, so none is in the way."""
        return Go()

    def intent(self, job: Job, item: JobItem) -> Intent | None:
        """The attempt is journaled; the id of the message is the item's own."""
        return Intent()

    def permitted(self, tx: Tx, job: Job, items: Sequence[JobItem]) -> Sequence[JobItem]:
        """All, while the webhook is there and enabled; a test goes out all the same."""
        webhook = webhooks.find(tx, job.params["webhook"])
        return items if is_owed(job, webhook) else ()

    async def run(
        self, job: Job, item: JobItem, intent: Intent | None, on_sent: Callable[[], None]
    ) -> Result:
        """One attempt."""
        webhook_id: int = job.params["webhook"]
        found = await self._db.read(lambda tx: _look_up(tx, webhook_id, item))
        if found is None:
            return Done(ItemState.ERROR, "deleted", "the webhook was deleted meanwhile")
        webhook, body = found
        if self._at_once[webhook_id] >= webhook.max_parallel + _MORE_AT_ONCE:
            return Retry("busy", "too many deliveries to it are under way")
        self._at_once[webhook_id] += 1
        try:
            headers = self._headers(webhook, item, body)
            on_sent()
            answer = await self._sender.post(webhook.url, body, headers)
        except DeliveryFailed as error:
            return await self._not_taken(job, item, webhook, error.code, error.message)
        finally:
            self._at_once[webhook_id] -= 1
            if not self._at_once[webhook_id]:
                del self._at_once[webhook_id]
        if HTTPStatus.OK <= answer.status < HTTPStatus.MULTIPLE_CHOICES:
            return _taken(webhook, item, answer)
        said = f"HTTP {answer.status}" + (f": {answer.text}" if answer.text else "")
        if answer.status == HTTPStatus.GONE and not job.params["test"]:
            reason = "the receiver answered HTTP 410: it wants nothing more"
            await self._db.write(lambda tx: service.disable(tx, webhook.id, reason))
            return Done(ItemState.ERROR, "gone", said)
        asked_s = wait_s(answer.retry_after, self._clock.now())
        return await self._not_taken(job, item, webhook, "refused", said, asked_s)

    def discard(self, tx: Tx, job: Job, item: JobItem) -> int | None:
        """It will not be tried again by itself."""
        webhook_deliveries.settle(
            tx, job.params["webhook"], item.data["event"], DeliveryState.FAILED
        )
        return None

    def _headers(self, webhook: Webhook, item: JobItem, body: bytes) -> dict[str, str]:
        now = self._clock.now()
        timestamp = int(now.timestamp())
        keys = service.valid_secrets(webhook, self._seal, now)
        return {
            "webhook-id": item.key,
            "webhook-timestamp": str(timestamp),
            "webhook-signature": signature(keys, message=item.key, timestamp=timestamp, body=body),
        }

    async def _not_taken(  # noqa: PLR0917 - what came of one attempt
        self,
        job: Job,
        item: JobItem,
        webhook: Webhook,
        code: str,
        reason: str,
        asked_s: float = 0.0,
    ) -> Result:
        if job.params["test"]:  # a person looks at it; it says nothing of how things are going
            return Done(ItemState.ERROR, code, reason)
        after = self._disable_after_days
        await self._db.write(
            lambda tx: service.failed(tx, webhook.id, reason, disable_after_days=after)
        )
        last = webhook.last_success_at
        takes_others = last is not None and self._clock.now() - last < _TAKES_OTHERS
        if takes_others and item.attempts_used + 1 >= REFUSALS:
            return Done(ItemState.ERROR, code, reason, retryable=True)
        return Retry(code, reason, asked_s)


def is_owed(job: Job, webhook: Webhook | None) -> bool:
    """Whether the webhook is still to be told what the job is about."""
    return webhook is not None and (webhook.enabled or job.params["test"])


def _look_up(tx: ReadTx, webhook_id: int, item: JobItem) -> tuple[Webhook, bytes] | None:
    webhook = webhooks.find(tx, webhook_id)
    delivery = webhook_deliveries.find(tx, webhook_id, item.data["event"])
    if webhook is None or delivery is None:
        return None
    return webhook, delivery.payload.encode()


def _taken(webhook: Webhook, item: JobItem, answer: Answer) -> Done:
    def effect(tx: Tx) -> None:
        service.succeeded(tx, webhook.id)
        webhook_deliveries.settle(tx, webhook.id, item.data["event"], DeliveryState.DELIVERED)

    return Done(ItemState.SUCCEEDED, response_status=str(answer.status), effect=effect)
