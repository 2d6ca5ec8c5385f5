#!/usr/bin/python3
"""The chart's rules in a real Prometheus that scrapes the demo fleet, the server and what each
exporter shows: every expression is evaluated, and what there is data for gives data.

Usage: prometheus_test.py EXPORTER API PROMETHEUS RULES_FOLDER CAPTURES_FOLDER [unittest's arguments]
"""
import ctypes
import glob
import http.server
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
import unittest
import urllib.error
import urllib.parse
import urllib.request

EXPORTER, API, PROMETHEUS, RULES, CAPTURES = (os.path.abspath(path) for path in sys.argv[1:6])
PR_SET_PDEATHSIG = 1
LIMIT_SECONDS = 120

# What the demo fleet shows that alerts must call out, as its own series say it; the seconds that
# alerts wait are not waited for. Those of ALWAYS are there at any time.
APPLICATION = {13, 31, 43}
FAULTS = {
    "GpuHot": ("nvidia_gpu_temperature_celsius", lambda value, _: value > 85),
    "GpuThrottledThermal": ("nvidia_gpu_throttle_reasons", lambda value, _: int(value) & 0x60),
    "GpuThrottledPower": ("nvidia_gpu_throttle_reasons", lambda value, _: int(value) & 0x80),
    "GpuXidApplication": ("nvidia_gpu_xid_last", lambda value, _: value in APPLICATION),
    "GpuEccUncorrected": ("nvidia_gpu_ecc_uncorrected_volatile_total", lambda value, _: value > 0),
    "GpuRowRemapFailed": ("nvidia_gpu_row_remap_failure", lambda value, _: value == 1),
    "GpuIdleHeld": ("nvidia_gpu_utilization_percent",
                    lambda value, labels: value < 10 and "exported_pod" in labels),
}
ALWAYS = {"GpuHot", "GpuXidApplication", "GpuIdleHeld"}


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
        time.sleep(0.1)
    raise TimeoutError("%s: not within %d s" % (what, LIMIT_SECONDS))


def text_of(path):
    try:
        with open(path, encoding="utf-8") as file:
            return file.read()
    except FileNotFoundError:
        return ""


def recorded_in(path):
    return set(re.findall(r"^ *- record: (\S+)$", text_of(path), re.M))


