#!/usr/bin/python3
"""gpu-monitoring-api collect as a program: a fleet behind a real Prometheus, a GPUd that speaks TLS,
receivers that fail in every way, kill -9, disks without room, and Debian's Pushgateway.

Usage: collect_test.py API EXPORTER PROMETHEUS PUSHGATEWAY [unittest's arguments]
"""
import collections
import ctypes
import glob
import gzip
import json
import os
import random
import resource
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import urllib.request

API, EXPORTER, PROMETHEUS, PUSHGATEWAY = (os.path.abspath(path) for path in sys.argv[1:5])
PR_SET_PDEATHSIG = 1
LIMIT_SECONDS = 60
NODES, GPUS = 250, 2


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


def await_(what, condition, limit=LIMIT_SECONDS):
    end = time.monotonic() + limit
    while time.monotonic() < end:
        result = condition()
        if result:
            return result
        time.sleep(0.02)
    raise TimeoutError("%s: not within %d s" % (what, limit))


def fetch_if_there(url):
    try:
        with urllib.request.urlopen(url, timeout=LIMIT_SECONDS) as answer:
            return answer.read()
    except OSError:
        return None


class Fleet:
    """gpu-exporter --demo and a Prometheus that scrapes it."""

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="collect_test.")
        self.children = []
        port_file = os.path.join(self.folder, "exporter.port")
        self.start("exporter", [EXPORTER, "--demo", "--nodes", str(NODES), "--gpus-per-node",
                                str(GPUS), "--listen-addr", "127.0.0.1", "--port", "0",
                                "--port-file", port_file])

        def port():
            try:
                with open(port_file, encoding="ascii") as file:
                    return int(file.read() or 0)
            except FileNotFoundError:
                return 0

        exporter = await_("exporter", port)
        config = os.path.join(self.folder, "prometheus.yml")
        with open(config, "w", encoding="utf-8") as text:
            json.dump({"global": {"scrape_interval": "5s", "scrape_timeout": "5s"},
                       "scrape_configs": [{
                           "job_name": "gpu-exporter", "honor_labels": True,
                           "static_configs": [{"targets": ["127.0.0.1:%d" % exporter]}]}]}, text)
        listen = free_port()
        self.start("prometheus", [PROMETHEUS, "--config.file=" + config,
                                  "--storage.tsdb.path=" + os.path.join(self.folder, "tsdb"),
                                  "--web.listen-address=127.0.0.1:%d" % listen])
        self.url = "http://127.0.0.1:%d" % listen
        query = self.url + "/api/v1/query?query=nvidia_gpu_total_memory_bytes"
        await_("the first scrape", lambda: b'"value"' in (fetch_if_there(query) or b""))

    def start(self, name, command, **variables):
        with open(os.path.join(self.folder, name + ".log"), "wb") as log:
            self.children.append(subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                env={"PATH": "/usr/bin:/bin", **variables}, preexec_fn=end_with_us))
        return self.children[-1]

    def stop(self):
        for child in self.children:
            child.kill()
            child.wait()
        shutil.rmtree(self.folder)


