"""The chat's sentences in English."""

from services.notify.chat.words import ChatWords
from shared.words import growth

ENGLISH = ChatWords(
    lang="en",
    growth=growth.ENGLISH,
    heading="Kairan: {what}",
    test_heading="Kairan: a test",
    test="This is a test. Kairan can write here.",
    titled="the {kind} “{title}”",
    untitled="the {kind} (its title is not known here)",
    session="a session",
    detected="More people than usual joined after {what} of {published}: {observed} up to {as_of}, where {expected} "
    "would have been usual; {extra}, 90 % range.",
    closed="The week after {what} of {published} is counted: {observed} people joined, where {expected} would have "
    "been usual; {extra}, 90 % range.",
    entrance="Only joins through the entrance of one theme were looked at.",
    as_known="{verdict}: {note}, as known on {as_of} (Japan time).",
    credited="Credited to it: {credit} joins ({low}–{high}).",
    joint="Together with what was published within 24 hours of it: {n} joins ({low}–{high}); "
    "nobody can tell them apart.",
    no_cause="This is no proof that it was the cause.",
    imported="This is imported history, no news.",
    milestone="The community has reached {value} members, as of {as_of} (Japan time).",
    exhausted="A webhook to endpoint {endpoint} was given up after {attempts} attempts: {event}. {answer}",
    answered="The last answer was HTTP {status}.",
    not_answered="The last attempt got no answer.",
    failing={
        1: "Endpoint {endpoint} has answered nothing but failures for an hour. It is still tried, now and then.",
        24: "Endpoint {endpoint} has answered nothing but failures for a day. It is still tried, now and then.",
    },
    first_failed="The first event that failed was {event}.",
    disabled={
        "gone": "Endpoint {endpoint} was disabled: it answered 410 and wants nothing more.",
        "failing": "Endpoint {endpoint} was disabled: for days it has answered with nothing but failures.",
        "owner": "Endpoint {endpoint} was removed by its owner.",
    },
    last_tried="The last event tried was {event}.",
    look="Delivery {delivery} in the log says more.",
    members={
        "member-joined": "A verified public servant joined on {moment} (Japan time).",
        "join-voided": "A join turned out to be a mistake and no longer counts; recorded for {moment} (Japan time).",
        "member-left": "A member left on {moment} (Japan time).",
        "member-erased": "The personal data of a member were erased on {moment} (Japan time).",
    },
    at="{summary} {moment} (Japan time).",
    scheduled="A session was announced: it begins on {starts} and ends on {ends} (Japan time).",
    rescheduled="A session was moved: it now begins on {starts} and ends on {ends} (Japan time).",
    cancelled="A session was called off: {reason}.",
    cancel_reasons={
        "host_unavailable": "whoever was to hold it cannot",
        "too_few": "too few could come",
        "emergency": "an emergency",
        "other": "for another reason",
    },
    held="A session took place on {started} (Japan time).",
    attendees="{n} people took part live.",
    published="Published on {published} (Japan time): {what}, for {audience}.",
    audiences={"public": "everybody", "members": "members"},
    corrected="What was said about a publication was corrected.",
    corrected_title="What was said about “{title}” was corrected.",
    withdrawn="A publication was withdrawn: {reason}.",
    withdraw_reasons={
        "mistake": "it was published by mistake",
        "consent_withdrawn": "somebody withdrew their consent",
        "rights": "for reasons of rights",
        "outdated": "it is outdated",
        "other": "for another reason",
    },
)
