"""What a receiver does, step by step, in both languages; `docs/receivers.md` says the same. `` ` `` marks code."""

from typing import Final

from shared.web.languages import Language

Step = tuple[str, str]

STEPS: Final[dict[Language, tuple[Step, ...]]] = {
    "en": (
        (
            "Keep the raw body.",
            "The signature is over the bytes as they came. A framework that has parsed and rewritten the JSON breaks it.",
        ),
        (
            "Verify before you parse.",
            "With the endpoint's secret (`whsec_…`, shown once) the library reads `webhook-id`, `webhook-timestamp` and "
            "`webhook-signature`. During a rotation the last holds several signatures, separated by a space; one that "
            "fits is enough. Answer 401 to the rest.",
        ),
        (
            "Refuse what is old.",
            "The libraries allow 5 minutes either way. Each attempt is signed anew, so a retry is never old; your clock "
            "must be right.",
        ),
        (
            "Remember `webhook-id`.",
            "Delivery is at least once, and a repeat has the same id. Write the id in the same transaction as your work.",
        ),
        (
            "Answer first, work afterwards.",
            "Any 2xx within 15 seconds says that you have it. Store the event where a crash does not lose it, answer, "
            "then work.",
        ),
        (
            "Expect another order.",
            "`webhook-sequence` counts an endpoint's deliveries without a gap; a number that never comes was given up. "
            "`aggregateversion` orders the events of one subject.",
        ),
        ("Bound what you read.", "An event is never above 256 KiB; the samples stop at 1 MiB."),
    ),
    "ja": (
        (
            "本文は届いたままのバイト列で扱う。",
            "署名はそのバイト列に対するものです。フレームワークが JSON を解釈して書き直すと、署名が合わなくなります。",
        ),
        (
            "解釈の前に検証する。",
            "エンドポイントの秘密鍵（`whsec_…`、表示は一度だけ）を使い、ライブラリが `webhook-id`、`webhook-timestamp`、"
            "`webhook-signature` を読みます。鍵の切り替え中は署名が空白区切りで複数入り、どれか一つが合えば正しい配信です。"
            "合わないものには 401 を返します。",
        ),
        (
            "古いものは断る。",
            "ライブラリの許容は前後 5 分です。再送のたびに署名し直すので、再送が古すぎることはありません。"
            "受け手の時計を合わせてください。",
        ),
        (
            "`webhook-id` を覚える。",
            "配信は「少なくとも一回」で、再送は同じ ID です。処理と同じトランザクションで ID を書き込みます。",
        ),
        (
            "先に応答し、あとで処理する。",
            "15 秒以内の 2xx が「受け取った」の意味です。停止しても失われない場所に入れ、応答し、それから処理します。",
        ),
        (
            "順番どおりとは限らない。",
            "`webhook-sequence` はエンドポイントごとに抜けのない番号です。届かない番号は配信を諦めたものです。"
            "一つの対象の前後は `aggregateversion` で分かります。",
        ),
        ("読む量に上限を置く。", "イベントは 256 KiB を超えません。例は 1 MiB で止めます。"),
    ),
}
