from __future__ import annotations

from csms.ocpp.attempts import MAX_KEYS, PER_ADDRESS, PER_IDENTITY, WINDOW_S, Attempts


def guess(attempts: Attempts, number: int, *, address: str = "192.0.2.1", now: float = 0) -> None:
    for n in range(number):
        attempts.failed(address, f"{address}-{n}" if number > PER_IDENTITY else "s", now)


def test_a_few_wrong_passwords_are_nothing() -> None:
    attempts = Attempts()
    guess(attempts, PER_IDENTITY - 1)
    assert attempts.wait_s("192.0.2.1", "s", 1) == 0


def test_an_identity_that_is_guessed_at_is_not_looked_at_for_the_rest_of_the_minute() -> None:
    attempts = Attempts()
    guess(attempts, PER_IDENTITY)
    assert attempts.wait_s("198.51.100.7", "s", 10) == WINDOW_S - 10
    assert attempts.wait_s("192.0.2.1", "another", 10) == 0
    assert attempts.wait_s("198.51.100.7", "s", WINDOW_S) == 0


def test_an_address_that_guesses_at_many_is_not_looked_at() -> None:
    attempts = Attempts()
    guess(attempts, PER_ADDRESS)
    assert attempts.wait_s("192.0.2.1", "another", 1) == WINDOW_S - 1
    assert attempts.wait_s("192.0.2.2", "another", 1) == 0


def test_what_strangers_make_us_remember_is_bounded() -> None:
    attempts = Attempts()
    for n in range(3 * MAX_KEYS):
        attempts.failed(f"address {n}", f"identity {n}", 0)
    assert len(attempts._counts) == MAX_KEYS
