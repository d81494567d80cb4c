#!/usr/bin/env python3
"""Plans a second and latency of the policy server with 1, 8 and 64 clients, beside the planner alone.

    load-server.py TOOL [--seconds 20] [--clients 1 8 64] [--checkpoint FOLDER] [--minutes M] [-- SERVE OPTION...]

Every client acts in closed loop: it sends its next observation, with a reward, when it has an answer. One thread
serves all clients, with frames that were packed before, so that the load takes little of the machine. No two clients
ever see the same: equal situations share their computation. Beside them, in turn, one client asks for as many plans
in a batch: how many plans a second its searches alone would make is what the planner can do, and the ratio is what
the server leaves of it. --rounds N repeats that, and tells the median and the range of the ratios.
--minutes M keeps 8 clients at work for so long and prints the server's memory each minute.
"""
import argparse
import itertools
import selectors
import socket
import time
from pathlib import Path

import numpy as np
from listening import Listening
from openpi_client import msgpack_numpy

ROOT = Path(__file__).resolve().parent.parent


def packed(message):
    payload = msgpack_numpy.packb(message)
    length = len(payload)
    size = bytes([0x80 | length]) if length < 126 else bytes([0x80 | 126]) + length.to_bytes(2, "big")
    return b"\x82" + size + b"\0\0\0\0" + payload


def seen(first, lanes, count=32):
    """What robots see, step by step: Hoppers that stand, each a little otherwise each time."""
    noise = [np.random.default_rng(first + lane).normal(scale=0.02, size=(count, 11)) for lane in range(lanes)]
    return np.array([1.25] + 10 * [0.0]) + np.stack(noise, axis=1)


class Client:
    def __init__(self, port, number, lanes):
        observations = [step if lanes > 1 else step[0] for step in seen(number, lanes)]
        reward = np.ones(lanes) if lanes > 1 else 1.0
        later = [packed({"observation": each, "reward": reward}) for each in observations]
        self.messages = itertools.chain([packed({"observation": observations[0]})], itertools.cycle(later))
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

    def ask(self):
        message = next(self.messages)
        self.begin = time.perf_counter()
        self.socket.sendall(message)


def closed_loop(port, count, seconds, lanes=1):
    """Latencies in ms, answers a second, milliseconds of the searches, and how many planned together."""
    clients = [Client(port, number, lanes) for number in range(count)]
    selector = selectors.DefaultSelector()
    for client in clients:
        selector.register(client.socket, selectors.EVENT_READ, client)
        client.ask()
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
            client.ask()
            if now > warm and len(latencies) % max(1, count // 2) == 0:
                timing = msgpack_numpy.unpackb(answer)["server_timing"]
                searches.append(timing["search_ms"])
                together.append(timing["together"])
    for client in clients:
        client.socket.close()
    return np.array(latencies), len(latencies) / seconds, np.array(searches), np.mean(together)


def row(port, count, seconds, rounds):
    """Clients beside a batch, in turn; prints what the middle round saw."""
    outcomes = []
    for _ in range(rounds):
        latencies, rate, searches, together = closed_loop(port, count, seconds / rounds)
        _, _, alone, _ = closed_loop(port, 1, seconds / rounds / 2, lanes=count)
        alone = 1e3 * count / np.mean(alone)
        outcomes.append((rate / alone, rate, alone, latencies, searches, together))
    outcomes.sort(key=lambda outcome: outcome[0])
    ratio, rate, alone, latencies, searches, together = outcomes[rounds // 2]
    p50, p99, p999 = np.percentile(latencies, [50, 99, 99.9])
    # Of one client every answer told its search.
    over = f"{np.median(latencies - searches):8.3f}" if count == 1 else 8 * " "
    print(f"{count:7} {rate:8.1f} {alone:7.1f} {ratio:6.2f} ({outcomes[0][0]:.2f} to {outcomes[-1][0]:.2f}) {p50:8.2f} "
          f"{p99:8.2f} {p999:9.2f} {np.median(searches):11.2f} {together:9.1f} {over}", flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("tool")
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--clients", type=int, nargs="+", default=[1, 8, 64])
    parser.add_argument("--checkpoint", default=str(ROOT / "Checkpoints/hopper"))
    parser.add_argument("--minutes", type=float)
    parser.add_argument("options", nargs="*")
    options = parser.parse_args()
    with Listening(options.tool, "serve", options.checkpoint, *options.options) as server:
        if options.minutes:
            for minute in range(round(options.minutes)):
                _, rate, _, _ = closed_loop(server.port, 8, 58.0)
                print(f"minute {minute + 1}: {rate:.1f} plans/s, {server.memory() / 1e6:.1f} MB", flush=True)
            return
        print("clients  plans/s   alone  ratio                  p50 ms   p99 ms  p99.9 ms  search p50  together  "
              "overhead p50")
        for count in options.clients:
            row(server.port, count, options.seconds, options.rounds)


main()
