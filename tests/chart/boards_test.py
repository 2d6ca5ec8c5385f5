#!/usr/bin/python3
"""Every query of the boards and every rule, asked of a real Prometheus that scrapes the demo fleet,
pages of dcgm-exporter and the server: boards must get rows, rules must be taken, and every metric
that either names must be there.

Usage: boards_test.py API EXPORTER PROMETHEUS [unittest's arguments]
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
import threading
import time
import unittest
import urllib.error
import urllib.parse
import urllib.request

import yaml

import chart

API, EXPORTER, PROMETHEUS = (os.path.abspath(path) for path in sys.argv[1:4])
PROMTOOL = os.path.join(os.path.dirname(PROMETHEUS), "promtool")
PAGES = os.path.join(chart.SOURCE, "tests", "captures")
FILES = os.path.join(chart.CHART, "files")
LIMIT_SECONDS = 120
PR_SET_PDEATHSIG = 1
NAME = re.compile(r"\b(?:nvidia_gpu_|gpu_monitoring_|DCGM_FI_|process_)[A-Za-z0-9_]+\b")


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


def get(url):
    try:
        with urllib.request.urlopen(url, timeout=30) as answer:
            return answer.read()
    except urllib.error.HTTPError as error:
        return error.read()
    except OSError:
        return b""


class Page(http.server.BaseHTTPRequestHandler):
    """Serves the pages of dcgm-exporter, of both generations of its names."""

    def do_GET(self):  # pylint: disable=invalid-name
        name = os.path.basename(self.path)
        # That release differs from those before it in this label.
        renamed = name == "dcgm_4_8_3.prom"
        with open(os.path.join(PAGES, "dcgm.prom" if renamed else name), "rb") as file:
            text = file.read()
        if renamed:
            text = text.replace(b'Hostname="', b'hostname="')
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; version=0.0.4")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, format, *args):  # pylint: disable=redefined-builtin
        pass


class World:
    """The fleet, the pages, the server, and the Prometheus that scrapes all of them."""

    def __init__(self):
        self.children = []
        listen = free_port()
        self.url = "http://127.0.0.1:%d" % listen
        self.listen = listen
        self.page = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Page)
        threading.Thread(target=self.page.serve_forever, daemon=True).start()

    def begin(self):
        exporter = self.start("exporter", [EXPORTER, "--demo", "--nodes", "2"])
        api = self.start("api", [API, "--grpc-health-port", "0"], PROMETHEUS_URL=self.url)
        self.api = "http://127.0.0.1:%d" % api
        pages = self.page.server_port
        jobs = (("gpu-exporter", exporter, "/metrics"), ("dcgm", pages, "/dcgm.prom"),
                ("dcgm_4_8_3", pages, "/dcgm_4_8_3.prom"),
                ("dcgm_4_9", pages, "/dcgm_4_9.prom"), ("gpu-monitoring-api", api, "/metrics"))
        config = os.path.join(chart.HOME, "prometheus.yml")
        with open(config, "w", encoding="utf-8") as file:
            json.dump({"global": {"scrape_interval": "1s"}, "scrape_configs": [
                {"job_name": job, "honor_labels": True, "metrics_path": path,
                 "static_configs": [{"targets": ["127.0.0.1:%d" % port]}]}
                for job, port, path in jobs]}, file)
        self.launch("prometheus", [PROMETHEUS, "--config.file=" + config,
                                   "--storage.tsdb.path=" + os.path.join(chart.HOME, "tsdb"),
                                   "--web.listen-address=127.0.0.1:%d" % self.listen])
        await_("a scrape of each", lambda: len(self.ask("up == 1")[1]) == len(jobs))

    def launch(self, name, command, **environment):
        with open(os.path.join(chart.HOME, name + ".log"), "wb") as log:
            child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                     env={"PATH": "/usr/bin:/bin", "HOME": chart.HOME, **environment},
                                     preexec_fn=end_with_us)
        self.children.append(child)
        return child

    def start(self, name, command, **environment):
        """Starts a program on a port that it finds itself, and gives that."""
        path = os.path.join(chart.HOME, name + ".port")
        child = self.launch(name, command + ["--listen-addr", "127.0.0.1", "--port", "0",
                                             "--port-file", path], **environment)

        def port():
            if child.poll() is not None:
                with open(os.path.join(chart.HOME, name + ".log"), encoding="utf-8") as log:
                    raise AssertionError("%s ended: %s" % (name, log.read()))
            if not os.path.exists(path):
                return 0
            with open(path, encoding="ascii") as file:
                return int(file.read() or 0)
        return await_(name, port)

    def ask(self, expr):
        """(error or None, rows)."""
        text = get(self.url + "/api/v1/query?" + urllib.parse.urlencode({"query": expr}))
        if not text.startswith(b"{"):
            return "no answer", []  # it starts
        answer = json.loads(text)
        if answer["status"] != "success":
            return answer["error"], []
        result = answer["data"]["result"]
        return None, result if answer["data"]["resultType"] == "vector" else [result]

    def names(self):
        return set(json.loads(get(self.url + "/api/v1/label/__name__/values"))["data"])

    def visit(self):
        """What viewers do, so that the server has something to tell of itself."""
        for path in ("/api/v1/gpu/metrics", "/api/v1/gpu/processes", "/readyz", "/nowhere"):
            get(self.api + path)

    def stop(self):
        for child in self.children:
            child.kill()
            child.wait()
        self.page.shutdown()
        self.page.server_close()


def boards():
    for path in sorted(glob.glob(os.path.join(FILES, "dashboards", "*.json"))):
        with open(path, encoding="utf-8") as file:
            yield os.path.basename(path), json.load(file)


def rules():
    for path in sorted(glob.glob(os.path.join(FILES, "rules", "*.yaml"))):
        with open(path, encoding="utf-8") as file:
            groups = yaml.safe_load(file)["groups"]
        for rule in (rule for group in groups for rule in group["rules"]):
            name = rule.get("alert", rule.get("record"))
            yield "%s: %s" % (os.path.basename(path), name), rule


def known_to_schemas():
    """Metrics that exporters have, though neither page here does."""
    names = set()
    for path in glob.glob(os.path.join(chart.SOURCE, "internal", "schema", "data", "*.json")):
        with open(path, encoding="utf-8") as file:
            names |= set(NAME.findall(file.read()))
    return names


def known_to_server():
    """The server's own metrics, those too that are only there once something went wrong."""
    names = set()
    for path in glob.glob(os.path.join(chart.SOURCE, "internal", "telemetry", "*.cc")):
        with open(path, encoding="utf-8") as file:
            quoted = re.findall(r'"(?:gpu_monitoring_)?([a-z_]+)"', file.read())
        names |= {"gpu_monitoring_" + name for name in quoted}
    return names


