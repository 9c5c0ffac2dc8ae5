"""Invented people: no name, body or address here belongs to anybody. Addresses lie under example.invalid."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

FAMILY_NAMES = (
    *(
        "青柳",
        "朝比奈",
        "有馬",
        "石動",
        "泉",
        "潮田",
        "梅原",
        "榎木",
        "扇谷",
        "小鹿野",
        "霞",
        "樫村",
        "風間",
        "桔梗",
        "久遠",
    ),
    *(
        "鴻池",
        "小雪",
        "桜庭",
        "更科",
        "椎葉",
        "篠崎",
        "白川",
        "鈴掛",
        "瀬名",
        "空木",
        "高千穂",
        "千早",
        "月岡",
        "露木",
        "常盤",
    ),
    *(
        "鳥海",
        "中洲",
        "夏目",
        "七海",
        "新開",
        "野分",
        "灰谷",
        "花房",
        "柊",
        "日向",
        "藤枝",
        "星野",
        "真砂",
        "水城",
        "深山",
    ),
    *("村雨", "桃井", "矢吹", "弓削", "若葉"),
)
GIVEN_NAMES = (
    *("葵", "明里", "一花", "樹", "海斗", "香澄", "圭", "恵", "航", "小春", "咲良", "佐和子", "静香", "修平", "純"),
    *("翔太", "涼", "澄人", "颯", "拓海", "千尋", "司", "剛", "透", "直樹", "渚", "希", "遥", "春樹", "光"),
    *("響", "文香", "穂高", "誠", "真琴", "美咲", "湊", "結衣", "悠真", "陽菜", "涼子", "玲", "若菜", "亘", "和泉"),
)
PREFECTURES = (
    *(
        "北海道",
        "青森県",
        "岩手県",
        "宮城県",
        "秋田県",
        "山形県",
        "福島県",
        "茨城県",
        "栃木県",
        "群馬県",
        "埼玉県",
        "千葉県",
    ),
    *(
        "東京都",
        "神奈川県",
        "新潟県",
        "富山県",
        "石川県",
        "福井県",
        "山梨県",
        "長野県",
        "岐阜県",
        "静岡県",
        "愛知県",
        "三重県",
    ),
    *(
        "滋賀県",
        "京都府",
        "大阪府",
        "兵庫県",
        "奈良県",
        "和歌山県",
        "鳥取県",
        "島根県",
        "岡山県",
        "広島県",
        "山口県",
        "徳島県",
    ),
    *("香川県", "愛媛県", "高知県", "福岡県", "佐賀県", "長崎県", "熊本県", "大分県", "宮崎県", "鹿児島県", "沖縄県"),
)
PLACES = (
    *("架空川", "汐見浜", "星見ヶ丘", "雲井", "月見台", "虹ヶ原", "霧ヶ谷", "花守", "風待", "千鳥浦", "朝霧野", "鈴音"),
    *("若葉原", "水鏡", "夕凪", "翠ヶ岡", "雪代", "椿野", "藍染", "波間"),
)
KINDS_OF_BODY = ("市役所", "町役場", "村役場", "区役所", "県庁架空分室")


@dataclass(frozen=True)
class Person:
    """Somebody who does not exist."""

    name: str
    email: str
    organisation: str
    prefecture: str


def invent(count: int, rng: np.random.Generator) -> tuple[Person, ...]:
    """`count` people, with addresses of their own."""
    return tuple(
        Person(
            name=f"{_one_of(FAMILY_NAMES, rng)} {_one_of(GIVEN_NAMES, rng)}",
            email=f"member-{number:05d}@example.invalid",
            organisation=f"{_one_of(PLACES, rng)}{_one_of(KINDS_OF_BODY, rng)}",
            prefecture=_one_of(PREFECTURES, rng),
        )
        for number in range(1, count + 1)
    )


def _one_of(values: Sequence[str], rng: np.random.Generator) -> str:
    return values[int(rng.integers(len(values)))]
