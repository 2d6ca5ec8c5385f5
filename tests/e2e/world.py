"""The real programs around a test: gpu-exporter --demo, a Prometheus that scrapes it, the server.

Whoever imports it is started as: TEST.py API EXPORTER PROMETHEUS [unittest's arguments]
"""
import ctypes
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request

API, EXPORTER, PROMETHEUS = (os.path.abspath(path) for path in sys.argv[1:4])
PR_SET_PDEATHSIG = 1
LIMIT_SECONDS = 30


def end_with_us():
    """In a child: the kernel ends it when this test is gone, however that came."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def free_port():
    """Outside the range that others get for port 0 while we start what takes it."""
    while True:
        port = random.randrange(20000, 30000)
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) != 0:
                return port


def await_(what, condition):
    end = time.monotonic() + LIMIT_SECONDS
    while time.monotonic() < end:
        result = condition()
        if result:
            return result
        time.sleep(0.05)
    raise TimeoutError("%s: not within %d s" % (what, LIMIT_SECONDS))


def fetch(url):
    with urllib.request.urlopen(url, timeout=LIMIT_SECONDS) as answer:
        return answer.read()


def fetch_if_there(url):
    try:
        return fetch(url)
    except OSError:
        return None


class World:
    """All three. `variables` are options of the server."""

    def __init__(self, nodes=2, **variables):
        self.folder = tempfile.mkdtemp(prefix="%s." % os.path.basename(sys.argv[0]))
        self.children = []
        exporter = self.listening("exporter", [EXPORTER, "--demo", "--nodes", str(nodes),
                                               "--gpus-per-node", "4", "--listen-addr",
                                               "127.0.0.1"])
        prometheus = self.start_prometheus(exporter)
        self.grpc_port = free_port()
        self.port = self.listening(
            "api", [API, "--listen-addr", "127.0.0.1"],
            PROMETHEUS_URL="http://127.0.0.1:%d" % prometheus, LOG_LEVEL="error",
            GRPC_HEALTH_PORT=str(self.grpc_port), DRAIN_DELAY="0s", **variables)
        await_("rows", lambda: b'"node_name"' in (
            fetch_if_there(self.url("/api/v1/gpu/metrics")) or b""))

    def url(self, target):
        return "http://127.0.0.1:%d%s" % (self.port, target)

    def start(self, name, command, **variables):
        with open(os.path.join(self.folder, name + ".log"), "wb") as log:
            self.children.append(subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                env={"PATH": "/usr/bin:/bin", **variables}, preexec_fn=end_with_us))

    def listening(self, name, command, **variables):
        """Starts one of ours on a port of the kernel's choice, and returns that."""
        file = os.path.join(self.folder, name + ".port")
        self.start(name, [*command, "--port", "0", "--port-file", file], **variables)

        def port():
            try:
                with open(file, encoding="ascii") as written:
                    return int(written.read() or 0)
            except FileNotFoundError:
                return 0

        return await_(name, port)

    def start_prometheus(self, exporter):
        config = os.path.join(self.folder, "prometheus.yml")
        with open(config, "w", encoding="utf-8") as text:
            json.dump({"global": {"scrape_interval": "1s", "scrape_timeout": "1s"},
                       "scrape_configs": [{
                           "job_name": "gpu-exporter", "honor_labels": True,
                           "static_configs": [{"targets": ["127.0.0.1:%d" % exporter]}]}]},
                      text)
        port = free_port()
        self.start("prometheus", [PROMETHEUS, "--config.file=" + config,
                                  "--storage.tsdb.path=" + os.path.join(self.folder, "tsdb"),
                                  "--web.listen-address=127.0.0.1:%d" % port])
        query = "http://127.0.0.1:%d/api/v1/query?query=nvidia_gpu_total_memory_bytes" % port
        await_("Prometheus's first scrape", lambda: b'"value"' in (fetch_if_there(query) or b""))
        return port

    def stop(self):
        for child in reversed(self.children):
            child.terminate()
        for child in self.children:
            try:
                child.wait(10)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
        shutil.rmtree(self.folder)