class Receiver:
    """Takes batches, as `behave(request number, request)` says:
    a status; or "cut-before", "cut-after", "hang", "garbage"."""

    def __init__(self, behave=lambda number, request: 200):
        self.behave = behave
        self.lock = threading.Lock()
        self.requests = []
        self.socket = socket.socket()
        self.socket.bind(("127.0.0.1", 0))
        self.socket.listen(64)
        self.port = self.socket.getsockname()[1]
        self.url = "http://127.0.0.1:%d/ingest" % self.port
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection):
        with connection, connection.makefile("rb") as stream:
            try:
                while self.answer(connection, stream):
                    pass
            except OSError:
                pass

    def answer(self, connection, stream):
        line = stream.readline()
        if not line:
            return False
        headers = {}
        while True:
            header = stream.readline().decode().strip()
            if not header:
                break
            name, value = header.split(":", 1)
            headers[name.lower()] = value.strip()
        request = {"line": line.decode().strip(), "headers": headers, "body": None, "did": None,
                   "key": headers.get("idempotency-key")}
        with self.lock:
            number = len(self.requests)
            self.requests.append(request)
        did = self.behave(number, request)
        if did == "cut-before":
            request["did"] = did
            return False
        body = stream.read(int(headers.get("content-length", 0)))
        request["body"] = body
        if callable(did):
            did = did(body)
        # Before the answer is out: what it says counts from then on.
        request["did"] = did
        if did == "cut-after":
            return False
        if did == "hang":
            connection.settimeout(LIMIT_SECONDS)
            stream.read(1)
            return False
        if did == "garbage":
            connection.sendall(b"\x00\xff what is this\r\n\r\n")
            return False
        retry = b"Retry-After: 0\r\n" if did in (429, 503) else b""
        connection.sendall(b"HTTP/1.1 %d X\r\n%sContent-Length: 0\r\n\r\n" % (did, retry))
        return True

    def seen(self):
        with self.lock:
            return list(self.requests)

    def close(self):
        self.socket.close()


def elements(body):
    return json.loads(body)["metrics"]


def stored(folder):
    """The snapshots in the files of a store."""
    snapshots = []
    for path in sorted(glob.glob(os.path.join(folder, "health-metrics-*"))):
        opener = gzip.open if path.endswith(".gz") else open
        with opener(path, "rt", encoding="utf-8") as lines:
            for line in lines:
                try:
                    snapshots.append(json.loads(line))
                except ValueError:
                    pass
    return snapshots


class CollectTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.fleet = Fleet()
        cls.addClassCleanup(cls.fleet.stop)

    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="collect_test.")
        self.addCleanup(shutil.rmtree, self.folder, True)
        self.metrics = os.path.join(self.folder, "metrics")
        self.log = os.path.join(self.folder, "log")

    def env(self, **variables):
        return {"PATH": "/usr/bin:/bin", "HOME": self.folder, "METRICS_DIR": self.metrics,
                "PROMETHEUS_URL": self.fleet.url, "FLOW_GPUD_PORT": str(free_port()),
                "FLOW_METRICS_BACKOFF": "10ms", **variables}

    def start(self, *arguments, prepare=lambda: None, **variables):
        def in_child():
            end_with_us()
            prepare()

        with open(self.log, "ab") as log:
            child = subprocess.Popen([API, "collect", *arguments], stdin=subprocess.DEVNULL,
                                     stdout=log, stderr=log, env=self.env(**variables),
                                     preexec_fn=in_child)
        self.addCleanup(child.wait)
        self.addCleanup(child.kill)
        return child

    def once(self, *arguments, **variables):
        child = self.start("--once", *arguments, **variables)
        return child.wait(LIMIT_SECONDS)

    def logged(self):
        with open(self.log, encoding="utf-8") as log:
            return log.read()

    def receiver(self, *arguments):
        receiver = Receiver(*arguments)
        self.addCleanup(receiver.close)
        return receiver

    def test_one_round_is_a_line_for_every_task_and_every_gpu_is_in_one(self):
        self.assertEqual(self.once(), 0, self.logged())
        snapshots = stored(self.metrics)
        self.assertEqual(len({s["id"] for s in snapshots}), len(snapshots))
        self.assertEqual(len({s["task_id"] for s in snapshots}), len(snapshots))
        # The demo loses a GPU now and then; Prometheus says how many there are.
        answer = json.loads(fetch_if_there(self.fleet.url + "/api/v1/query?query=" +
                                           "count(nvidia_gpu_total_memory_bytes)"))
        there = int(answer["data"]["result"][0]["value"][1])
        self.assertGreater(there, NODES)
        self.assertEqual(len({gpu["uuid"] for s in snapshots for gpu in s["gpu_metrics"]}), there)
        self.assertTrue(all(s["gpud_healthy"] is False for s in snapshots))
        self.assertIn("does not answer", snapshots[0]["machine_info"]["note"])
        self.assertNotIn("GPUd", self.logged(), "an absent GPUd is no trouble")

    def test_ten_thousand_snapshots_arrive_once_through_crashes_and_restarts(self):
        chance = random.Random(7)
        deeds = [500, 502, 503, 429, "cut-before", "cut-after", "hang", "garbage"]

        def behave(_, request):
            if chance.random() < 0.15:
                return chance.choice(deeds)
            # A few batches are too large, each time they come.
            if "." not in request["key"] and int(request["key"][:4], 16) % 9 == 0:
                return 413
            return 202

        receiver = self.receiver(behave)
        options = {"FLOW_METRICS_ENDPOINT": receiver.url, "FLOW_METRICS_INTERVAL": "1",
                   "FLOW_METRICS_TIMEOUT": "500ms"}
        kills = 0
        while len(stored(self.metrics)) < 10_000:
            before = len(receiver.seen())
            child = self.start(**options)
            more = chance.randrange(5, 40)
            await_("requests", lambda: len(receiver.seen()) >= before + more or
                   child.poll() is not None)
            self.assertIsNone(child.poll(), self.logged())
            child.kill()
            child.wait()
            kills += 1
        # What is stored by now is what must have come.
        wanted = {s["id"] for s in stored(self.metrics)}
        self.assertGreaterEqual(len(wanted), 10_000)
        # More of the same, but no more rounds than needed.
        child = self.start(**{**options, "FLOW_METRICS_INTERVAL": "3600"})

        def arrived():
            return {e["id"] for r in receiver.seen() if r["did"] == 202 and r["body"]
                    for e in elements(r["body"])}

        await_("all snapshots", lambda: not glob.glob(self.metrics + "/spool/batch-*"), 120)
        self.assertEqual(wanted - arrived(), set())
        child.terminate()
        self.assertEqual(child.wait(LIMIT_SECONDS), 0)
        self.check_repeats(receiver.seen(), kills)

    def check_repeats(self, requests, kills):
        by_key = collections.defaultdict(list)
        for request in requests:
            by_key[request["key"]].append(request)
        after_success = 0
        for key, tries in by_key.items():
            bodies = {r["body"] for r in tries if r["body"] is not None}
            self.assertLessEqual(len(bodies), 1, key + " has come with another content")
            after_success += sum(r["did"] == 202 for r in tries[:-1])
        # An answer was lost where the collector was killed before it could note it, and only there.
        self.assertLessEqual(after_success, kills)
        batch_of = collections.defaultdict(set)
        for key, tries in by_key.items():
            if tries[-1]["did"] != 202:
                continue
            for element in elements(tries[-1]["body"]):
                batch_of[element["id"]].add(key)
        self.assertTrue(all(len(keys) == 1 for keys in batch_of.values()),
                        "a snapshot has come in two batches")

    def test_what_is_refused_is_put_aside_and_the_rest_goes_on(self):
        receiver = self.receiver(lambda number, _: 400 if number == 0 else 200)
        self.assertEqual(self.once(FLOW_METRICS_ENDPOINT=receiver.url), 0, self.logged())
        self.assertEqual(len(glob.glob(self.metrics + "/spool/dead/*")), 1)
        self.assertEqual(glob.glob(self.metrics + "/spool/batch-*"), [])
        self.assertIn("put aside", self.logged())
        # Moved back it is sent as it was.
        dead = glob.glob(self.metrics + "/spool/dead/*")[0]
        os.rename(dead, os.path.join(self.metrics, "spool", os.path.basename(dead)))
        self.assertEqual(self.once(FLOW_METRICS_ENDPOINT=receiver.url), 0, self.logged())
        requests = receiver.seen()
        self.assertEqual(requests[0]["body"],
                         [r for r in requests[1:] if r["key"] == requests[0]["key"]][0]["body"])

    def test_the_request_is_the_requirements(self):
        receiver = self.receiver()
        self.assertEqual(self.once(FLOW_METRICS_ENDPOINT=receiver.url,
                                   FLOW_METRICS_AUTH_TOKEN="hunter2"), 0, self.logged())
        request = receiver.seen()[0]
        self.assertEqual(request["line"], "POST /ingest HTTP/1.1")
        self.assertEqual(request["headers"]["authorization"], "Bearer hunter2")
        body = json.loads(request["body"])
        self.assertEqual((body["source"], body["version"]), ("flow-compute", "1.0"))
        self.assertLessEqual(len(body["metrics"]), 100)
        self.assertEqual(set(body["metrics"][0]), {"id", "timestamp", "task_id", "task_name",
                                                   "instance_type", "gpud_metrics",
                                                   "system_metrics"})
        self.assertNotIn("hunter2", self.logged())
        by_id = {s["id"]: s for s in stored(self.metrics)}
        sent = [e for r in receiver.seen() for e in elements(r["body"])]
        self.assertEqual({e["id"] for e in sent}, set(by_id))
        for element in sent:
            self.assertEqual(element["gpud_metrics"]["gpu_metrics"],
                             by_id[element["id"]]["gpu_metrics"])

    def test_a_token_over_plain_http_stops_the_start(self):
        self.assertEqual(self.once(FLOW_METRICS_ENDPOINT="http://10.0.0.1/x",
                                   FLOW_METRICS_AUTH_TOKEN="hunter2"), 2)
        self.assertIn("plain http", self.logged())
        self.assertNotIn("hunter2", self.logged())

    def test_monitoring_that_is_off_says_so(self):
        self.assertEqual(self.once(FLOW_HEALTH_MONITORING="false"), 0)
        self.assertIn("health monitoring is off", self.logged())
        self.assertFalse(os.path.exists(self.metrics))

    def test_flows_own_file_is_read(self):
        os.mkdir(os.path.join(self.folder, ".flow"))
        with open(os.path.join(self.folder, ".flow/config.yaml"), "w", encoding="utf-8") as file:
            file.write("api_key: x\nhealth:\n  enabled: false\n")
        self.assertEqual(self.once(), 0)
        self.assertIn("config.yaml:3:12 (key enabled)", self.logged())

    def test_a_second_collector_is_refused(self):
        first = self.start()
        await_("the first", lambda: stored(self.metrics))
        self.assertEqual(self.once(), 1)
        self.assertIn("another collector", self.logged())
        first.terminate()
        self.assertEqual(first.wait(LIMIT_SECONDS), 0)

    def test_a_full_disk_is_said_once_and_what_is_sent_is_sent(self):
        receiver = self.receiver()

        def full():
            resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, resource.RLIM_INFINITY))

        # The log is such a file too.
        child = subprocess.Popen([API, "collect"], stdin=subprocess.DEVNULL,
                                 stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                                 env=self.env(FLOW_METRICS_ENDPOINT=receiver.url,
                                              FLOW_METRICS_INTERVAL="1"),
                                 preexec_fn=lambda: (end_with_us(), full()))
        self.addCleanup(child.kill)
        tasks = await_("two rounds", lambda: self.rounds_of(receiver, 2))
        self.assertGreater(len(tasks), NODES / 2)
        # There is room again: it goes on by itself.
        resource.prlimit(child.pid, resource.RLIMIT_FSIZE,
                         (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        await_("stored snapshots", lambda: stored(self.metrics))
        child.terminate()
        _, errors = child.communicate(timeout=LIMIT_SECONDS)
        self.assertEqual(child.returncode, 0)
        text = errors.decode()
        self.assertEqual(text.count("snapshots are not stored"), 1, text)
        self.assertEqual(text.count("snapshots are stored again"), 1, text)
        self.assertIn("File too large", text)

    @staticmethod
    def rounds_of(receiver, count):
        """Tasks, once each of some came so often."""
        seen = collections.Counter(e["task_id"] for r in receiver.seen() if r["did"] == 200
                                   for e in elements(r["body"]))
        often = {task for task, times in seen.items() if times >= count}
        return often if len(often) > NODES / 2 else None

    def test_a_folder_that_cannot_be_written_is_said_and_what_is_sent_is_sent(self):
        receiver = self.receiver()
        # In the way of the folder: root may write to any that is merely read-only.
        with open(self.metrics, "w", encoding="utf-8"):
            pass
        self.assertEqual(self.once(FLOW_METRICS_ENDPOINT=receiver.url), 1)
        self.assertIn("snapshots are not stored", self.logged())
        self.assertGreater(sum(len(elements(r["body"])) for r in receiver.seen()), NODES / 2)

    def test_prometheus_away_is_no_end(self):
        child = self.start(PROMETHEUS_URL="http://127.0.0.1:1", FLOW_METRICS_INTERVAL="1")
        await_("the log", lambda: "Prometheus gives no snapshot" in self.logged())
        child.terminate()
        self.assertEqual(child.wait(LIMIT_SECONDS), 0)
        self.assertEqual(self.logged().count("Prometheus gives no snapshot"), 1)

    def test_a_gpud_with_a_certificate_of_its_own_is_one_task(self):
        gpud = GpudStub(self.folder)
        self.addCleanup(gpud.close)
        self.assertEqual(self.once(FLOW_GPUD_PORT=str(gpud.port)), 0, self.logged())
        mine = [s for s in stored(self.metrics) if s["gpud_healthy"]]
        self.assertEqual([s["task_id"] for s in mine], ["gpud/n1"])
        snapshot = mine[0]
        self.assertEqual(snapshot["gpud_version"], "v0.5.1")
        self.assertEqual(snapshot["instance_type"], "1x NVIDIA H100")
        self.assertEqual(snapshot["gpu_metrics"][0]["temperature_c"], 61)
        self.assertEqual(snapshot["gpu_metrics"][0]["power_draw_w"], 350)
        self.assertEqual(snapshot["system_metrics"]["cpu_usage_pct"], 12.5)
        self.assertIn(("accelerator-nvidia-error-xid", "unhealthy"),
                      [(s["component"], s["health"]) for s in snapshot["health_states"]])
        self.assertIn("error", [e["level"] for e in snapshot["events"]])
        self.assertTrue(any("startTime=" in target for target in gpud.targets))

    def test_the_server_gives_what_is_stored(self):
        for _ in range(2):
            self.assertEqual(self.once(), 0, self.logged())
        port_file = os.path.join(self.folder, "port")
        server = subprocess.Popen([API, "--port", "0", "--port-file", port_file, "--listen-addr",
                                   "127.0.0.1", "--grpc-health-port", "0"],
                                  env=self.env(DRAIN_DELAY="0s"), stdin=subprocess.DEVNULL,
                                  stderr=subprocess.DEVNULL, preexec_fn=end_with_us)
        self.addCleanup(server.wait)
        self.addCleanup(server.kill)
        await_("the server", lambda: os.path.exists(port_file))
        with open(port_file, encoding="ascii") as file:
            base = "http://127.0.0.1:%s/api/v1/gpu/health/history" % file.read().strip()
        snapshots = stored(self.metrics)
        everything = json.loads(fetch_if_there(base + "?limit=1000"))["data"]
        self.assertEqual(everything["snapshot_count"], len(snapshots))
        self.assertEqual([s["id"] for s in everything["snapshots"]],
                         [s["id"] for s in sorted(snapshots, key=lambda s: s["timestamp"])][-1000:])
        task = snapshots[0]["task_id"]
        its = json.loads(fetch_if_there(base + "?task=" + urllib.request.quote(task, "")))["data"]
        self.assertEqual(its["snapshot_count"], 2)
        self.assertEqual(its["health_score"]["current"],
                         [s for s in snapshots if s["task_id"] == task][-1]["health_score"])

    def test_debians_pushgateway_takes_every_task(self):
        self.assertTrue(os.path.exists(PUSHGATEWAY),
                        "%s is missing; unpack it with: scripts/deps.sh test" % PUSHGATEWAY)
        port = free_port()
        self.fleet.start("pushgateway", [PUSHGATEWAY, "--web.listen-address=127.0.0.1:%d" % port])
        url = "http://127.0.0.1:%d" % port
        await_("the gateway", lambda: fetch_if_there(url + "/-/ready") is not None)
        self.assertEqual(self.once(FLOW_METRICS_ENDPOINT=url + "/",
                                   FLOW_METRICS_FORMAT="pushgateway"), 0, self.logged())
        self.assertEqual(glob.glob(self.metrics + "/spool/**/batch-*", recursive=True), [])
        text = fetch_if_there(url + "/metrics").decode()
        snapshots = stored(self.metrics)
        for snapshot in snapshots:
            self.assertIn('task_id="%s"' % snapshot["task_id"], text)
        scores = [line for line in text.splitlines() if line.startswith("flow_health_score{")]
        self.assertEqual(len(scores), len([s for s in snapshots
                                           if s["health_score"] is not None]))


class GpudStub:
    """GPUd's API over TLS, with a certificate without a name that nobody signed."""

    ANSWERS = {
        "/v1/states": [{"component": "accelerator-nvidia-error-xid", "states": [
            {"time": None, "name": "error_xid", "health": "Unhealthy", "reason": "XID 79",
             "suggested_actions": {"description": "", "repair_actions": ["REBOOT_SYSTEM"]}}]}],
        "/v1/metrics": [{"component": "x", "metrics": [
            {"unix_seconds": 1772356500123, "labels": {"uuid": "GPU-1"}, "value": 61,
             "name": "accelerator_nvidia_temperature_current_celsius"},
            {"unix_seconds": 1772356500123, "labels": {"uuid": "GPU-1"}, "value": 350000,
             "name": "accelerator_nvidia_power_current_usage_milli_watts"},
            {"unix_seconds": 1772356500123, "name": "cpu_used_percent", "value": 12.5}]}],
        "/machine-info": {"gpudVersion": "v0.5.1", "hostname": "n1", "gpuInfo": {
            "product": "NVIDIA H100",
            "gpus": [{"uuid": "GPU-1", "busID": "0000:3b:00.0", "minorID": "0"}]}},
    }

    def __init__(self, folder):
        key, certificate = os.path.join(folder, "key.pem"), os.path.join(folder, "cert.pem")
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                        "ec_paramgen_curve:prime256v1", "-nodes", "-subj", "/O=Lepton AI",
                        "-days", "1", "-keyout", key, "-out", certificate], check=True,
                       stderr=subprocess.DEVNULL)
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(certificate, key)
        self.targets = []
        self.socket = socket.socket()
        self.socket.bind(("127.0.0.1", 0))
        self.socket.listen(16)
        self.port = self.socket.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                plain, _ = self.socket.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(plain,), daemon=True).start()

    def serve(self, plain):
        try:
            with self.context.wrap_socket(plain, server_side=True) as connection:
                with connection.makefile("rb") as stream:
                    while self.answer(connection, stream):
                        pass
        except OSError:
            pass

    def answer(self, connection, stream):
        line = stream.readline().decode()
        if not line:
            return False
        while stream.readline().strip():
            pass
        target = line.split()[1]
        self.targets.append(target)
        if target.startswith("/v1/events?startTime="):
            now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - 5))
            data = [{"component": "accelerator-nvidia-error-xid", "startTime": now, "events": [
                {"time": now, "name": "error_xid", "type": "Fatal",
                 "message": "XID 79(GPU has fallen off the bus) detected on PCI:0000:3b:00"}]},
                    {"component": "cpu", "events": None}]
        else:
            data = self.ANSWERS.get(target)
        body = json.dumps(data).encode()
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
                           b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
        return True

    def close(self):
        self.socket.close()


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *sys.argv[5:]], verbosity=2)
