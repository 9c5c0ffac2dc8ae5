"""Who visits a page of the portal, in which language, with which form; and the proof that a form is our own."""

import hashlib
import hmac
from dataclasses import dataclass, field
from urllib.parse import parse_qs

from fastapi import Request

from services.notify.portal.languages import WORDS
from services.notify.portal.words import Words
from shared.bus.command import IdempotencyKey
from shared.web.auth import Caller
from shared.web.idempotency import request_hash
from shared.web.languages import Language
from shared.web.problems import Problem

FORM = "application/x-www-form-urlencoded"
MOST_FIELDS = 100
PROOF, KEY = "proof", "key"

NOT_OURS = Problem(
    403,
    "The form is not from this page",
    "Open the page anew and send its form; your session may have ended.",
    "forged",
)
NO_FORM = Problem(415, "Not a form", f"Send {FORM}.", "not-a-form")


@dataclass(frozen=True)
class Visit:
    """`cookie` is the session's value, empty for who came by a bearer token."""

    request: Request
    caller: Caller
    language: Language
    cookie: str = field(repr=False)
    form: dict[str, str] = field(default_factory=dict, repr=False)

    @property
    def words(self) -> Words:
        return WORDS[self.language]

    @property
    def proof(self) -> str:
        """What a form of this session carries; nobody can make it who cannot read the cookie."""
        return hmac.new(self.cookie.encode(), b"kairan portal form", hashlib.sha256).hexdigest() if self.cookie else ""

    def path(self, name: str) -> str:
        return str(self.request.path_params[name])

    def asked(self, name: str) -> str:
        """A field of the query, trimmed; empty when it is not there."""
        return self.request.query_params.get(name, "").strip()

    def said(self, name: str) -> str:
        """A field of the form, trimmed; empty when it is not there."""
        return self.form.get(name, "").strip()

    async def key(self) -> IdempotencyKey | None:
        """The key that the page gave to this form, so that a second press of the button does nothing more."""
        if not (key := self.said(KEY)):
            return None
        place = self.request.scope["path"]
        return IdempotencyKey(self.caller.subject, key, request_hash(await self.request.body(), "POST", place))


async def read_form(request: Request, cookie: str, proof: str) -> dict[str, str]:
    """The fields of a form. Raises Problem for one that another site sent: a cookie goes with it by itself.

    A bearer token does not, so a form that comes with one needs no proof.
    """
    if not request.headers.get("content-type", "").startswith(FORM):
        raise NO_FORM
    try:
        fields = parse_qs((await request.body()).decode(), keep_blank_values=True, max_num_fields=MOST_FIELDS)
    except ValueError:
        raise NO_FORM from None
    form = {name: values[-1] for name, values in fields.items()}
    if cookie:
        elsewhere = request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none")
        if elsewhere or not hmac.compare_digest(form.get(PROOF, "").encode(), proof.encode()):
            raise NOT_OURS
    return form
