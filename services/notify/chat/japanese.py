"""The chat's sentences in Japanese."""

from services.notify.chat.words import ChatWords
from shared.words import growth

JAPANESE = ChatWords(
    lang="ja",
    growth=growth.JAPANESE,
    heading="回覧：{what}",
    test_heading="回覧：試し送り",
    test="試し送りです。回覧から、ここに書き込めます。",
    titled="{kind}「{title}」",
    untitled="{kind}（題はここではわかりません）",
    session="勉強会・集まり",
    detected="{published}の{what}の後に、ふだんより多くの参加がありました。{as_of}までに{observed}人（ふだんの予想は{expected}人）。"
    "{extra}。かっこの中は90%の範囲です。",
    closed="{published}の{what}の後の1週間を数え終えました。参加は{observed}人（ふだんの予想は{expected}人）。{extra}。"
    "かっこの中は90%の範囲です。",
    entrance="ある一つのテーマの入口からの参加だけを見たものです。",
    as_known="確かさは「{verdict}」（{note}）。日本時間{as_of}現在の判断です。",
    credited="これに帰せられる参加は{credit}人（{low}〜{high}人）。",
    joint="前後24時間以内に公開されたものと合わせて{n}人（{low}〜{high}人）。どれによるかは分けられません。",
    no_cause="公開が原因だという証明ではありません。",
    imported="過去の記録を取り込んだもので、新しい知らせではありません。",
    milestone="会員が{value}人に達しました（日本時間{as_of}現在）。",
    exhausted="宛先{endpoint}へのWebhookの配信を、{attempts}回試みて断念しました：{event}。{answer}",
    answered="最後の応答はHTTP {status}でした。",
    not_answered="最後の試みには応答がありませんでした。",
    failing={
        1: "宛先{endpoint}では、1時間にわたって失敗だけが続いています。ときどき試み続けています。",
        24: "宛先{endpoint}では、1日にわたって失敗だけが続いています。ときどき試み続けています。",
    },
    first_failed="最初に失敗したできごと：{event}。",
    disabled={
        "gone": "宛先{endpoint}を停止しました。410という応答があり、今後の配信を望んでいません。",
        "failing": "宛先{endpoint}を停止しました。何日も失敗の応答しかありませんでした。",
        "owner": "宛先{endpoint}は、持ち主が取り除きました。",
    },
    last_tried="最後に試みたできごと：{event}。",
    look="くわしくは配信の記録の{delivery}にあります。",
    members={
        "member-joined": "公務員と確認された人が入会しました（日本時間{moment}）。",
        "join-voided": "ある入会が誤りとわかり、はじめから数えないことになりました（日本時間{moment}）。",
        "member-left": "会員が一人退会しました（日本時間{moment}）。",
        "member-erased": "会員一人の個人情報が消去されました（日本時間{moment}）。",
    },
    at="{summary}日本時間{moment}。",
    scheduled="勉強会・集まりが告知されました。日本時間{starts}から{ends}までです。",
    rescheduled="勉強会・集まりの日時が変わりました。日本時間{starts}から{ends}までになりました。",
    cancelled="勉強会・集まりが中止になりました（{reason}）。",
    cancel_reasons={
        "host_unavailable": "開く人の都合がつかなくなったため",
        "too_few": "参加できる人が少なかったため",
        "emergency": "緊急の事情のため",
        "other": "その他の理由",
    },
    held="勉強会・集まりが開かれました（日本時間{started}から）。",
    attendees="その場で{n}人が参加しました。",
    published="日本時間{published}に公開されました：{what}（対象：{audience}）。",
    audiences={"public": "どなたでも", "members": "会員"},
    corrected="公開の内容が訂正されました。",
    corrected_title="「{title}」の内容が訂正されました。",
    withdrawn="公開が取り下げられました（{reason}）。",
    withdraw_reasons={
        "mistake": "誤って公開したため",
        "consent_withdrawn": "同意が取り下げられたため",
        "rights": "権利の事情のため",
        "outdated": "内容が古くなったため",
        "other": "その他の理由",
    },
)
