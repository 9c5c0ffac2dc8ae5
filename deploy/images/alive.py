"""Exits 0 when this container's service answers /health/live with 200: what HEALTHCHECK runs, without curl."""

import os
import urllib.request


def main() -> None:
    """Raises, and so exits 1, when the answer is another or none comes."""
    address = os.environ.get("KAIRAN_OPS_BIND") or os.environ["KAIRAN_BIND"]
    host, _, port = address.rpartition(":")
    host = {"0.0.0.0": "127.0.0.1", "[::]": "[::1]"}.get(host, host)
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # a proxy of the environment is for others
    direct.open(f"http://{host}:{port}/health/live", timeout=3).close()


if __name__ == "__main__":
    main()
