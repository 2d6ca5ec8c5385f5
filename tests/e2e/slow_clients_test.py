#!/usr/bin/python3
"""Thousands of clients that send or read as slowly as they can (slowhttptest), and beside them one
that asks as everybody does. What is asserted is that nobody else is refused, and that a slow one is
let go in its time.

Usage: slow_clients_test.py API EXPORTER PROMETHEUS [unittest's arguments]
"""
import csv
import os
import re
import resource
import shutil
import subprocess
import sys
import threading
import time
import unittest
import urllib.request

from world import World, await_, end_with_us

CLIENTS = 2000
A_SECOND = 500  # that come
SECONDS = 60
# slowhttptest's flags, the path, and in how many seconds each client is let go: a request has ten
# to arrive. Nothing is said of readers: who takes a little now and then keeps his answer.
KINDS = {
    "headers": (["-H", "-i", "5", "-x", "24"], "/livez", 10),
    "body": (["-B", "-i", "5", "-s", "8192", "-x", "10"], "/api/v1/gpu/metrics", 10),
    "read": (["-X", "-n", "2", "-w", "16", "-y", "64", "-z", "8"], "/api/v1/gpu/metrics", None),
}
SLACK_SECONDS = 4  # 2 for the server, and what the tool's own clock is late


def more_files():
    end_with_us()
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


class Asker(threading.Thread):
    """Asks ten times a second, on a new connection each time, as a probe does."""

    def __init__(self, url, limit):
        super().__init__()
        self.url, self.limit, self.asked, self.failures = url, limit, 0, []
        self.ended = threading.Event()

    def run(self):
        while not self.ended.wait(0.1):
            self.asked += 1
            begun = time.monotonic()
            try:
                with urllib.request.urlopen(self.url, timeout=self.limit) as answer:
                    answer.read()
            except OSError as error:
                self.failures.append("%s after %.3f s" % (error, time.monotonic() - begun))


class SlowClientsTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        if shutil.which("slowhttptest") is None:
            raise AssertionError("slowhttptest is missing; scripts/deps.sh test installs it")
        cls.world = World(nodes=100)
        cls.addClassCleanup(cls.world.stop)

    def descriptors(self):
        return len(os.listdir("/proc/%d/fd" % self.world.children[-1].pid))

    def attack(self, kind):
        flags, path, _ = KINDS[kind]
        prefix = os.path.join(self.world.folder, kind)
        return subprocess.Popen(
            ["slowhttptest", *flags, "-c", str(CLIENTS), "-r", str(A_SECOND), "-l", str(SECONDS),
             "-p", "5", "-u", self.world.url(path), "-g", "-o", prefix, "-v", "1"],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            preexec_fn=more_files)

    def rows(self, kind):
        with open(os.path.join(self.world.folder, kind + ".csv"), encoding="utf-8") as file:
            return [{name: int(value) for name, value in row.items() if name}
                    for row in csv.DictReader(file, skipinitialspace=True)]

    def check(self, kind):
        rows = self.rows(kind)
        self.assertGreater(len(rows), 5, kind)
        seen = max(row["Connected"] + row["Closed"] for row in rows)
        self.assertGreaterEqual(seen, CLIENTS * 9 // 10, "%s: they did come: %s" % (kind, rows[-1]))
        unserved = [row for row in rows if row["Service Available"] == 0]
        self.assertEqual(unserved, [], "%s: service available throughout" % kind)
        held = KINDS[kind][2]
        if held is not None:
            last_came = next(row["Seconds"] for row in rows
                             if row["Connected"] + row["Closed"] == seen)
            end = last_came + held + SLACK_SECONDS
            late = [row for row in rows if row["Seconds"] > end and row["Connected"] > 0]
            self.assertEqual(late, [], "%s: all are let go after %d s" % (kind, end))

    def test_nobody_else_is_refused_and_the_slow_are_let_go(self):
        before = self.descriptors()
        # A kubelet waits for one second, which is its default; a list may wait for Prometheus.
        askers = [Asker(self.world.url("/livez"), 1),
                  Asker(self.world.url("/api/v1/gpu/metrics?limit=5"), 10)]
        for asker in askers:
            asker.start()
        attacks = [self.attack(kind) for kind in KINDS]
        outputs = [attack.communicate(timeout=3 * SECONDS)[0].decode() for attack in attacks]
        for asker in askers:
            asker.ended.set()
            asker.join()
            self.assertGreater(asker.asked, 100)
            self.assertEqual(asker.failures, [], asker.url)
        for kind, output in zip(KINDS, outputs):
            self.assertRegex(re.sub(r"\x1b\[[0-9;]*m", "", output), r"service available: *YES", kind)
            self.check(kind)
        await_("descriptors as before", lambda: self.descriptors() <= before + 8)


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0]] + sys.argv[4:], verbosity=2)
