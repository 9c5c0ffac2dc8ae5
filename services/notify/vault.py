"""Secrets at rest: signing secrets and pairwise keys are stored encrypted (Fernet), under a key from a file."""

from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken, MultiFernet


class VaultError(Exception):
    """The key file is missing or wrong, or a stored secret was encrypted under another key; give the right file."""


class Vault:
    """Encrypts under the first key and decrypts under any: one key a line, so that a key can be changed."""

    def __init__(self, keys: list[bytes]) -> None:
        if not keys:
            raise VaultError("the secrets key file holds no key")
        try:
            self._first = Fernet(keys[0])
            self._fernet = MultiFernet([Fernet(key) for key in keys])
        except ValueError as error:
            raise VaultError("the secrets key file holds something that is not a Fernet key") from error

    @classmethod
    def from_file(cls, path: Path) -> "Vault":
        """Raises VaultError when the file cannot be read or holds no Fernet key."""
        try:
            lines = path.read_bytes().split()
        except OSError as error:
            raise VaultError(f"the secrets key file {path} cannot be read") from error
        return cls(lines)

    def seal(self, value: bytes) -> str:
        return self._fernet.encrypt(value).decode()

    def is_first(self, sealed: str) -> bool:
        """Whether the first key alone opens it."""
        try:
            self._first.decrypt(sealed)
        except InvalidToken:
            return False
        return True

    def reseal(self, sealed: str) -> str:
        """The same under the first key. Raises VaultError as `open`."""
        return self.seal(self.open(sealed))

    def open(self, sealed: str) -> bytes:
        """Raises VaultError when it was sealed under another key."""
        try:
            return self._fernet.decrypt(sealed)
        except InvalidToken as error:
            raise VaultError("a stored secret was encrypted under another key") from error
