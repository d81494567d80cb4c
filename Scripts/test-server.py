#!/usr/bin/env python3
"""The policy server under real clients: openpi-client, a Gymnasium loop, curl, and ten thousand malformed messages.

    test-server.py TOOL [NAME...]

TOOL is the built `trajectory`, beside which `make server` has put the server; NAMEs choose some of the checks. Run by
`make test-server` in an environment that has openpi-client and Gymnasium.
"""
import json
import os
import random
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np
import websockets.sync.client
from openpi_client import msgpack_numpy
from openpi_client.action_chunk_broker import ActionChunkBroker
from openpi_client.websocket_client_policy import WebsocketClientPolicy
from listening import Listening

ROOT = Path(__file__).resolve().parent.parent
TOOL = sys.argv[1]
CHECKPOINT = str(ROOT / "Checkpoints/hopper")
STANDING = np.array([1.25] + 10 * [0.0])
MODEL = "/v2/models/hopper"


class Server(Listening):
    """The policy server."""

    def __init__(self, *options, environment=None):
        super().__init__(TOOL, "serve", CHECKPOINT, *options, environment=environment)

    def client(self, key=None):
        return WebsocketClientPolicy("127.0.0.1", self.port, key)

    def processor(self):
        """Seconds of the processor that were used."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def wait_for_search(self, before):
        """Returns when a search has begun since so many seconds of the processor were used."""
        for _ in range(3000):
            if self.processor() > before + 0.05:
                return
            time.sleep(0.01)
        raise AssertionError("no search began")


def tensor(name, array):
    array = np.asarray(array, dtype=float)
    return {"name": name, "shape": list(array.shape), "datatype": "FP64", "data": array.ravel().tolist()}


def infer(server, *tensors, **more):
    body = json.dumps({"inputs": list(tensors), **more})
    return server.curl(MODEL + "/infer", "-H", "content-type: application/json", "-d", body)


def output(answer, name):
    found = next(part for part in json.loads(answer)["outputs"] if part["name"] == name)
    return np.array(found["data"]).reshape(found["shape"])


def refused(client, message, text):
    try:
        client.infer(message)
    except RuntimeError as error:
        assert re.search(text, str(error)), f"{error} has no '{text}'"
    else:
        raise AssertionError(f"not refused: {message}")


def check_openpi(server):
    """Metadata, plans, rewards, histories, resets, gaps, batches and refusals, by openpi's own client."""
    client = server.client()
    told = client.get_server_metadata()
    assert told["policy"] == "hopper" and told["observation_dimension"] == 11 and told["action_dimension"] == 3, told
    horizon = told["action_horizon"]
    first = client.infer({"observation": STANDING})
    shapes = {name: value.shape for name, value in first.items() if isinstance(value, np.ndarray)}
    assert shapes == {
        "actions": (horizon, 3), "observations": (horizon, 11), "rewards": (horizon,), "values": (horizon,),
    }, shapes
    assert first["context"] == 0 and first["server_timing"]["infer_ms"] > 0
    second = client.infer({"observation": STANDING.astype(np.float32), "reward": np.float32(1.0)})
    assert second["context"] == 1 and second["server_timing"]["prev_total_ms"] > 0

    # The same by another client that tells the past itself, and one plan by JSON: the same numbers.
    past = {"observations": STANDING[None], "actions": first["actions"][:1], "rewards": np.array([1.0])}
    other = server.client().infer({"observation": STANDING, "history": past, "seed": 1})
    assert other["context"] == 1 and np.array_equal(other["actions"], second["actions"])
    status, answer = infer(
        server, tensor("observation", [STANDING]), tensor("history_observations", [past["observations"]]),
        tensor("history_actions", [past["actions"]]), tensor("history_rewards", [past["rewards"]]),
        tensor("seed", [1]), id="a",
    )
    assert status == 200 and np.array_equal(output(answer, "actions")[0], second["actions"]), answer

    gap = client.infer({"observation": STANDING})
    assert gap["context"] == 0
    reset = client.infer({"observation": STANDING, "reset": np.bool_(True), "reward": 2.0})
    assert reset["context"] == 0 and np.array_equal(reset["actions"], first["actions"])

    batch = client.infer({"observation": np.stack([STANDING, STANDING + 0.01])})
    assert batch["actions"].shape == (horizon, 2, 3) and batch["context"] == [0, 0]
    assert np.array_equal(batch["actions"][:, 0], first["actions"]) and batch["server_timing"]["together"] == 2

    refused(client, {"observation": STANDING[:5]}, "5 numbers, where 11")
    refused(client, {"observation": STANDING * np.nan}, "finite")
    refused(client, {"observation": STANDING, "prompt": "hop"}, "prompt")
    refused(client, {"observation": STANDING, "goal": [1.0, 2.0]}, "goal")
    refused(client, {}, "observation")
    # A refusal changes nothing: the batch goes on.
    again = client.infer({"observation": np.stack([STANDING, STANDING]), "reward": np.array([1.0, 2.0])})
    assert again["context"] == [1, 1]


