"""Whether containers can run here, asked once; where not, the reason in words for whoever reads the skipped tests."""

import functools
import os
import shutil
import subprocess

# Set before testcontainers is imported, which reads them once.
ENVIRONMENT = {
    # Its reaper is an image of its own, which a machine without a registry has not; fixtures end their containers.
    "TESTCONTAINERS_RYUK_DISABLED": "true",
    # Published ports are asked for at the engine's host, which is this one: guesses from bridge addresses go wrong
    # where the tests themselves run in a container or a sandbox.
    "TESTCONTAINERS_CONNECTION_MODE": "docker_host",
    "TESTCONTAINERS_HOST_OVERRIDE": "127.0.0.1",
}
for _name, _value in ENVIRONMENT.items():
    os.environ.setdefault(_name, _value)

SERVICES = ("membership", "events", "notify", "metrics")
BASES = ("apache/kafka:4.3.1", "mongo:8.0")


def image_of(service: str) -> str:
    """The image that `make images` builds for a service."""
    return f"kairan/{service}:{os.environ.get('KAIRAN_TAG') or 'local'}"


def docker(*words: str, timeout_s: float = 120) -> str:
    """What a docker command prints; its words on stderr become the error."""
    done = subprocess.run(["docker", *words], capture_output=True, text=True, timeout=timeout_s, check=False)
    if done.returncode:
        raise RuntimeError(f"docker {' '.join(words)}: {done.stderr.strip()}")
    return done.stdout.strip()


@functools.cache
def why_no_engine() -> str | None:
    """None where a Docker Engine answers."""
    if shutil.which("docker") is None:
        return "containers: no docker command is installed here"
    try:
        docker("version", "--format", "{{.Server.Version}}", timeout_s=20)
    except (RuntimeError, OSError, subprocess.TimeoutExpired) as error:
        return f"containers: no Docker Engine answers ({str(error).splitlines()[-1]})"
    return why_no_images(*BASES, pull=True)


@functools.cache
def why_no_images(*names: str, pull: bool = False) -> str | None:
    """None where the engine has these images; with `pull` it may fetch them."""
    for name in names:
        try:
            docker("image", "inspect", name)
        except RuntimeError:
            if not (pull and _pulled(name)):
                hint = "and no registry gives it" if pull else "`make images` builds it"
                return f"containers: there is no image {name} here, {hint}"
    return None


def _pulled(name: str) -> bool:
    try:
        docker("pull", "--quiet", name, timeout_s=600)
    except (RuntimeError, subprocess.TimeoutExpired):
        return False
    return True
