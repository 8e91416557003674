"""A private PostgreSQL server for tests: its own folder, a free loopback port, gone at the end."""

import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from emcheck.ingest.embedded import free_port


def initdb() -> Path | None:
    """Where initdb is: on PATH, or in Debian's folder of the newest version."""
    found = shutil.which("initdb")
    if found is not None:
        return Path(found).resolve()  # the other programs stand beside the file, not beside a link to it
    versions = Path("/usr/lib/postgresql").glob("*/bin/initdb")
    return max(versions, key=lambda path: float(path.parents[1].name), default=None)


def missing(what: str) -> None:
    """Skip for a service that is not here; in CI it has to be."""
    if os.environ.get("CI") == "true":
        pytest.fail(what)
    pytest.skip(what)


def unprivileged() -> pwd.struct_passwd | None:
    """Whom to run as where we are root, whom PostgreSQL refuses to run as."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name)
    return None


class Cluster:
    """A running server; `url(name)` is the address of one of its databases."""

    def __init__(self, bin_dir: Path, folder: Path, owner: pwd.struct_passwd | None) -> None:
        self._bin, self.folder = bin_dir, folder
        self._user = None if owner is None else owner.pw_uid
        self._group = None if owner is None else owner.pw_gid
        self.port = free_port()
        self._data = folder / "data"
        if owner is not None:
            os.chown(folder, owner.pw_uid, owner.pw_gid)
        self._run("initdb", "-D", self._data, "-U", "emcheck", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
        self.start()

    def _run(self, program: str, *arguments: object) -> None:
        command = [str(self._bin / program), *map(str, arguments)]
        done = subprocess.run(
            command, cwd=self.folder, capture_output=True, text=True, user=self._user, group=self._group, check=False
        )
        assert done.returncode == 0, done.stderr

    def start(self) -> None:
        """Start on the port chosen at first; returns when it answers."""
        options = ("-h", "127.0.0.1", "-p", str(self.port), "-k", str(self.folder), "-c", "fsync=off")
        log = (self.folder / "log").open("ab")
        with log:
            server = subprocess.Popen(
                [str(self._bin / "postgres"), "-D", str(self._data), *options],
                cwd=self.folder, stdout=log, stderr=log, stdin=subprocess.DEVNULL, user=self._user, group=self._group,
            )  # fmt: skip
        for _ in range(600):
            if subprocess.run(self._ready(), capture_output=True, check=False).returncode == 0:
                self._server = server
                return
            time.sleep(0.05)
        server.kill()
        server.wait()
        raise AssertionError((self.folder / "log").read_text())

    def _ready(self) -> list[str]:
        return [str(self._bin / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(self.port)]

    def sql(self, statement: str, *, database: str = "postgres") -> str:
        """Run a statement as the server's owner; its output."""
        command = [str(self._bin / "psql"), "-XAtq", "-v", "ON_ERROR_STOP=1", "-c", statement, self.libpq(database)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def libpq(self, database: str) -> str:
        """The address as PostgreSQL's own programs take it."""
        return f"postgresql://emcheck@127.0.0.1:{self.port}/{database}"

    def url(self, database: str) -> str:
        """The address as the store takes it."""
        return f"postgresql+asyncpg://emcheck@127.0.0.1:{self.port}/{database}"

    def stop(self) -> None:
        """Fast shutdown: sessions are ended."""
        self._server.send_signal(signal.SIGINT)
        self._server.wait(timeout=30)

    def restart(self) -> None:
        """Stop, and start on the same port."""
        self.stop()
        self.start()


def running() -> Iterator[Cluster]:
    """A cluster for as long as it is needed; skips where PostgreSQL is not installed."""
    program = initdb()
    if program is None:
        missing("PostgreSQL's initdb is not installed; on Debian: apt-get install postgresql")
        return
    pytest.importorskip("asyncpg", reason="the driver asyncpg is not installed; pip install 'emcheck[postgres]'")
    folder = Path(tempfile.mkdtemp(prefix="emcheck-pg-"))
    try:
        cluster = Cluster(program.parent, folder, unprivileged())
        try:
            yield cluster
        finally:
            cluster.stop()
    finally:
        shutil.rmtree(folder)
