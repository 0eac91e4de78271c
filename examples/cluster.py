"""PostgreSQL, an MLflow server and a Ray cluster of two nodes on this machine, then a sweep on it.

    .venv/bin/python examples/cluster.py FOLDER [SPACE] [key=value …]

All are real processes, as on several machines: Optuna and MLflow have their databases in
PostgreSQL, runs and artifacts go through the MLflow server, and each of the two Ray nodes has one
core. All files are in FOLDER, and all processes end with the script. PostgreSQL does not run as
root: if root starts the script, FOLDER must be open to the user postgres. `--kill-node` kills the
second node with all of its processes once two runs have written an epoch; the sweep is then
completed without that node.

Needs `pip install -e '.[cluster]'`, and PostgreSQL's programs (Debian: postgresql).
"""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

BIN = Path(sys.executable).parent


def main(words: Sequence[str]) -> int:
    """Start everything, sweep, stop everything; returns the sweep's exit code."""
    kill = "--kill-node" in words
    folder, *rest = [word for word in words if word != "--kill-node"] or ["-h"]
    if folder in ("-h", "--help"):
        print(__doc__, file=sys.stderr)
        return 2
    root = Path(folder).resolve()
    if os.geteuid() == 0:
        refuse_closed(root)
    root.mkdir(parents=True, exist_ok=True)
    with (
        postgres(root / "postgres") as database,
        mlflow_server(database, root / "artifacts") as server,
        ray_nodes() as (address, second),
    ):
        command = [
            *(BIN / "python", "-m", "tripletlab", "sweep", *rest),
            *("engine=ray", f"engine.address={address}", "engine.workers=2"),
            f"studies={database}/studies",
            *("tracking=server", f"tracking.uri={server}", f"tracking.folder={root / 'mlruns'}"),
            f"data={root / 'data'}",
        ]
        print(*command, flush=True)
        process = subprocess.Popen(list(map(str, command)))
        if kill:
            threading.Thread(
                target=kill_when_running, args=(second, root, process), daemon=True
            ).start()
        return process.wait()


def refuse_closed(folder: Path) -> None:
    """Exit where a folder on the way is closed to the user postgres; no permission is changed."""
    for place in (folder, *folder.parents):
        if place.exists() and not place.stat().st_mode & 0o001:
            raise SystemExit(
                f"{place} is closed to other users, and PostgreSQL runs as the user postgres:"
                " give a FOLDER that it may enter, such as /var/tmp/lab"
            )


@contextlib.contextmanager
def postgres(folder: Path) -> Iterator[str]:
    """A server with the databases `studies` and `mlflow`; yields its address."""
    port = free_port()
    # PostgreSQL refuses to run as root
    user = {"user": "postgres", "group": "postgres"} if os.geteuid() == 0 else {}
    if not (folder / "PG_VERSION").exists():
        folder.mkdir(parents=True, exist_ok=True)
        if user:
            shutil.chown(folder, "postgres")
        quietly([program("initdb"), "-D", folder, "-U", "lab", "-A", "trust"], **user)
    server = subprocess.Popen(
        [program("postgres"), "-D", str(folder), "-p", str(port), "-k", ""],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        **user,
    )
    connect = ["-h", "127.0.0.1", "-p", str(port), "-U", "lab"]
    try:
        wait_for("PostgreSQL", lambda: quietly([program("pg_isready"), *connect], check=False))
        for name in ("studies", "mlflow"):
            quietly([program("createdb"), *connect, name], check=False)  # or it is there
        yield f"postgresql+psycopg2://lab@127.0.0.1:{port}"
    finally:
        server.send_signal(signal.SIGINT)  # its fast shutdown
        server.wait()


@contextlib.contextmanager
def mlflow_server(database: str, artifacts: Path) -> Iterator[str]:
    """An MLflow server that also stores and serves the artifacts; yields its address."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    artifacts.mkdir(parents=True, exist_ok=True)
    log = (artifacts.parent / "mlflow.log").open("ab")
    server = subprocess.Popen(
        [
            *(str(BIN / "python"), "-m", "mlflow", "server", "--port", str(port), "--workers", "1"),
            *("--backend-store-uri", f"{database}/mlflow", "--artifacts-destination"),
            artifacts.as_uri(),
        ],
        stdout=log,
        stderr=log,
        start_new_session=True,
    )

    def healthy() -> bool:
        with contextlib.suppress(OSError):
            return bool(urllib.request.urlopen(f"{url}/health", timeout=2).status == 200)
        return False

    try:
        wait_for("MLflow server", healthy)
        yield url
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(server.pid, signal.SIGTERM)
        server.wait()


@contextlib.contextmanager
def ray_nodes() -> Iterator[tuple[str, "subprocess.Popen[bytes]"]]:
    """A head and a second node with one core each; yields address and process of the second."""
    port = free_port()
    address = f"127.0.0.1:{port}"
    common = ["--num-cpus=1", "--block", "--disable-usage-stats"]
    head = ray("start", "--head", f"--port={port}", "--include-dashboard=false", *common)
    second = None
    try:
        wait_for(
            "Ray head",
            lambda: quietly([BIN / "ray", "health-check", f"--address={address}"], check=False),
        )
        second = ray("start", f"--address={address}", *common)
        wait_for("Ray's second node", lambda: two_nodes(address))
        yield address, second
    finally:
        for node in (second, head):
            if node is not None:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(node.pid, signal.SIGTERM)
                node.wait()


def two_nodes(address: str) -> bool:
    """Whether both nodes have joined."""
    code = (
        f"import ray; ray.init('{address}', log_to_driver=False);"
        "raise SystemExit(sum(n['Alive'] for n in ray.nodes()) != 2)"
    )
    return quietly([BIN / "python", "-c", code], check=False)


def kill_when_running(
    node: "subprocess.Popen[bytes]", root: Path, sweep: "subprocess.Popen[bytes]"
) -> None:
    """SIGKILL for the whole node as soon as two runs have written an epoch."""
    while sweep.poll() is None:
        if len(list(root.glob("mlruns/sweeps/*/*.npz"))) >= 2:
            print("killing the second node", flush=True)
            os.killpg(node.pid, signal.SIGKILL)
            return
        time.sleep(0.2)


def ray(*words: str) -> "subprocess.Popen[bytes]":
    """A node in a session of its own, so that all of its processes can be ended together."""
    return subprocess.Popen(
        [str(BIN / "ray"), *words],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def program(name: str) -> str:
    """The path of a program of PostgreSQL; Debian has some of them outside PATH."""
    there = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), reverse=True)
    found = shutil.which(name) or next(map(str, there), None)
    if found is None:
        raise SystemExit(f"PostgreSQL's {name} is not installed (Debian: apt install postgresql)")
    return found


def free_port() -> int:
    """A port that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(what: str, ready: Callable[[], bool]) -> None:
    """Wait until it is ready, three minutes at most."""
    began = time.monotonic()
    while not ready():
        if time.monotonic() - began > 180:
            raise SystemExit(f"{what} did not start")
        time.sleep(0.5)
    print(f"{what} is ready", flush=True)


def quietly(command: Sequence[object], *, check: bool = True, **user: str) -> bool:
    """Run a program without its output, perhaps as another user; returns whether it succeeded."""
    words = list(map(str, command))
    done = subprocess.run(words, capture_output=True, text=True, check=False, **user)
    if check and done.returncode:
        raise SystemExit(f"{command[0]}: {done.stderr}")
    return done.returncode == 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
