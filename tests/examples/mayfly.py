# SPDX-License-Identifier: Apache-2.0
"""Containers from Python, by `mayfly serve --stdio`.

    with mayfly.Mayfly() as flies:
        m = flies.container("debian:12", net="none")
        print(m("uname -a").out)
        print(m("tr a-z A-Z", input="hello").out)

Everything ends with the `with`, or with this process, however that comes.
"""
import base64
import itertools
import json
import queue
import struct
import subprocess
import threading


class Error(Exception):
    """mayfly could not do what it was asked for."""


class Failed(Error):
    """A program ended otherwise than with 0; `result` says how."""

    def __init__(self, command, result):
        super().__init__(f"{command!r}: {result.end}, status {result.status}: {result.err.strip()}")
        self.result = result


class Result:
    """How a program has ended and what it has written: text, or bytes where it is none."""

    def __init__(self, answer):
        self.end = answer["end"]
        self.status = answer["status"]
        self.signal = answer["signal"]
        self.out = _bytes_or_text(answer, "output")
        self.err = _bytes_or_text(answer, "errors")


def _bytes_or_text(answer, name):
    coded = answer.get(name + "_base64")
    return answer.get(name, "") if coded is None else base64.b64decode(coded)


def _command(command, params):
    """A string is for the shell, a list are a program's words; bytes can be input, too."""
    params["shell" if isinstance(command, str) else "argv"] = command
    data = params.get("input")
    if isinstance(data, bytes):
        del params["input"]
        params["input_base64"] = base64.b64encode(data).decode()
    return params


class Container:
    """A container; call it with a command."""

    def __init__(self, flies, name):
        self.flies = flies
        self.name = name

    def __call__(self, command, check=True, output=None, **params):
        """Run a command; `output(stream, data)` takes what it writes while it writes."""
        answer = self.flies.request("exec", output, container=self.name,
                                    **_command(command, params), **({"stream": True} if output else {}))
        result = Result(answer)
        if check and (result.end != "exited" or result.status != 0):
            raise Failed(command, result)
        return result

    def copy_in(self, source, target=None):
        self.flies.request("copy_in", container=self.name, source=source, **({"target": target} if target else {}))

    def copy_out(self, source, target=None):
        self.flies.request("copy_out", container=self.name, source=source, **({"target": target} if target else {}))

    def commit(self, name):
        """Make an image of what its file system is now."""
        self.flies.request("commit", container=self.name, name=name)

    def signal(self, number):
        """Send a signal to all that runs in it."""
        self.flies.request("signal", container=self.name, signal=number)

    def freeze(self):
        """Stop all that runs in it, until thaw()."""
        self.flies.request("freeze", container=self.name)

    def thaw(self):
        self.flies.request("thaw", container=self.name)

    def ports(self):
        """The published ports: a list of dictionaries."""
        return self.flies.request("ports", container=self.name)

    def destroy(self):
        self.flies.request("destroy", container=self.name)


class Mayfly:
    """A conversation with mayfly, which may be used from several threads."""

    def __init__(self, program="mayfly"):
        self.process = subprocess.Popen([program, "serve", "--stdio"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.numbers = itertools.count(1)
        self.waiting = {}
        self.lock = threading.Lock()
        threading.Thread(target=self._read, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        """End every container, and wait for that."""
        self.process.stdin.close()
        self.process.wait()

    def request(self, method, output=None, **params):
        """Ask for something and wait for the answer."""
        number = next(self.numbers)
        answers = self.waiting[number] = queue.SimpleQueue()
        text = json.dumps({"jsonrpc": "2.0", "id": number, "method": method, "params": params}).encode()
        with self.lock:
            self.process.stdin.write(struct.pack(">I", len(text)) + text)
            self.process.stdin.flush()
        while True:
            message = answers.get()
            if message is None:
                raise Error("mayfly is gone")
            if message.get("method") == "output":
                output(message["params"]["stream"], _bytes_or_text(message["params"], "data"))
                continue
            del self.waiting[number]
            if "error" in message:
                raise Error(message["error"]["message"])
            return message["result"]

    def container(self, image, **options):
        """Start a container; an option's value is a text, a list of texts, or True."""
        options = {name.replace("_", "-"): value for name, value in options.items()}
        return Container(self, self.request("start", image=image, options=options)["container"])

    def call(self, image, command, options=None, **params):
        """Run a command in a container of its own, which is gone after it."""
        return Result(self.request("call", image=image, options=options or {}, **_command(command, params)))

    def _read(self):
        while True:
            head = self.process.stdout.read(4)
            text = self.process.stdout.read(struct.unpack(">I", head)[0]) if len(head) == 4 else b""
            if not text:
                break
            message = json.loads(text)
            number = message["params"]["id"] if "method" in message else message["id"]
            if number in self.waiting:
                self.waiting[number].put(message)
        for answers in list(self.waiting.values()):
            answers.put(None)
