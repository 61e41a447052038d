"""Tells the recorder what really happens, as it happens."""

import json
import os
import urllib.request
from contextlib import contextmanager
from importlib.metadata import version

FAKE = os.environ["FAKE"]


def note(what, **fields):
    body = json.dumps({"what": what, **fields}).encode()
    request = urllib.request.Request(FAKE + "/truth", body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request) as answer:
        answer.read()


@contextmanager
def chat(fails=False):
    """One question of a user; fails says what its asker sees."""
    note("chat.start")
    try:
        yield
        assert not fails, "the question should have failed"
    except (AssertionError, ImportError, AttributeError, TypeError, NameError):
        raise  # a mistake of the program, not the failure it shows
    except Exception:
        if not fails:
            raise
    note("chat.end", outcome="failure" if fails else "success")


def script(*replies):
    """What the fake model behind HTTP answers next."""
    note("script", replies=replies)


def searched(scores, scored=True, **fields):
    """A store was searched and gave so many documents; scored if it gave the scores too."""
    note(
        "search",
        outcome="success",
        documents=len(scores),
        result="found" if scores else "empty",
        **({"mean": sum(scores) / len(scores), "top": max(scores)} if scores and scored else {}),
        **fields,
    )


def versions(*distributions):
    note("versions", versions={name: version(name) for name in distributions})
