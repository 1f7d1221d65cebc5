"""How long a flow's own calls wait for a store that does not answer, and for what they do not wait."""

import threading
import time
from collections.abc import Callable

import pytest

from flows import _patience
from flows._patience import patiently
from flows._session import Session
from forequake.errors import AccessDenied, ForequakeError, StoreFull, StoreUnavailable


def _failing(error: ForequakeError, times: int) -> tuple[Callable[[str], str], list[str]]:
    """Give what fails so often and then answers, and the list of what it was asked."""
    asked: list[str] = []

    def answer(question: str) -> str:
        asked.append(question)
        if len(asked) <= times:
            raise error
        return question.upper()

    return answer, asked


@pytest.fixture
def session() -> Session:
    return Session("host/boot/1/1")


def test_a_call_is_repeated_until_it_is_answered(session: Session, caplog: pytest.LogCaptureFixture) -> None:
    answer, asked = _failing(StoreUnavailable("nobody answers"), times=1)
    said: list[str] = []
    session.on_progress = lambda _, what: said.append(what)
    assert patiently(session, answer, "ready?") == "READY?"
    assert asked == ["ready?", "ready?"]
    assert [record.getMessage() for record in caplog.records] == ["nobody answers; asking again in 1 s"]
    assert said == ["the store does not answer; asking again"]


@pytest.mark.parametrize("error", [StoreFull("full"), AccessDenied("not you")])
def test_what_waiting_cannot_mend_is_raised_at_once(session: Session, error: ForequakeError) -> None:
    answer, asked = _failing(error, times=9)
    with pytest.raises(type(error)):
        patiently(session, answer, "ready?")
    assert len(asked) == 1


def test_an_interrupt_ends_the_waiting_at_once(session: Session) -> None:
    answer, asked = _failing(StoreUnavailable("nobody answers"), times=9)
    threading.Timer(0.2, session.stop.set).start()
    began = time.monotonic()
    with pytest.raises(StoreUnavailable):
        patiently(session, answer, "ready?")
    assert time.monotonic() - began < 0.9
    assert len(asked) == 1
    with pytest.raises(StoreUnavailable):  # who is interrupted already asks once
        patiently(session, answer, "ready?")
    assert len(asked) == 2


def test_patience_ends(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    assert _patience._PATIENCE >= 45
    monkeypatch.setattr(_patience, "_PATIENCE", 0.3)
    monkeypatch.setattr(_patience, "_LONGEST_PAUSE", 0.1)
    answer, asked = _failing(StoreUnavailable("nobody answers"), times=99)
    with pytest.raises(StoreUnavailable):
        patiently(session, answer, "ready?")
    assert 3 <= len(asked) <= 5