class Captures(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = text_of(os.path.join(CAPTURES, os.path.basename(self.path) + ".prom")).encode()
        self.send_response(200 if body else 404)
        self.send_header("Content-Type", "text/plain; version=0.0.4")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        try:
            self.wfile.write(body)
        except OSError:
            pass    # Prometheus waits for no scrape longer than it may

    def log_message(self, *_):
        """Nobody reads it."""


def answers(api):
    """It asks Prometheus, which may have just begun."""
    try:
        with urllib.request.urlopen("http://127.0.0.1:%d/api/v1/gpu/metrics" % api) as answer:
            return bool(answer.read())
    except urllib.error.HTTPError:
        return False


class PrometheusTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.processes = []
        cls.addClassCleanup(cls.stop)
        cls.captures = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Captures)
        threading.Thread(target=cls.captures.serve_forever, daemon=True).start()
        cls.port = free_port()
        demo = cls.serve("demo", [EXPORTER, "--demo", "--surroundings", "gpu"], {})
        api = cls.serve("api", [API], {"PROMETHEUS_URL": "http://127.0.0.1:%d" % cls.port})
        config = os.path.join(cls.folder.name, "prometheus.json")
        with open(config, "w", encoding="utf-8") as file:
            json.dump(cls.config(demo, api), file)
        cls.start("prometheus", [
            PROMETHEUS, "--config.file", config, "--log.level", "error", "--storage.tsdb.path",
            os.path.join(cls.folder.name, "data"), "--web.listen-address",
            "127.0.0.1:%d" % cls.port])
        await_("Prometheus", cls.ready)
        await_("the server's first answer", lambda: answers(api))

    @classmethod
    def config(cls, demo, api):
        def job(name, port, **more):
            return dict(more, job_name=name,
                        static_configs=[{"targets": ["127.0.0.1:%d" % port]}])

        jobs = [job("demo", demo), job("api", api)]
        for path in sorted(glob.glob(os.path.join(CAPTURES, "*.prom"))):
            name = os.path.basename(path)[:-5]
            jobs.append(job(name, cls.captures.server_port, metrics_path="/" + name,
                            honor_labels="as stored" in text_of(path).split("\n")[0]))
        return {"global": {"scrape_interval": "3s", "scrape_timeout": "3s",
                           "evaluation_interval": "5s"},
                "rule_files": [os.path.join(RULES, "*.yaml")], "scrape_configs": jobs}

    @classmethod
    def start(cls, name, command, environment=None):
        log = open(os.path.join(cls.folder.name, name + ".log"), "wb")
        with log:
            cls.processes.append(subprocess.Popen(
                command, stdout=log, stderr=log, preexec_fn=end_with_us,
                env=dict(os.environ, **(environment or {}))))

    @classmethod
    def serve(cls, name, command, environment):
        port_file = os.path.join(cls.folder.name, name + ".port")
        cls.start(name, command + ["--listen-addr", "127.0.0.1", "--port", "0", "--port-file",
                                   port_file], dict(environment, GRPC_HEALTH_PORT="0"))
        started = cls.processes[-1]

        def port():
            if started.poll() is not None:
                log = text_of(os.path.join(cls.folder.name, name + ".log"))
                raise AssertionError("%s ended: %s" % (name, log))
            return text_of(port_file).strip()

        return int(await_(name, port))

    @classmethod
    def stop(cls):
        for process in cls.processes:
            process.kill()
            process.wait()
        cls.captures.shutdown()
        cls.captures.server_close()
        cls.folder.cleanup()

    @classmethod
    def ready(cls):
        try:
            return bool(cls.get("/-/ready", parse=False))
        except OSError:
            return False

    @classmethod
    def get(cls, path, parse=True, **query):
        url = "http://127.0.0.1:%d%s?%s" % (cls.port, path, urllib.parse.urlencode(query))
        with urllib.request.urlopen(url, timeout=LIMIT_SECONDS) as answer:
            body = answer.read()
        return json.loads(body)["data"] if parse else body

    def query(self, promql):
        return self.get("/api/v1/query", query=promql)["result"]

    def rules(self):
        return [(group["name"], rule) for group in self.get("/api/v1/rules")["groups"]
                for rule in group["rules"]]

    def test_every_rule_is_evaluated(self):
        def evaluated():
            rules = self.rules()
            return rules if all(rule["health"] != "unknown" for _, rule in rules) else None

        rules = await_("the rules", evaluated)
        files = glob.glob(os.path.join(RULES, "*.yaml"))
        self.assertEqual(len({group for group, _ in rules}), len(files))
        self.assertEqual([(group, rule["name"], rule.get("lastError")) for group, rule in rules
                          if rule["health"] != "ok"], [])

    def test_every_recorded_series_has_data_of_its_exporter(self):
        wanted = {(os.path.basename(path)[:-5], name)
                  for path in glob.glob(os.path.join(RULES, "*.yaml")) for name in recorded_in(path)}

        def found():
            return {(row["metric"].get("exporter", "api"), row["metric"]["__name__"])
                    for row in self.query('group by (__name__, exporter) '
                                          '({__name__=~"gpu_monitoring:.+"})')}

        try:
            await_("recorded series", lambda: wanted <= found())
        except TimeoutError:
            self.assertEqual(sorted(wanted - found()), [])

    def shown(self, metric, is_fault):
        return {(row["metric"]["node"], row["metric"]["gpu"])
                for row in self.query('%s{job="demo"}' % metric)
                if is_fault(float(row["value"][1]), row["metric"])}

    def called(self, alert):
        return {(row["metric"]["node"], row["metric"]["gpu"]) for row in self.query(
            'ALERTS{alertname="%s",exporter="nvidia_gpu",node=~"gpu-node-.*"}' % alert)}

    def test_the_demo_fleets_faults_are_called_out(self):
        for alert, (metric, is_fault) in FAULTS.items():
            with self.subTest(alert):
                # The fleet goes on meanwhile.
                seen = [None, None]

                def same():
                    seen[:] = self.shown(metric, is_fault), self.called(alert)
                    return seen[0] == seen[1] and (bool(seen[0]) or alert not in ALWAYS)

                try:
                    await_(alert, same)
                except TimeoutError:
                    self.assertEqual(seen[0], seen[1])
                    self.assertTrue(seen[0], "the demo fleet has no such fault")
        for alert in self.get("/api/v1/alerts")["alerts"]:
            for name, text in alert["annotations"].items():
                self.assertNotRegex(text, r"no value|error expanding|\{\{", (alert["labels"], name))


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *sys.argv[6:]])
