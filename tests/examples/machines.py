# SPDX-License-Identifier: Apache-2.0
"""A machine's commands, one after the other, and data through two machines: machines.py MAYFLY IMAGE"""
import os
import signal
import sys
import threading

import mayfly

with mayfly.Mayfly(sys.argv[1]) as flies:
    assert flies.request("version")["version"]
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

    # What begins is signalled, as soon as it says that it has begun.
    ended = m("trap 'exit 9' USR1; echo up; while :; do sleep 0.1; done", check=False,
              output=lambda stream, data: m.signal(signal.SIGUSR1) if data == "up\n" else None)
    assert (ended.end, ended.status) == ("exited", 9), vars(ended)

    # Files go in and come out.
    with open("in.txt", "w") as file:
        file.write("carried")
    m.copy_in(os.path.abspath("in.txt"), "/carried.txt")
    m("tr a-z A-Z </carried.txt >/out.txt")
    m.copy_out("/out.txt", os.path.abspath("out.txt"))
    assert open("out.txt").read() == "CARRIED"

    # It stands still, where this host has a control group for it.
    try:
        m.freeze()
        try:
            m("true")
            raise AssertionError("a frozen machine has worked")
        except mayfly.Error as error:
            assert "frozen" in str(error), error
        m.thaw()
    except mayfly.Error as error:
        assert "cgroup" in str(error), error
    assert m("echo on").out == "on\n"

    # Networks.
    assert m.ports() == []
    flies.request("network_create", name="lan", subnet="10.91.0.0/24")
    lan = [n for n in flies.request("networks") if n["name"] == "lan"]
    assert lan and lan[0]["subnet"] == "10.91.0.0/24" and not lan[0]["leads_out"], lan
    flies.request("network_remove", name="lan")

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
