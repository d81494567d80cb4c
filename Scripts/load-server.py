#!/usr/bin/env python3
"""Plans a second and latency of the policy server with 1, 8 and 64 clients, beside the planner alone.

    load-server.py TOOL [--seconds 20] [--clients 1 8 64] [--checkpoint FOLDER] [--minutes M] [-- SERVE OPTION...]

Every client acts in closed loop: it sends its next observation, with a reward, when it has an answer. One thread
serves all clients, with frames that were packed before, so that the load takes little of the machine. Alone is what
the server says that the search itself took; together is that of one client that asks for as many plans in a batch.
--minutes M keeps 8 clients at work for so long and prints the server's memory each minute.
"""
import argparse
import os
import re
import selectors
import socket
import subprocess
import time
from pathlib import Path

import numpy as np
from openpi_client import msgpack_numpy

ROOT = Path(__file__).resolve().parent.parent


def packed(message):
    payload = msgpack_numpy.packb(message)
    length = len(payload)
    size = bytes([0x80 | length]) if length < 126 else bytes([0x80 | 126]) + length.to_bytes(2, "big")
    return b"\x82" + size + b"\0\0\0\0" + payload


class Client:
    def __init__(self, port, messages):
        self.first, self.next = messages
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.sendall(
            b"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
        )
        self.data = b""
        while b"\r\n\r\n" not in self.data:
            self.data += self.socket.recv(65536)
        self.data = self.data[self.data.index(b"\r\n\r\n") + 4:]
        while self.answer() is None:
            self.data += self.socket.recv(65536)
        self.begin = 0.0

    def answer(self):
        """The next whole frame's payload, if it is there."""
        data = self.data
        if len(data) < 4:
            return None
        length, start = data[1], 2
        if length == 126:
            length, start = int.from_bytes(data[2:4], "big"), 4
        elif length == 127:
            length, start = int.from_bytes(data[2:10], "big"), 10
        if len(data) < start + length:
            return None
        assert data[0] in (0x82, 0x89), data
        self.data = data[start + length:]
        if data[0] == 0x89:
            self.socket.sendall(b"\x8a\x80\0\0\0\0")
            return self.answer()
        return data[start:start + length]

    def ask(self, message):
        self.begin = time.perf_counter()
        self.socket.sendall(message)


def closed_loop(port, count, seconds, messages):
    """Latencies in ms, plans a second, and milliseconds of the searches."""
    clients = [Client(port, messages) for _ in range(count)]
    selector = selectors.DefaultSelector()
    for client in clients:
        selector.register(client.socket, selectors.EVENT_READ, client)
        client.ask(client.first)
    latencies, searches, together = [], [], []
    warm = time.perf_counter() + min(2.0, seconds / 4)
    end = warm + seconds
    while (now := time.perf_counter()) < end:
        for key, _ in selector.select(1.0):
            client = key.data
            client.data += client.socket.recv(65536)
            answer = client.answer()
            if answer is None:
                continue
            now = time.perf_counter()
            if now > warm:
                latencies.append(1e3 * (now - client.begin))
            client.ask(client.next)
            if now > warm and len(latencies) % max(1, count // 2) == 0:
                timing = msgpack_numpy.unpackb(answer)["server_timing"]
                searches.append(timing["search_ms"])
                together.append(timing["together"])
    for client in clients:
        client.socket.close()
    return np.array(latencies), len(latencies) / seconds, np.array(searches), np.mean(together)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("tool")
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--clients", type=int, nargs="+", default=[1, 8, 64])
    parser.add_argument("--checkpoint", default=str(ROOT / "Checkpoints/hopper"))
    parser.add_argument("--minutes", type=float)
    parser.add_argument("options", nargs="*")
    options = parser.parse_args()
    server = subprocess.Popen(
        [options.tool, "serve", options.checkpoint, "--port", "0", *options.options], stdout=subprocess.PIPE, text=True
    )
    port = int(re.search(r":(\d+)$", server.stdout.readline())[1])
    observation = np.array([1.25] + 10 * [0.0])

    def messages(lanes):
        seen = observation if lanes == 1 else np.stack([observation] * lanes)
        reward = 1.0 if lanes == 1 else np.ones(lanes)
        return packed({"observation": seen}), packed({"observation": seen, "reward": reward})

    def memory():
        return int(Path(f"/proc/{server.pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6

    try:
        if options.minutes:
            for minute in range(round(options.minutes)):
                _, rate, _, _ = closed_loop(port, 8, 58.0, messages(1))
                print(f"minute {minute + 1}: {rate:.1f} plans/s, {memory():.1f} MB", flush=True)
            return
        print("clients  plans/s   p50 ms   p99 ms  p99.9 ms  search p50  together  overhead p50  planner alone/s")
        for count in options.clients:
            latencies, rate, searches, together = closed_loop(port, count, options.seconds, messages(1))
            _, _, alone, _ = closed_loop(port, 1, options.seconds / 2, messages(count))
            p50, p99, p999 = np.percentile(latencies, [50, 99, 99.9])
            # Of one client every answer told its search.
            over = f"{np.median(latencies - searches):12.3f}" if count == 1 else 12 * " "
            print(f"{count:7} {rate:8.1f} {p50:8.2f} {p99:8.2f} {p999:9.2f} {np.median(searches):11.2f} "
                  f"{together:9.1f}  {over}  {1e3 * count / np.mean(alone):15.1f}", flush=True)
    finally:
        server.terminate()
        server.wait()


main()
