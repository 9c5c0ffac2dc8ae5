"""The bodies that the OpenAPI document shows; each works as it stands, again and again."""

from typing import Any

SCHEDULE: dict[str, Any] = {
    "title": {"ja": "防災のはじめの一歩", "en": "First steps in disaster prevention"},
    "description": "聞くだけ、チャットだけの参加も歓迎します。",
    "place": "オンライン",
    "url": "https://meet.example/kairan",
    "starts_at": "2022-04-09T20:00:00+09:00",
    "ends_at": "2022-04-09T21:30:00+09:00",
    "capacity": 300,
}
RESCHEDULE: dict[str, Any] = {"starts_at": "2022-04-16T20:00:00+09:00", "ends_at": "2022-04-16T21:30:00+09:00"}
CANCEL: dict[str, Any] = {"reason_code": "host_unavailable"}
HOLD: dict[str, Any] = {"attendees": 203}
PUBLISH: dict[str, Any] = {
    "kind": "magazine_issue",
    "title": {"ja": "ジチタイ通信 春号", "en": "Local Government News, spring issue"},
    "audience": "public",
    "link": "https://magazine.example/spring",
}
CORRECT: dict[str, Any] = {"title": {"ja": "ジチタイ通信 初夏号", "en": "Local Government News, early summer issue"}}
WITHDRAW: dict[str, Any] = {"reason_code": "outdated"}
PASS_TIME: dict[str, Any] = {"until": "2022-03-31T15:00:00Z"}
