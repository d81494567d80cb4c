"""A page in headless Chromium, by its debugging protocol: what test-live.py and film.py need of it."""
import base64
import json
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import websockets.sync.client


class Page:
    """A page of a browser of its own, which ends with it."""

    def __init__(self, address, width=1280, height=800, dark=False, ratio=1):
        program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
        if not program:
            sys.exit("Chromium is needed; apt-get install chromium")
        self.folder = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        self.process = subprocess.Popen(
            [program, "--headless=new", "--no-sandbox", "--remote-debugging-port=0", "--hide-scrollbars",
             "--disable-gpu", f"--user-data-dir={self.folder.name}", "--no-first-run", "--disable-extensions",
             f"--window-size={width},{height}", f"--force-device-scale-factor={ratio}", "about:blank"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        port = Path(self.folder.name, "DevToolsActivePort")
        for _ in range(300):
            if port.exists() and len(port.read_text().splitlines()) == 2:
                break
            time.sleep(0.1)
        number, path = port.read_text().splitlines()
        self.socket = websockets.sync.client.connect(f"ws://127.0.0.1:{number}{path}", max_size=None)
        self.count = 0
        self.session = None
        #: Errors of the page's code and whatever it wrote to the console.
        self.complaints = []
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=ratio,
                  mobile=False)
        self.theme(dark)
        self.call("Page.navigate", url=address)
        self.wait("document.readyState === 'complete' && location.href !== 'about:blank'")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()
        self.process.terminate()
        self.process.wait()
        self.folder.cleanup()

    def call(self, method, **parameters):
        self.count += 1
        message = {"id": self.count, "method": method, "params": parameters}
        if self.session:
            message["sessionId"] = self.session
        self.socket.send(json.dumps(message))
        while True:
            answer = json.loads(self.socket.recv(timeout=60))
            if answer.get("id") == self.count:
                assert "error" not in answer, f"{method}: {answer.get('error')}"
                return answer["result"]
            if answer.get("method") in ("Runtime.exceptionThrown", "Log.entryAdded", "Runtime.consoleAPICalled"):
                self.complaints.append(json.dumps(answer["params"])[:600])

    def theme(self, dark):
        self.call("Emulation.setEmulatedMedia",
                  features=[{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}])

    def size(self, width, height, ratio=1):
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=ratio,
                  mobile=False)

    def value(self, expression):
        """What JavaScript makes of an expression, or of the promise that it is."""
        result = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in result, f"{expression}: {json.dumps(result['exceptionDetails'])[:600]}"
        return result["result"].get("value")

    def wait(self, expression, seconds=20):
        """Waits until an expression is true; returns its value."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            value = self.value(expression)
            if value:
                return value
            time.sleep(0.05)
        raise AssertionError(f"not within {seconds} s: {expression}; the page says {self.complaints}")

    def click(self, selector):
        """Presses the mouse on the middle of an element, as a hand would."""
        x, y = self.value(
            f"(() => {{ const e = document.querySelector({selector!r}); e.scrollIntoView({{block: 'nearest'}});"
            " const b = e.getBoundingClientRect(); return [b.x + b.width / 2, b.y + b.height / 2]; })()")
        self.drag(x, y, x, y)

    def drag(self, x, y, to_x, to_y):
        self.call("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y)
        self.call("Input.dispatchMouseEvent", type="mousePressed", x=x, y=y, button="left", buttons=1, clickCount=1)
        if (x, y) != (to_x, to_y):
            for share in (0.3, 0.7, 1):
                self.call("Input.dispatchMouseEvent", type="mouseMoved", x=x + share * (to_x - x),
                          y=y + share * (to_y - y), button="left", buttons=1)
        self.call("Input.dispatchMouseEvent", type="mouseReleased", x=to_x, y=to_y, button="left", buttons=0,
                  clickCount=1)

    def key(self, key):
        text = key if len(key) == 1 else ""
        self.call("Input.dispatchKeyEvent", type="keyDown", key=key, text=text)
        self.call("Input.dispatchKeyEvent", type="keyUp", key=key)

    def choose(self, selector, value):
        """Sets a control as a hand would: its value, then both of its events."""
        self.value(
            f"(() => {{ const e = document.querySelector({selector!r}); e.value = {value!r};"
            " e.dispatchEvent(new Event('input')); e.dispatchEvent(new Event('change')); })()")

    def screenshot(self, file=None, clip=None):
        parameters = {"format": "png"}
        if clip:
            parameters["clip"] = {**clip, "scale": 1}
        data = base64.b64decode(self.call("Page.captureScreenshot", **parameters)["data"])
        if file:
            Path(file).write_bytes(data)
        return data
