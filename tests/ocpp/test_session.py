from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from csms.ocpp.frames import Call, CallError, CallResult, CallResultError, Send
from csms.ocpp.session import (
    MAX_WAITING,
    REMEMBERED_ANSWERS,
    Finished,
    QueueFull,
    Received,
    Repeated,
    Session,
    Stray,
)


def call(message_id: str, action: str = "A", fingerprint: int = 0) -> Call:
    return Call(message_id, action, {}, fingerprint)


def result(message_id: str) -> CallResult:
    return CallResult(message_id, {})


def sent(session: Session, *ids: str) -> None:
    for message_id in ids:
        session.queue(call(message_id))
        session.next_to_send()


def test_one_call_is_outstanding_at_a_time() -> None:
    session = Session()
    session.queue(call("1"))
    session.queue(call("2"))
    assert session.next_to_send() == call("1")
    assert session.next_to_send() is None
    assert session.receive(result("1")) == Finished(call("1"), result("1"))
    assert session.next_to_send() == call("2")


def test_a_call_error_ends_a_call_too() -> None:
    session = Session()
    sent(session, "1")
    error = CallError("1", "GenericError", "", {})
    assert session.receive(error) == Finished(call("1"), error)
    assert session.idle


def test_a_late_answer_is_not_given_to_the_next_call() -> None:
    session = Session()
    sent(session, "1")
    assert session.abandon("1")
    sent(session, "2")
    assert session.receive(result("1")) == Stray(result("1"))
    assert session.receive(result("2")) == Finished(call("2"), result("2"))


def test_a_second_answer_to_the_same_call_is_a_stray() -> None:
    session = Session()
    sent(session, "1")
    session.receive(result("1"))
    assert session.receive(result("1")) == Stray(result("1"))


def test_a_call_that_waits_can_be_taken_back() -> None:
    session = Session()
    sent(session, "1", "2")
    assert not session.abandon("2")
    session.receive(result("1"))
    assert session.next_to_send() is None
    assert session.idle


def test_the_queue_is_bounded() -> None:
    session = Session()
    sent(session, *[str(number) for number in range(MAX_WAITING + 1)])
    with pytest.raises(QueueFull):
        session.queue(call("one more"))


def test_directions_are_independent() -> None:
    session = Session()
    sent(session, "1")
    assert session.receive(call("1")) == Received(call("1"))
    assert session.receive(result("1")) == Finished(call("1"), result("1"))
    assert session.being_answered == (call("1"),)


def test_a_repeated_call_gets_the_same_answer() -> None:
    session = Session()
    session.receive(call("1", fingerprint=5))
    session.answer(call("1", fingerprint=5), result("1"))
    again = session.receive(call("1", fingerprint=5))
    assert again == Repeated(call("1", fingerprint=5), result("1"))


def test_the_same_id_with_another_content_is_a_new_call() -> None:
    session = Session()
    session.receive(call("1", fingerprint=5))
    session.answer(call("1", fingerprint=5), result("1"))
    expected = Received(call("1", fingerprint=6), reuses_id=True)
    assert session.receive(call("1", fingerprint=6)) == expected
    session.forget(call("1"))
    assert session.receive(call("1", "B", 5)) == Received(call("1", "B", 5), reuses_id=True)


def test_a_call_repeated_while_it_is_served_gets_one_answer() -> None:
    session = Session()
    assert session.receive(call("1")) == Received(call("1"))
    assert session.receive(call("1")) is None


def test_a_forgotten_call_is_served_again() -> None:
    session = Session()
    session.receive(call("1"))
    session.forget(call("1"))
    assert session.receive(call("1")) == Received(call("1"))


def test_only_the_newest_answers_are_remembered() -> None:
    session = Session()
    ids = [str(number) for number in range(REMEMBERED_ANSWERS + 1)]
    for message_id in ids:
        session.receive(call(message_id))
        session.answer(call(message_id), result(message_id))
    assert isinstance(session.receive(call(ids[0])), Received)
    assert all(isinstance(session.receive(call(known)), Repeated) for known in ids[1:])


def test_a_send_is_handed_on_and_an_error_about_our_answer_is_a_stray() -> None:
    session = Session()
    assert session.receive(Send("1", "A", {})) == Send("1", "A", {})
    complaint = CallResultError("1", "GenericError", "", {})
    sent(session, "1")
    assert session.receive(complaint) == Stray(complaint)
    assert session.outstanding == call("1")


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["call", "answer", "error", "abandon", "pump"]), st.integers(0, 4)
        )
    )
)
def test_every_answer_goes_to_its_own_call(steps: Sequence[tuple[str, int]]) -> None:
    """Ids are used once, as ours are; whatever happens, none is finished twice or by another's."""
    session, queued, on_wire, over = Session(), [], set[str](), set[str]()
    for what, number in steps:
        message_id = str(number)
        if what == "call" and message_id not in queued and len(session.waiting) < MAX_WAITING:
            queued.append(message_id)
            session.queue(call(message_id))
        elif what == "abandon":
            assert session.abandon(message_id) == (message_id in on_wire)
            on_wire.discard(message_id)
            over.update({message_id} & set(queued))
        elif what in {"answer", "error"}:
            answer = (
                result(message_id)
                if what == "answer"
                else CallError(message_id, "GenericError", "", {})
            )
            happening = session.receive(answer)
            if message_id in on_wire:
                assert happening == Finished(call(message_id), answer)
                on_wire.discard(message_id)
                over.add(message_id)
            else:
                assert happening == Stray(answer)
        if (next_one := session.next_to_send()) is not None:
            assert not on_wire
            assert next_one.message_id not in over
            on_wire.add(next_one.message_id)
