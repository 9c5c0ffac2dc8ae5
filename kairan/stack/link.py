"""The one-time link by which a browser gets to the page."""

from shared.web.tokens import SigningKey, issue_link


def page_link(metrics_url: str, key: SigningKey) -> str:
    """The page's address with a new one-time code, good for ten minutes."""
    return f"{metrics_url}/enter?code={issue_link(key)}"
