"""The jars of Apache Kafka, fetched once by Maven into a cache that every stack of this user shares."""

import asyncio
import contextlib
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from kairan.stack.child import Child, last_lines
from kairan.stack.errors import MissingPart

KAFKA_VERSION = "4.3.1"
JAVA_AT_LEAST = 17
MARKER = f"kafka_2.13-{KAFKA_VERSION}.jar"
FETCH_TIMEOUT_S = 900
POM = f"""<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>kairan</groupId><artifactId>embedded-kafka</artifactId><version>1</version><packaging>pom</packaging>
  <dependencies>
    <dependency><groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId><version>{KAFKA_VERSION}</version></dependency>
    <dependency><groupId>org.slf4j</groupId><artifactId>slf4j-simple</artifactId><version>1.7.36</version></dependency>
  </dependencies>
</project>
"""


def java_problem() -> str | None:
    """Why Apache Kafka cannot run here for want of Java; None when it can."""
    java = shutil.which("java")
    if java is None:
        return f"no `java` on PATH: install Java {JAVA_AT_LEAST} or later"
    try:
        done = subprocess.run([java, "-version"], capture_output=True, text=True, timeout=20, check=False)
    except (OSError, subprocess.SubprocessError) as error:
        return f"`java -version` does not run ({error}): install Java {JAVA_AT_LEAST} or later"
    found = re.search(r'version "(\d+)(?:\.(\d+))?', done.stderr + done.stdout)
    if done.returncode != 0 or found is None:
        return f"`java -version` fails: install Java {JAVA_AT_LEAST} or later"
    major = int(found[2] or 8) if found[1] == "1" else int(found[1])
    if major < JAVA_AT_LEAST:
        return f"Java {major} is too old for Apache Kafka {KAFKA_VERSION}: install Java {JAVA_AT_LEAST} or later"
    return None


def jars_problem() -> str | None:
    """Why the jars can neither be found nor fetched; None when they can."""
    if jars_cached() or shutil.which("mvn"):
        return None
    return f"no `mvn` on PATH and no jars in {jars_folder()}: install Maven"


def jars_folder() -> Path:
    cache = os.environ.get("KAIRAN_CACHE") or "~/.cache/kairan"
    return Path(cache).expanduser().absolute() / f"kafka-{KAFKA_VERSION}"


def jars_cached() -> bool:
    return (jars_folder() / MARKER).exists()


async def fetch_jars() -> Path:
    """The folder with the jars; Maven is asked only when it is not there. Raises `MissingPart`."""
    folder = jars_folder()
    if not jars_cached():
        if problem := java_problem() or jars_problem():
            raise MissingPart(problem)
        await _fetch(folder)
    return folder


async def _fetch(folder: Path) -> None:
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix="fetching-") as scratch:
            work = Path(scratch)
            (work / "pom.xml").write_text(POM)
            await _maven(work)
            with contextlib.suppress(OSError):  # another stack was faster: its jars are as good
                os.rename(work / "jars", folder)
    except OSError as error:
        words = f"cannot write the cache {folder.parent} ({error}); set KAIRAN_CACHE to another folder"
        raise MissingPart(words) from error
    if not jars_cached():
        raise MissingPart(f"{folder} lacks {MARKER}: remove that folder and start again")


async def _maven(work: Path) -> None:
    goal = ("dependency:copy-dependencies", "-DincludeScope=runtime", "-DoutputDirectory=jars")
    child = Child("maven", ["mvn", "-q", "-B", "-f", "pom.xml", *goal], work / "maven.log", folder=work)
    try:
        async with asyncio.timeout(FETCH_TIMEOUT_S):
            status = await child.wait()
    except TimeoutError:
        raise MissingPart(f"Maven did not fetch Apache Kafka within {FETCH_TIMEOUT_S} s; is there a network?") from None
    finally:
        await child.kill()
    if status != 0:
        words = [line for line in last_lines(child.log, 200).splitlines() if "ERROR" in line] or ["no error named"]
        raise MissingPart(f"Maven could not fetch Apache Kafka {KAFKA_VERSION}: {words[0].strip()}")