def asked(expr):
    """A board's query with what Grafana would put into it."""
    for name, value in (("$__rate_interval", "1m"), ("$node", ".*")):
        expr = expr.replace(name, value)
    return expr


class BoardsTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.world = World()
        cls.addClassCleanup(cls.world.stop)
        cls.world.begin()

    def test_every_query_of_every_board_returns_rows(self):
        queries = [(name, panel["title"], target["expr"]) for name, board in boards()
                   for panel in board["panels"] for target in panel["targets"]]
        self.assertGreater(len(queries), 50)
        left = {}

        def unanswered():
            self.world.visit()
            left.clear()
            for query in queries:
                error, found = self.world.ask(asked(query[2]))
                self.assertIsNone(error, "%s, %s: %s" % query)
                if not found:
                    left[query] = found
            return not left
        try:
            await_("rows for every query", unanswered)
        except TimeoutError:
            self.fail("these return nothing: %s" % "\n".join(" ".join(query) for query in left))

    def test_every_metric_of_the_boards_is_scraped(self):
        self.world.visit()
        for name, board in boards():
            named = {metric for panel in board["panels"] for target in panel["targets"]
                     for metric in NAME.findall(target["expr"])}
            named |= {metric for one in board["templating"]["list"]
                      for metric in NAME.findall(one["query"])}
            self.assertTrue(named, name)
            await_("the metrics of " + name, lambda named=named: named <= self.world.names())

    def test_the_nodes_to_choose_from_are_there(self):
        for name, board in boards():
            for variable in board["templating"]["list"]:
                found = re.fullmatch(r"label_values\((\w+), (\w+)\)", variable["query"])
                if not found:
                    self.assertEqual(variable["type"], "datasource", name)
                    continue
                _, series = self.world.ask(found.group(1))
                # Two generations share these names, and not that label.
                self.assertTrue(any(found.group(2) in one["metric"] for one in series), name)
                labels = {match for panel in board["panels"] for target in panel["targets"]
                          for match in re.findall(r'(\w+)=~"\$node"', target["expr"])}
                self.assertEqual(labels, {found.group(2)}, name)

    def test_every_rule_is_taken_and_names_metrics_that_there_are(self):
        recorded = {rule["record"] for _, rule in rules() if "record" in rule}
        known = self.world.names() | known_to_schemas() | known_to_server() | recorded
        count = 0
        for name, rule in rules():
            error, _ = self.world.ask(str(rule["expr"]))
            self.assertIsNone(error, name)
            unknown = {metric for metric in NAME.findall(str(rule["expr"]))
                       if re.sub(r"_(bucket|count|sum)$", "", metric) not in known
                       and metric not in known}
            self.assertEqual(unknown, set(), name)
            count += 1
        self.assertGreaterEqual(count, 2)

    def test_every_alert_says_what_to_do(self):
        for name, rule in rules():
            if "alert" in rule:
                self.assertIn("severity", rule["labels"], name)
                self.assertTrue(any("runbook" in key for key in rule["annotations"]), name)

    def test_promtool_takes_what_is_rendered(self):
        path = os.path.join(chart.HOME, "rules.yaml")
        names = [name[:-len(".yaml")] for name in os.listdir(os.path.join(FILES, "rules"))]
        rule = chart.one_of(chart.render("--set", "prometheusRule.schemas={%s}" % ",".join(names)),
                            "PrometheusRule", "gpu-monitoring")
        with open(path, "w", encoding="utf-8") as file:
            yaml.safe_dump(rule["spec"], file)
        run = subprocess.run([PROMTOOL, "check", "rules", path], text=True, timeout=60, check=False,
                             stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.assertEqual(run.returncode, 0, run.stdout)


class LayoutTest(unittest.TestCase):
    def test_panels_have_names_units_and_places_of_their_own(self):
        for name, board in boards():
            taken, numbers = set(), set()
            for panel in board["panels"]:
                at = panel["gridPos"]
                cells = {(x, y) for x in range(at["x"], at["x"] + at["w"])
                         for y in range(at["y"], at["y"] + at["h"])}
                self.assertFalse(cells & taken, "%s: %s" % (name, panel["title"]))
                self.assertLessEqual(at["x"] + at["w"], 24)
                taken |= cells
                self.assertNotIn(panel["id"], numbers)
                numbers.add(panel["id"])
                self.assertTrue(panel["title"] and panel["description"])
                self.assertTrue(panel["fieldConfig"]["defaults"]["unit"])


if __name__ == "__main__":
    chart.need(chart.HELM, PROMETHEUS, PROMTOOL)
    unittest.main(argv=sys.argv[:1] + sys.argv[4:], verbosity=2)