def check_broker(server):
    """An ActionChunkBroker hands out the plan's actions one by one, and asks when they are used up."""
    policy = server.client()
    horizon = policy.get_server_metadata()["action_horizon"]
    plan = server.client().infer({"observation": STANDING})
    broker = ActionChunkBroker(policy, action_horizon=horizon)
    for step in range(horizon):
        part = broker.infer({"observation": STANDING})
        assert np.array_equal(part["actions"], plan["actions"][step]), step
        assert part["rewards"] == plan["rewards"][step]
    assert broker.infer({"observation": STANDING + 0.01})["context"] == 0


def check_gymnasium(server):
    """The example controls Hopper."""
    text = subprocess.run(
        [sys.executable, ROOT / "Examples/Python/serve_hopper.py", "--port", str(server.port), "--steps", "300"],
        check=True, capture_output=True, text=True,
    ).stdout
    returned = float(re.search(r"episode 0: return ([\d.]+)", text)[1])
    # A random policy gets 13, and who stands still 300.
    assert returned > 500, text
    print(f"  Hopper: return {returned} in at most 300 steps")


def check_http(server):
    """The Open Inference Protocol by curl."""
    assert server.curl("/healthz") == (200, "OK\n")
    assert server.curl("/v2/health/live")[0] == 200 and server.curl("/v2/health/ready")[0] == 200
    assert json.loads(server.curl("/v2")[1])["name"] == "trajectory-transformer"
    model = json.loads(server.curl(MODEL)[1])
    assert model["inputs"][0] == {"name": "observation", "datatype": "FP64", "shape": [-1, 11]}, model
    assert server.curl(MODEL + "/ready")[0] == 200 and server.curl(MODEL + "/versions/1/ready")[0] == 200
    status, answer = infer(server, tensor("observation", [STANDING, STANDING]), outputs=[{"name": "actions"}])
    assert status == 200 and output(answer, "actions").shape == (2, model["outputs"][0]["shape"][1], 3), answer
    for path, expected in [("/", 400), ("/v3", 404), ("/v2/models/other", 404), (MODEL + "/infer", 405)]:
        status, answer = server.curl(path)
        assert status == expected and json.loads(answer)["error"], (path, status, answer)
    status, answer = infer(server, tensor("observation", [STANDING[:5]]))
    assert status == 400 and "5 numbers, where 11" in answer
    assert server.curl(MODEL + "/infer", "-d", "{")[0] == 400
    assert server.curl(MODEL + "/infer", "-H", "Origin: http://example.org", "-d", "{}")[0] == 403
    with tempfile.NamedTemporaryFile() as file:
        file.write(b" " * (2 << 20))
        file.flush()
        assert server.curl(MODEL + "/infer", "--data-binary", f"@{file.name}")[0] == 413
        chunked = ["-H", "Transfer-Encoding: chunked", "--data-binary", f"@{file.name}"]
        assert server.curl(MODEL + "/infer", *chunked)[0] == 413


