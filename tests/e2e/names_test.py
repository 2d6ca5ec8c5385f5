#!/usr/bin/python3
"""PROMETHEUS_URL with a name in it: what clients see while the name server fails, is silent or says
something else than before. In a network of its own, with a name server of its own on port 53.

Usage: names_test.py API [unittest's arguments]
"""
import ctypes
import fcntl
import http.server
import json
import os
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import urllib.error
import urllib.parse
import urllib.request

API = os.path.abspath(sys.argv[1])
NAME, PORT = "prometheus.example", 9090
METRICS = "/api/v1/gpu/metrics"
LIMIT_SECONDS = 30
CLONE_NEWNS, CLONE_NEWUSER, CLONE_NEWNET = 0x00020000, 0x10000000, 0x40000000
MS_BIND, MS_REC, MS_PRIVATE = 4096, 16384, 1 << 18
SIOCGIFFLAGS, SIOCSIFFLAGS, IFF_UP = 0x8913, 0x8914, 1
PR_SET_PDEATHSIG = 1
NXDOMAIN, SERVFAIL, SILENCE = 3, 2, -1
VALUES = {"nvidia_gpu_utilization_percent": "75.5", "nvidia_gpu_used_memory_bytes": "8589934592",
          "nvidia_gpu_total_memory_bytes": "17179869184",
          "nvidia_gpu_free_memory_bytes": "8589934592",
          "nvidia_gpu_memory_utilization_percent": "50.5", "nvidia_gpu_temperature_celsius": "65"}
libc = ctypes.CDLL(None, use_errno=True)


def call(name, *arguments):
    if getattr(libc, name)(*arguments) != 0:
        raise OSError(ctypes.get_errno(), "%s: %s" % (name, os.strerror(ctypes.get_errno())))


def write(path, text):
    with open(path, "w", encoding="ascii") as file:
        file.write(text)


def enter(folder):
    """A network and mounts of our own: port 53 is free, and /etc names our name server."""
    user, group = os.geteuid(), os.getegid()
    call("unshare", CLONE_NEWNS | CLONE_NEWNET | (CLONE_NEWUSER if user != 0 else 0))
    if user != 0:
        write("/proc/self/setgroups", "deny")
        write("/proc/self/uid_map", "0 %d 1" % user)
        write("/proc/self/gid_map", "0 %d 1" % group)
    call("mount", b"none", b"/", None, ctypes.c_ulong(MS_REC | MS_PRIVATE), None)
    for name, text in (("resolv.conf", "nameserver 127.0.0.1\n"), ("hosts", ""),
                       ("nsswitch.conf", "hosts: files dns\n")):
        own = os.path.join(folder, name)
        write(own, text)
        call("mount", own.encode(), os.path.realpath("/etc/" + name).encode(), None,
             ctypes.c_ulong(MS_BIND), None)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as some:
        request = fcntl.ioctl(some, SIOCGIFFLAGS, struct.pack("16sH14x", b"lo", 0))
        flags = struct.unpack("16sH14x", request)[1] | IFF_UP
        fcntl.ioctl(some, SIOCSIFFLAGS, struct.pack("16sH14x", b"lo", flags))


class NameServer:
    """Says of each name what it was told last: addresses, or how it fails."""

    def __init__(self):
        self.says = []
        self.asked = 0
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 53))
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        while True:
            query, client = self.socket.recvfrom(512)
            self.asked += 1
            if self.says != SILENCE:
                self.socket.sendto(self.answer(query), client)

    def answer(self, query):
        end = query.index(b"\0", 12) + 5
        kind = struct.unpack("!H", query[end - 4:end - 2])[0]
        family = {1: socket.AF_INET, 28: socket.AF_INET6}.get(kind)
        code, found = (self.says, []) if isinstance(self.says, int) else (0, [
            socket.inet_pton(family, one) for one in self.says
            if family == (socket.AF_INET6 if ":" in one else socket.AF_INET)])
        head = query[:2] + struct.pack("!HHHHH", 0x8180 | code, 1, len(found), 0, 0)
        records = b"".join(struct.pack("!HHHIH", 0xC00C, kind, 1, 0, len(data)) + data
                           for data in found)
        return head + query[12:end] + records


class Handler(http.server.BaseHTTPRequestHandler):
    """As Prometheus, of one GPU. HTTP/1.0: each query comes over a connection of its own."""

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        form = dict(urllib.parse.parse_qsl(body))
        query, now = form["query"], form["time"]
        value = "1"
        if "timestamp(" in query:
            value = now
        for metric, number in VALUES.items():
            if query == metric or query.startswith(metric + "{"):
                value = number
        labels = {"gpu": "0", "node": "n0", "gpu_name": "T"}
        text = json.dumps({"status": "success", "data": {"resultType": "vector", "result": [
            {"metric": labels, "value": [float(now), value]}]}}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_):
        pass


class Server6(http.server.ThreadingHTTPServer):
    address_family = socket.AF_INET6


class FakePrometheus:
    def __init__(self, address):
        kind = Server6 if ":" in address else http.server.ThreadingHTTPServer
        self.server = kind((address, PORT), Handler)
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


