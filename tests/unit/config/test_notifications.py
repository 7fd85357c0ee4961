"""[notifications]: read, explained, and refused where nobody could be told; nothing of a secret in an error."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from migrate.config import load
from migrate.core.notifications import NotificationSettings, NotifiedEvent, WebhookTarget
from migrate.errors import SettingsError

HEAD = '[service]\ncluster = "demo"\nname = "web"\n[image]\ncontainer = "app"\ncontext = "."\n[notifications]\n'
TOPIC = "arn:aws:sns:us-east-1:111122223333:migrations"
HOOK = "[[notifications.webhook]]\n"


def loaded(folder: Path, text: str) -> NotificationSettings:
    path = folder / "migrate.toml"
    path.write_text(HEAD + text, encoding="utf-8")
    return load(path).notifications


def test_nobody_is_told_unless_named(tmp_path: Path) -> None:
    told = loaded(tmp_path, "")
    assert told == NotificationSettings()
    assert not told.asked_for
    assert set(told.events) == set(NotifiedEvent)


def test_every_key_reaches_the_settings(tmp_path: Path) -> None:
    text = f"""
events = ["held", "rollback-incomplete"]
topics = ["{TOPIC}", "{TOPIC}.fifo"]
event_buses = ["default", "arn:aws:events:eu-west-1:111122223333:event-bus/ops/all"]
timeout = "5s"
[[notifications.webhook]]
url = "https://example.com/hook"
secret = "KEY"
headers = {{ Authorization = "TOKEN" }}
[[notifications.webhook]]
url_from = "HOOK"
"""
    assert loaded(tmp_path, text) == NotificationSettings(
        events=(NotifiedEvent.HELD, NotifiedEvent.ROLLBACK_INCOMPLETE),
        topics=(TOPIC, f"{TOPIC}.fifo"),
        event_buses=("default", "arn:aws:events:eu-west-1:111122223333:event-bus/ops/all"),
        timeout=timedelta(seconds=5),
        webhooks=(
            WebhookTarget("https://example.com/hook", "", "KEY", (("Authorization", "TOKEN"),)),
            WebhookTarget(url_from="HOOK"),
        ),
    )


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('events = ["pased"]', 'line 8: notifications.events[0] is "pased"; expected a list of events, of started'),
        ('topics = ["migrations"]', 'notifications.topics[0] is "migrations"; expected a list of ARNs of SNS topics'),
        (f'topics = ["{TOPIC}", "{TOPIC}"]', f'notifications.topics[1] is "{TOPIC}" a second time'),
        ('event_buses = ["a b"]', 'notifications.event_buses[0] is "a b"; expected a list of names or ARNs'),
        ('timeout = "5m"', 'notifications.timeout is "5m"; expected more than 0, and 1m at most'),
        ('timeout = "0s"', "expected more than 0"),
        ('topic = ["x"]', "notifications.topic is not a known key; did you mean topics?"),
        (f'{HOOK}secret = "K"', "notifications.webhook[0] has neither url nor url_from; expected one"),
        (f'{HOOK}url = "http://x"\nurl_from = "X"', "notifications.webhook[0] has both url and url_from; expected one"),
        (f'{HOOK}url_from = "https://x"', 'url_from is "https://x"; expected the name of an environment'),
        (
            f'{HOOK}url = "https://me:secret@x"',
            "notifications.webhook[0].url is a URL with a name or password; expected an http or https URL without",
        ),
        (f'{HOOK}uri = "http://x"', "webhook[0].uri is not a known key; did you mean url?"),
    ],
)
def test_a_mistake_is_told_with_its_place_and_what_was_expected(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(SettingsError) as refused:
        loaded(tmp_path, text)
    said = f"{refused.value.what}\n{refused.value.why}"
    assert told in said
    assert "secret@" not in said