def check_together(server):
    """Clients that plan at the same moment share a search, and each gets the plan it would get alone."""
    alone = [server.client().infer({"observation": STANDING + 0.01 * index})["actions"] for index in range(8)]
    clients = [server.client() for _ in alone]
    together, wrong = [], []

    def act(index):
        for _ in range(10):
            answer = clients[index].infer({"observation": STANDING + 0.01 * index, "reset": True})
            together.append(answer["server_timing"]["together"])
            if not np.array_equal(answer["actions"], alone[index]):
                wrong.append(index)

    threads = [threading.Thread(target=act, args=(index,)) for index in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong, wrong
    assert len(together) == 80 and np.mean(together) > 2, together


def upgrade(port):
    """A socket that speaks WebSocket, by hand, after the metadata have been read."""
    connection = socket.create_connection(("127.0.0.1", port), timeout=20)
    connection.sendall(
        b"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    )
    data = b""
    while b"\r\n\r\n" not in data or len(data) < data.index(b"\r\n\r\n") + 8:
        data += connection.recv(4096)
    assert data.startswith(b"HTTP/1.1 101"), data
    return connection


def frame(payload, opcode=2, fin=True, mask=b"\0\0\0\0"):
    length = len(payload)
    head = bytes([opcode | (0x80 if fin else 0)])
    if length < 126:
        head += bytes([0x80 | length])
    else:
        head += bytes([0x80 | 126]) + length.to_bytes(2, "big")
    return head + mask + bytes(byte ^ mask[index % 4] for index, byte in enumerate(payload))


def mutated(data, generator):
    data = bytearray(data)
    for _ in range(generator.randint(1, 6)):
        kind = generator.randrange(4)
        if kind == 0 and data:
            data[generator.randrange(len(data))] = generator.randrange(256)
        elif kind == 1:
            data.insert(generator.randint(0, len(data)), generator.randrange(256))
        elif kind == 2 and data:
            del data[generator.randrange(len(data)):][:generator.randint(1, 8)]
        else:
            place = generator.randint(0, len(data))
            data[place:place] = data[:generator.randint(0, 40)]
    return bytes(data)


def drained(connection, seconds=0.0):
    """Reads what there is, for a while; whether the server has closed."""
    end = time.monotonic() + seconds
    while True:
        connection.settimeout(max(0.0001, end - time.monotonic()))
        try:
            if not connection.recv(65536):
                return True
        except TimeoutError:
            return False
        except OSError:
            return True


def check_nonsense(server):
    """10,000 malformed messages, frames and requests: nothing ends, and plans stay what they were."""
    seed = random.randrange(1 << 32)
    generator = random.Random(seed)
    expected = server.client().infer({"observation": STANDING})["actions"]
    good = msgpack_numpy.packb({"observation": STANDING, "history": {"rewards": [1, 2.5]}, "reward": 1.0})
    body = json.dumps({"inputs": [tensor("observation", [STANDING])]}).encode()
    request = (
        b"POST /v2/models/hopper/infer HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        b"Content-Length: " + str(len(body)).encode() + b"\r\n\r\n" + body
    )
    memory, count = server.memory(), 0
    try:
        # Whole frames whose message is damaged; the connection stays.
        connection = upgrade(server.port)
        for index in range(4000):
            connection.sendall(frame(mutated(good, generator), generator.choice((1, 2, 2, 2, 2)), mask=b"abcd"))
            count += 1
            if index % 50 == 49:
                assert not drained(connection), "closed over a damaged message"
        connection.close()
        # Damaged frames; the server may close.
        connection = upgrade(server.port)
        for index in range(3000):
            try:
                connection.sendall(mutated(frame(good), generator))
                count += 1
                closed = index % 7 == 6 and drained(connection)
            except OSError:
                closed = True
            if closed:
                connection.close()
                connection = upgrade(server.port)
        connection.close()
        # Damaged requests by HTTP.
        for index in range(3200):
            with socket.create_connection(("127.0.0.1", server.port), timeout=20) as connection:
                connection.sendall(mutated(request, generator))
                count += 1
                if index % 40 == 39:
                    drained(connection, 0.01)
    except Exception as error:
        raise AssertionError(f"seed {seed}") from error
    assert server.process.poll() is None, f"the server ended, seed {seed}"
    assert count > 10_000, count
    assert np.array_equal(server.client().infer({"observation": STANDING})["actions"], expected), f"seed {seed}"
    grown = server.memory() - memory
    assert grown < 64 << 20, f"{grown} bytes of memory more, seed {seed}"
    print(f"  {count} malformed, {grown / 1e6:.1f} MB of memory more")


def check_limits(_):
    """Connections, messages and the queue are bounded, each with a refusal that says so."""
    options = (
        "--", "--connections", "3", "--message-bytes", "4096", "--waiting", "1", "--patience-seconds", "1",
        "--waiting-seconds", "300", "--planning-seconds", "300",
    )
    with Server("--horizon", "40", "--beam-width", "128", *options) as server:
        clients = [server.client() for _ in range(3)]
        status, answer = server.curl("/healthz")
        assert status == 503 and "3 connections" in answer, answer
        try:
            server.client()
        except websockets.exceptions.InvalidStatus as error:
            assert error.response.status_code == 503
        else:
            raise AssertionError("a connection too many")
        # One is planned for, one waits, the third is one too many.
        answers = []

        def ask(client):
            try:
                answers.append(client.infer({"observation": np.stack([STANDING] * 4)}))
            except RuntimeError as error:
                answers.append(str(error))

        threads = [threading.Thread(target=ask, args=(client,)) for client in clients]
        before = server.processor()
        for thread in threads:
            thread.start()
            server.wait_for_search(before)
        for thread in threads:
            thread.join()
        texts = [answer for answer in answers if isinstance(answer, str)]
        assert len(texts) == 1 and "wait already" in texts[0], texts
        try:
            clients[0].infer({"observation": np.zeros(5000)})
        except websockets.exceptions.ConnectionClosed as error:
            assert error.rcvd.code == 1009 and "4096 bytes" in error.rcvd.reason, error
        else:
            raise AssertionError("a message too large was answered")
        clients[1]._ws.close()
        clients[2]._ws.close()
        time.sleep(0.2)
        # Who does not finish a request is let go.
        with socket.create_connection(("127.0.0.1", server.port), timeout=20) as connection:
            connection.sendall(b"POST /v2/models/hopper/infer HTTP/1.1\r\nContent-Length: 10\r\n\r\n")
            assert b" 408 " in connection.recv(4096)
        # Who leaves in mid plan keeps nobody waiting.
        quitter = server.client()
        quitter._ws.send(quitter._packer.pack({"observation": np.stack([STANDING] * 16)}))
        quitter._ws.close()
        assert server.client().infer({"observation": STANDING})["context"] == 0


def check_keys(_):
    """Other addresses than this machine's demand a key; who has it is served, who has not is told."""
    outcome = subprocess.run(
        [TOOL, "serve", CHECKPOINT, "--host", "0.0.0.0", "--port", "0"], capture_output=True, text=True, timeout=60
    )
    assert outcome.returncode == 1 and "no API key" in outcome.stderr, outcome
    with tempfile.NamedTemporaryFile("w") as file:
        file.write("s3cret\n")
        file.flush()
        with Server("--host", "0.0.0.0", "--api-key-file", file.name) as server:
            assert server.client("s3cret").infer({"observation": STANDING})["context"] == 0
            for key in (None, "s3cre", "s3cret2"):
                try:
                    server.client(key)
                except websockets.exceptions.InvalidStatus as error:
                    assert error.response.status_code == 401
                else:
                    raise AssertionError(f"let in with {key}")
            assert server.curl("/healthz")[0] == 200 and server.curl(MODEL)[0] == 401
            assert server.curl(MODEL, "-H", "Authorization: Api-Key s3cret")[0] == 200
    with Server(environment={"TRAJECTORY_API_KEY": "s3cret"}) as server:
        assert server.curl(MODEL)[0] == 401


def check_ending(_):
    """SIGTERM lets a running plan finish and takes no other, and ends with 0; a second one ends at once."""
    with Server("--horizon", "40", "--beam-width", "128") as server:
        client, idle = server.client(), server.client()
        answers = []
        thread = threading.Thread(
            target=lambda: answers.append(client.infer({"observation": np.stack([STANDING] * 4)}))
        )
        before = server.processor()
        thread.start()
        server.wait_for_search(before)
        server.process.send_signal(signal.SIGTERM)
        thread.join()
        assert answers and answers[0]["actions"].shape == (40, 4, 3)
        try:
            idle.infer({"observation": STANDING})
        except websockets.exceptions.ConnectionClosed as error:
            assert error.rcvd.code == 1001, error
        else:
            raise AssertionError("served after the end")
        assert server.process.wait(timeout=20) == 0
        assert "ending" in server.process.stderr.read()
    with Server("--horizon", "1000", "--beam-width", "128") as server:
        client = server.client()
        before = server.processor()
        client._ws.send(client._packer.pack({"observation": STANDING}))
        server.wait_for_search(before)
        server.process.send_signal(signal.SIGTERM)
        time.sleep(0.2)
        assert server.process.poll() is None
        # Two in a moment may count as one.
        for _ in range(40):
            server.process.send_signal(signal.SIGTERM)
            time.sleep(0.25)
            if server.process.poll() is not None:
                break
        assert server.process.poll() == 128 + signal.SIGTERM


def check_refusals(_):
    """What cannot be served is refused in one line before anything listens."""
    for options, text in [
        (["nowhere"], "nowhere"), ([CHECKPOINT, "--port", "99999"], "65535"), ([CHECKPOINT, "--warm-start"], "warm"),
        ([CHECKPOINT, "--horizon", "0"], "horizon"), ([CHECKPOINT, "--api-key-file", "nowhere"], "nowhere"),
        ([CHECKPOINT, "--host", "192.0.2.1", "--port", "0"], "API key"),
        ([CHECKPOINT, "--", "--connections", "0"], "connections"),
    ]:
        outcome = subprocess.run([TOOL, "serve", *options], capture_output=True, text=True, timeout=60)
        assert outcome.returncode != 0 and text in outcome.stderr, (options, outcome)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        outcome = subprocess.run([TOOL, "serve", CHECKPOINT, "--port", port], capture_output=True, text=True, timeout=60)
        assert outcome.returncode == 1 and "another port" in outcome.stderr, outcome


def main(names):
    checks = [value for name, value in globals().items() if name.startswith("check_")]
    checks = [check for check in checks if not names or check.__name__.removeprefix("check_") in names]
    with Server() as server:
        for check in checks:
            begin = time.monotonic()
            check(server)
            print(f"{check.__name__.removeprefix('check_')}: {check.__doc__.splitlines()[0]} "
                  f"({time.monotonic() - begin:.1f} s)", flush=True)
            assert server.process.poll() is None, server.process.stderr.read()


main(sys.argv[2:])
