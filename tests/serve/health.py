"""Asks a server fifty times a second whether it is well, until standard input ends; then prints all waits.

The port is the argument. A program of its own: what the crowd costs must not be counted as the server's.
"""

import json
import socket
import sys
import threading
import time


def wait(port: int) -> float:
    """Return how long one answer takes, from the connection to its end."""
    start = time.monotonic()
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(b"GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        answer = b"".join(iter(lambda: connection.recv(4096), b""))
    assert answer.startswith(b"HTTP/1.1 200"), answer
    return time.monotonic() - start


ended = threading.Event()
threading.Thread(target=lambda: (sys.stdin.read(), ended.set()), daemon=True).start()
waits = []
while not ended.wait(0.02):
    waits.append(wait(int(sys.argv[1])))
json.dump(waits, sys.stdout)
