"""The embedded stack's key, its tokens and its one-time links."""

import json
import multiprocessing
import stat
from pathlib import Path

import jwt
import pytest

from shared.web.tokens import LinkRefused, ensure_keys, issue, issue_link, load_key, verify_link


def test_keys_are_made_once_and_private(tmp_path: Path) -> None:
    folder = tmp_path / "home" / "keys"
    first = ensure_keys(folder)
    assert ensure_keys(folder).kid == first.kid
    assert sorted(path.name for path in folder.iterdir()) == ["jwks.json", "signing.pem"]
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}
    assert json.loads((folder / "jwks.json").read_bytes())["keys"] == [first.public_jwk()]
    assert "PRIVATE" not in (folder / "jwks.json").read_text()
    assert repr(first) == f"SigningKey(kid='{first.kid}')"


def test_a_lost_jwks_is_written_again_from_the_key(tmp_path: Path) -> None:
    key = ensure_keys(tmp_path)
    (tmp_path / "jwks.json").unlink()
    assert ensure_keys(tmp_path).kid == key.kid
    assert (tmp_path / "jwks.json").exists()


def _kid(folder: str) -> str:
    return ensure_keys(Path(folder)).kid


def test_many_who_start_at_once_get_one_key(tmp_path: Path) -> None:
    with multiprocessing.get_context("spawn").Pool(4) as pool:
        assert len(set(pool.map(_kid, [str(tmp_path / "keys")] * 8))) == 1


def test_a_file_that_is_no_ed25519_key_is_refused(tmp_path: Path) -> None:
    (tmp_path / "signing.pem").write_text("no key")
    with pytest.raises(ValueError, match="PEM"):
        load_key(tmp_path / "signing.pem")


def test_a_token_says_who_what_and_how_long(tmp_path: Path) -> None:
    key = ensure_keys(tmp_path)
    claims = jwt.decode(issue(key, "me", ["b:x", "a:x"], 60), key.private.public_key(), ["EdDSA"], audience="kairan")
    assert (claims["sub"], claims["scope"], claims["iss"]) == ("me", "a:x b:x", "kairan")
    assert 60 <= claims["exp"] - claims["iat"] <= 61


def test_a_link_has_an_id_to_be_spent_once(tmp_path: Path) -> None:
    key = ensure_keys(tmp_path)
    one, other = (verify_link(tmp_path / "jwks.json", issue_link(key)) for _ in range(2))
    assert one.jti != other.jti


def test_other_codes_are_refused(tmp_path: Path) -> None:
    key, stranger = ensure_keys(tmp_path / "ours"), ensure_keys(tmp_path / "theirs")
    jwks = tmp_path / "ours" / "jwks.json"
    for code in ("", "garbage", issue(key, "me", []), issue_link(stranger), issue_link(key, -10)):
        with pytest.raises(LinkRefused):
            verify_link(jwks, code)
