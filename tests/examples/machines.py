# SPDX-License-Identifier: Apache-2.0
"""A machine's commands, one after the other, and data through two machines: machines.py MAYFLY IMAGE"""
import sys
import threading

import mayfly

with mayfly.Mayfly(sys.argv[1]) as flies:
    m = flies.container(sys.argv[2], net="none", env=["GREETING=good day"], name="machine")
    assert m("echo $GREETING").out == "good day\n"
    m("echo kept >/file")
    assert m(["cat", "/file"]).out == "kept\n"
    assert m("exit 3", check=False).status == 3
    try:
        m("echo sorry >&2; exit 4")
        raise AssertionError("a failure went unseen")
    except mayfly.Failed as failed:
        assert failed.result.status == 4 and failed.result.err == "sorry\n"
    assert m("cat", input=b"\0\xff").out == b"\0\xff"
    pieces = []
    m("echo one; echo two >&2", output=lambda stream, data: pieces.append((stream, data)))
    assert sorted(pieces) == [("errors", "two\n"), ("output", "one\n")], pieces
    assert m("while :; do :; done", check=False, timeout_ms=100).end == "timed out"

    # A machine that was changed is an image for others.
    m.commit("changed:1")
    assert flies.call("changed:1", "cat /file", {"net": "none"}).out == "kept\n"

    # The name of one machine, asked for there and changed in the next.
    name = flies.call(sys.argv[2], "hostname", {"net": "none", "hostname": "mayfly-1"}).out
    assert flies.call(sys.argv[2], "tr a-z A-Z", {"net": "none"}, input=name).out == "MAYFLY-1\n"

    # Two at a time: each waits for the other.
    other = flies.container(sys.argv[2], net="none")
    endless = threading.Thread(target=lambda: other("while :; do :; done", check=False))
    endless.start()
    assert m("echo meanwhile").out == "meanwhile\n"
    assert sorted(flies.request("list")) == sorted(["machine", other.name])
    other.destroy()
    endless.join()
    for wrong, word in ((("exec", {"container": "none", "shell": ":"}), "none"), (("fly", {}), "fly"),
                        (("exec", {"container": "machine"}), "argv"), (("start", {}), "image"),
                        (("start", {"image": sys.argv[2], "options": {"wings": "2"}}), "wings")):
        try:
            flies.request(wrong[0], **wrong[1])
            raise AssertionError(f"{wrong} was taken")
        except mayfly.Error as error:
            assert word in str(error), error
print("all well")
