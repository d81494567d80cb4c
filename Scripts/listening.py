"""`trajectory serve` and `trajectory live` as a user starts them: what the scripts that ask them share."""
import os
import re
import subprocess
from pathlib import Path


class Listening:
    """A program that listens on a free port of this machine, and ends with its block."""

    def __init__(self, tool, command, checkpoint, *options, environment=None):
        self.process = subprocess.Popen(
            [tool, command, str(checkpoint), "--port", "0", *options], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            text=True, env={**os.environ, **(environment or {})})
        line = self.process.stdout.readline()
        match = re.fullmatch(r".+ on http://\S+:(\d+)\n", line)
        assert match, line + self.process.stderr.read()
        self.port = int(match[1])
        self.address = f"http://127.0.0.1:{self.port}"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()

    def curl(self, path, *options):
        """The status and the body that curl brings."""
        answer = subprocess.run(
            ["curl", "-sS", "-m", "20", "-w", "\n%{http_code}", self.address + path, *options],
            check=True, capture_output=True, text=True).stdout
        body, _, status = answer.rpartition("\n")
        return int(status), body

    def memory(self):
        """Bytes of memory in use."""
        pages = Path(f"/proc/{self.process.pid}/statm").read_text().split()[1]
        return int(pages) * os.sysconf("SC_PAGE_SIZE")
