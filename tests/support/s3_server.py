"""An S3 server on this machine, as moto imitates it, for runs whose files are in a bucket."""

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

KEYS = {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_DEFAULT_REGION": "us-east-1"}
SECONDS = 30  # until the server answers, on a busy machine
HOST = "127.0.0.1"


@contextmanager
def running() -> Iterator[str]:
    """The address of a server, which ends with the block."""
    with socket.socket() as free:
        free.bind((HOST, 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "moto.server", "--host", HOST, "--port", str(port)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
        try:
            _wait(port)
            yield f"http://{HOST}:{port}"
        finally:
            server.terminate()


def objects(address: str, bucket: str) -> dict[str, bytes]:
    """Name -> content of everything in a bucket."""
    import boto3

    store: Any = boto3.resource("s3", endpoint_url=address)
    return {item.key: item.get()["Body"].read() for item in store.Bucket(bucket).objects.all()}


def _wait(port: int) -> None:
    last = time.monotonic() + SECONDS
    while time.monotonic() < last:
        try:
            socket.create_connection((HOST, port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.1)
    raise TimeoutError(f"no S3 server answers on port {port} after {SECONDS} s")
