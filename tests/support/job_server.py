"""Jobs of a workflow without the seconds that importing torch and pandas takes in each: forks of one process.

While the server is up, the folder that it is given holds a `python` which hands `python -m codecfake …` and
`python -m codec_wrappers …` over to it; what else is asked of that `python`, the real one does. A job has its own
process, arguments, environment, folder and output as always, so it makes the same bytes; a run with jobs of the usual
kind is compared with one of these in `test_workflow.py`.

As a program, the server: python tests/support/job_server.py SOCKET
"""

import atexit
import fcntl
import gc
import importlib
import json
import os
import pkgutil
import runpy
import select
import socket
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import NoReturn

PACKAGES = ("codecfake", "codec_wrappers")
USED_BY_JOBS = (
    "encodec", "librosa.core.pitch", "matplotlib.figure", "numba", "sklearn.ensemble", "sklearn.linear_model",
    "scipy.signal", "torch._dynamo", "torch.utils.tensorboard", "torchmetrics",
    "transformers.models.mimi.modeling_mimi", "transformers.models.wav2vec2.modeling_wav2vec2",
)  # fmt: skip
CLIENT = """#!{python} -IS
import json, os, socket, sys
if sys.argv[1:2] != ["-m"] or sys.argv[2] not in {packages}:
    os.execv("{python}", ["{python}", *sys.argv[1:]])
server = socket.socket(socket.AF_UNIX)
server.connect("{address}")
job = json.dumps([sys.argv[2:], os.getcwd(), dict(os.environ)]).encode()
socket.send_fds(server, [b"{length}" % len(job)], [0, 1, 2])
server.sendall(job)
status = int(server.recv(8) or 1)  # nothing is said by a server that was ended
os._exit(status if status >= 0 else 128 - status)
"""
LENGTH = "%16d"


@contextmanager
def running(note: Path) -> Iterator[Path]:
    """A folder whose `python` is quick; it goes in front of PATH.

    Processes that name the same `note` share one server: the first starts it and writes down its folder there, and it
    ends when the last of them is done.
    """
    with note.with_suffix(".lock").open("w") as lock, ExitStack() as stack:
        fcntl.flock(lock, fcntl.LOCK_EX)
        is_first = not note.exists()
        if is_first:
            note.write_text(stack.enter_context(_server()), encoding="utf-8")
        folder = Path(note.read_text(encoding="utf-8"))
        with (folder / "users").open("w"):
            fcntl.flock(lock, fcntl.LOCK_UN)
            yield folder
            fcntl.flock(lock, fcntl.LOCK_EX)
            if is_first:
                note.unlink()  # who comes from now on starts another server
        fcntl.flock(lock, fcntl.LOCK_UN)


@contextmanager
def _server() -> Iterator[str]:
    """The folder of a server, which ends when no process has its pipe `users` open for writing; waits for its end."""
    with tempfile.TemporaryDirectory() as folder:
        address, client, users = (Path(folder, name) for name in ("socket", "python", "users"))
        facts = {"python": sys.executable, "packages": PACKAGES, "address": address, "length": LENGTH}
        client.write_text(CLIENT.format(**facts), encoding="utf-8")
        client.chmod(0o755)
        os.mkfifo(users)
        reader, writer = os.open(users, os.O_RDONLY | os.O_NONBLOCK), os.open(users, os.O_WRONLY)
        environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
        command, pipes = [sys.executable, __file__, address], {"stdin": reader, "stdout": subprocess.PIPE}
        with subprocess.Popen(command, env=environment, **pipes) as server:
            os.close(reader)
            assert server.stdout is not None and server.stdout.readline() == b"ready\n"
            try:
                yield folder
            finally:
                os.close(writer)


def serve(address: str) -> None:
    for package in PACKAGES:
        module = importlib.import_module(package)
        for info in pkgutil.walk_packages(module.__path__, f"{package}."):
            if not info.name.endswith("__main__"):
                importlib.import_module(info.name)
    for name in USED_BY_JOBS:
        importlib.import_module(name)
    gc.freeze()  # what is imported is no garbage: looking it through costs a job more than importing it
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(address)
    listener.listen(64)
    print("ready", flush=True)
    while listener in select.select([listener, sys.stdin], [], [])[0]:
        connection, _ = listener.accept()
        if os.fork() == 0:
            listener.close()
            attend(connection)
        connection.close()
    with suppress(ChildProcessError):  # what they took is then in the processor time of who waits for this process
        while True:
            os.wait()


def attend(connection: socket.socket) -> NoReturn:
    """Run one job in a fork of this process, and say how it ended."""
    head, descriptors, _, _ = socket.recv_fds(connection, len(LENGTH % 0), 3)
    data = b""
    while len(data) < int(head):
        data += connection.recv(int(head) - len(data))
    child = os.fork()
    if child == 0:
        connection.close()
        run(json.loads(data), descriptors)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    with suppress(BrokenPipeError):  # the client was killed
        connection.sendall(str(status).encode())
    os._exit(0)


def run(job: tuple[list[str], str, dict[str, str]], descriptors: list[int]) -> NoReturn:
    """Do one job in this process, and end it."""
    arguments, folder, environment = job
    for number, descriptor in enumerate(descriptors):
        os.dup2(descriptor, number)
        os.close(descriptor)
    # new streams, as a new process has: those of the server remember what kind of file they were opened on
    sys.stdout = os.fdopen(1, "w", closefd=False)
    sys.stderr = os.fdopen(2, "w", buffering=1, errors="backslashreplace", closefd=False)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = arguments
    status: str | int | None = 1
    try:
        runpy.run_module(arguments[0], run_name="__main__", alter_sys=True)
        status = 0
    except SystemExit as stopped:
        status = stopped.code
    except BaseException:
        traceback.print_exc()
    if isinstance(status, str):
        print(status, file=sys.stderr)
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(1 if isinstance(status, str) else status or 0)  # to take all modules down takes longer than a job


if __name__ == "__main__":
    serve(sys.argv[1])