class Api:
    def __init__(self, **variables):
        self.folder = tempfile.TemporaryDirectory(prefix="names_test.")
        file = os.path.join(self.folder.name, "port")
        self.child = subprocess.Popen(
            [API, "--listen-addr", "127.0.0.1", "--port", "0", "--port-file", file],
            stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            preexec_fn=lambda: libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL),
            env={"PATH": "/usr/bin:/bin", "PROMETHEUS_URL": "http://%s:%d" % (NAME, PORT),
                 "PROMETHEUS_TIMEOUT": "1500ms", "REQUEST_TIMEOUT": "4s", "CACHE_TTL": "0s",
                 "GRPC_HEALTH_PORT": "0", "DRAIN_DELAY": "0s", **variables})
        await_("a port", lambda: os.path.exists(file))
        with open(file, encoding="ascii") as text:
            self.port = int(text.read())

    def get(self, target):
        """Status, JSON (or text) and seconds."""
        started = time.monotonic()
        try:
            with urllib.request.urlopen("http://127.0.0.1:%d%s" % (self.port, target),
                                        timeout=LIMIT_SECONDS) as answer:
                status, text = answer.status, answer.read()
        except urllib.error.HTTPError as error:
            status, text = error.code, error.read()
        seconds = time.monotonic() - started
        return status, json.loads(text) if text.startswith(b"{") else text, seconds

    def is_fresh(self):
        status, answer, _ = self.get(METRICS)
        return status == 200 and len(answer["data"]) == 1 and not answer["meta"]["stale"]

    def stop(self):
        self.child.terminate()
        self.child.wait(LIMIT_SECONDS)
        self.folder.cleanup()


def await_(what, condition, limit=LIMIT_SECONDS):
    end = time.monotonic() + limit
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError("%s: not within %d s" % (what, limit))
        time.sleep(0.02)


class NamesTest(unittest.TestCase):
    def setUp(self):
        self.running = []
        NAMES.says = ["127.0.0.2"]

    def tearDown(self):
        for one in self.running:
            one.stop()

    def run_(self, one):
        self.running.append(one)
        return one

    def end(self, one):
        self.running.remove(one)
        one.stop()

    def expect_failure(self, says, status, code):
        """Without a snapshot and with one."""
        NAMES.says = says
        asked = NAMES.asked
        cold = self.run_(Api())
        got, answer, seconds = cold.get(METRICS)
        self.assertEqual((got, answer["code"]), (status, code))
        self.assertIsNone(answer["data"])
        self.assertLess(seconds, 3)
        self.assertGreater(NAMES.asked, asked)
        self.expect_lively(cold)
        self.end(cold)

        NAMES.says = ["127.0.0.2"]
        prometheus = self.run_(FakePrometheus("127.0.0.2"))
        warm = self.run_(Api())
        await_("rows", warm.is_fresh)
        NAMES.says = says
        self.end(prometheus)
        got, answer, seconds = warm.get(METRICS)
        self.assertEqual((got, answer["meta"]["stale"], len(answer["data"])), (200, True, 1))
        self.assertLess(seconds, 3)
        # The address may be remembered for a moment.
        await_(code, lambda: warm.get(METRICS + "?stale=never")[1].get("code") == code, 10)
        self.expect_lively(warm)
        NAMES.says = ["127.0.0.2"]
        self.run_(FakePrometheus("127.0.0.2"))
        await_("rows again", warm.is_fresh, 15)

    def expect_lively(self, api):
        for _ in range(20):
            status, text, seconds = api.get("/livez")
            self.assertEqual((status, text), (200, b"ok"))
            self.assertLess(seconds, 1)

    def test_a_name_that_is_not_there(self):
        self.expect_failure(NXDOMAIN, 502, "upstream_unreachable")

    def test_a_name_server_that_fails(self):
        self.expect_failure(SERVFAIL, 502, "upstream_unreachable")

    def test_a_name_server_that_is_silent(self):
        self.expect_failure(SILENCE, 504, "upstream_timeout")

    def test_an_address_that_changes(self):
        first = self.run_(FakePrometheus("127.0.0.2"))
        api = self.run_(Api())
        await_("rows", api.is_fresh)
        self.run_(FakePrometheus("127.0.0.3"))
        NAMES.says = ["127.0.0.3"]
        self.end(first)
        await_("rows of the new address", api.is_fresh, 8)

    def test_an_address_of_ipv6_alone(self):
        NAMES.says = ["::1"]
        self.run_(FakePrometheus("::1"))
        await_("rows", self.run_(Api()).is_fresh)

    def test_the_first_of_many_addresses_is_dead(self):
        NAMES.says = ["127.0.0.%d" % last for last in (4, 5, 6, 7, 2, 8)]
        self.run_(FakePrometheus("127.0.0.2"))
        await_("rows", self.run_(Api()).is_fresh)


if __name__ == "__main__":
    SCRATCH = tempfile.TemporaryDirectory(prefix="names_test.")
    try:
        enter(SCRATCH.name)
    except OSError as problem:
        print("names_test: no network of its own here: %s" % problem)
        sys.exit(77)
    NAMES = NameServer()
    unittest.main(argv=sys.argv[:1] + sys.argv[2:])
