#!/usr/bin/python3
"""compose.yaml and the scrape configurations of deploy/, with the real programs and Prometheus.

deploy_test.py SERVER EXPORTER FOLDER-OF-PROMETHEUS
"""
import contextlib
import http.server
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import urllib.parse
import urllib.request

SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SERVER, EXPORTER, TOOLS = sys.argv[1:4]


def read(name):
    with open(os.path.join(SOURCE, name), encoding="utf-8") as file:
        return file.read()


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def ask(url):
    """The JSON at a URL, None while nobody answers well."""
    try:
        with urllib.request.urlopen(url, timeout=30) as answer:
            return json.load(answer)
    except OSError:
        return None


def await_value(get, seconds=120):
    """The first value of `get` that is something."""
    end = time.monotonic() + seconds
    while True:
        value = get()
        if value or time.monotonic() > end:
            return value
        time.sleep(0.2)


def section(text, name, indent):
    """The lines below `name:` that stand further in."""
    found = re.search(r"(?m)^%s%s:.*\n((?:(?:%s +.*)?\n)*)" % (indent, name, indent), text)
    return found.group(1) if found else ""


class Dcgm(http.server.BaseHTTPRequestHandler):
    """A dcgm-exporter that does not know the name of its node."""

    def do_GET(self):  # the name is the library's
        body = b'DCGM_FI_DEV_GPU_TEMP{gpu="0",UUID="GPU-1",Hostname="localhost"} 40\n'
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; version=0.0.4")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Case(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="deploy_test.")
        self.addCleanup(shutil.rmtree, self.folder)

    def start(self, *command, **environment):
        process = subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)

    def start_exporter(self):
        port = free_port()
        self.start(EXPORTER, GPU_EXPORTER_DEMO="true", GPU_EXPORTER_LISTEN_ADDR="127.0.0.1:%d" % port)
        return port

    def start_prometheus(self, config):
        """Its URL. It scrapes each second, whatever the configuration says."""
        path, port = os.path.join(self.folder, "prometheus.yaml"), free_port()
        with open(path, "w", encoding="utf-8") as file:
            file.write(re.sub(r"scrape_interval: \S+", "scrape_interval: 1s", config))
        self.start(os.path.join(TOOLS, "prometheus"), "--config.file=" + path,
                   "--storage.tsdb.path=" + os.path.join(self.folder, "data"),
                   "--web.listen-address=127.0.0.1:%d" % port)
        return "http://127.0.0.1:%d" % port

    def await_labels(self, prometheus, query):
        """The labels of each series, once there is one."""
        url = prometheus + "/api/v1/query?" + urllib.parse.urlencode({"query": query})
        found = await_value(lambda: (ask(url) or {"data": {"result": []}})["data"]["result"])
        self.assertTrue(found, query)
        return [series["metric"] for series in found]


class ComposeTest(Case):
    text = read("compose.yaml")

    def services(self):
        return re.findall(r"(?m)^  ([a-z]+):$", section(self.text, "services", ""))

    def test_its_services_are_confined(self):
        self.assertEqual(self.services(), ["exporter", "prometheus", "api"])
        shared = section(self.text, "x-confined", "")
        for line in ("read_only: true", "cap_drop: [ALL]", 'security_opt: ["no-new-privileges:true"]'):
            self.assertIn("  %s\n" % line, shared)
        for service in self.services():
            self.assertIn("    <<: *confined\n", section(self.text, service, "  "))

    def test_builds_targets_that_the_dockerfile_has(self):
        targets = re.findall(r"build: \{context: \., target: (\w+)\}", self.text)
        self.assertEqual(targets, ["exporter", "api"])
        for target in targets:
            self.assertRegex(read("Dockerfile"), r"(?m)^FROM \S+ AS %s$" % target)

    def test_mounts_files_that_are_there(self):
        mounted = re.findall(r"- (\./\S+?):", self.text)
        self.assertEqual(mounted, ["./deploy/compose/prometheus.yaml"])
        self.assertTrue(read(mounted[0]))

    def test_only_the_api_is_open_and_only_to_this_machine(self):
        self.assertEqual(re.findall(r"ports: (.*)", self.text), ['["127.0.0.1:${PORT:-8080}:8080"]'])

    def test_its_programs_find_each_other(self):
        exporter, port = self.start_exporter(), free_port()
        config = read("deploy/compose/prometheus.yaml")
        for name, own in (("exporter:9432", exporter), ("api:8080", port)):
            self.assertEqual(config.count("[%s]" % name), 1)
            config = config.replace(name, "127.0.0.1:%d" % own)
        prometheus = self.start_prometheus(config)
        self.assertIn("PROMETHEUS_URL: http://prometheus:9090\n", self.text)
        self.start(SERVER, PROMETHEUS_URL=prometheus, PORT=str(port), GRPC_HEALTH_PORT="0",
                   LISTEN_ADDR="127.0.0.1")
        nodes = await_value(lambda: (ask("http://127.0.0.1:%d/api/v1/gpu/nodes" % port) or {}).get("data"))
        self.assertEqual([node["node_name"] for node in nodes],
                         ["gpu-node-1", "gpu-node-2", "gpu-node-3", "gpu-node-4"])
        jobs = {labels["job"] for labels in self.await_labels(prometheus, "up == 1")}
        self.assertIn("gpu-exporter", jobs)
        self.assertTrue(self.await_labels(prometheus, 'up{job="gpu-monitoring-api"} == 1'))


class ScrapeTest(Case):
    def test_promtool_accepts_what_it_can_read(self):
        # Debian's is built without what asks Kubernetes.
        for name in ("prometheus.yaml", "compose/prometheus.yaml"):
            checked = subprocess.run([os.path.join(TOOLS, "promtool"), "check", "config",
                                      os.path.join(SOURCE, "deploy", name)], text=True, timeout=120,
                                     stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
            self.assertEqual(checked.returncode, 0, checked.stdout)

    def pods(self, exporter, dcgm):
        """What Prometheus finds out about pods, as a file says it."""
        def pod(node, port, target, **labels):
            found = {"__meta_kubernetes_pod_label_" + name: value for name, value in labels.items()}
            return {"targets": ["127.0.0.1:%d" % target],
                    "labels": {"__meta_kubernetes_pod_node_name": node, "__meta_kubernetes_namespace": "gpu",
                               "__meta_kubernetes_pod_name": "exporter-" + node,
                               "__meta_kubernetes_pod_container_port_number": str(port), **found}}
        path = os.path.join(self.folder, "pods.json")
        with open(path, "w", encoding="utf-8") as file:
            json.dump([pod("worker-a", 9432, exporter, app="nvidia-gpu-exporter"),
                       pod("worker-b", 9400, dcgm, app="nvidia-dcgm-exporter"),
                       pod("worker-c", 9400, dcgm, app_kubernetes_io_name="dcgm-exporter"),
                       pod("worker-d", 8080, exporter, app="nvidia-gpu-exporter"),
                       pod("worker-e", 9432, exporter, app="web")], file)
        return path

    @contextlib.contextmanager
    def dcgm(self):
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Dcgm)
        threading.Thread(target=server.serve_forever).start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            server.server_close()

    def test_every_series_says_its_node(self):
        hosts, cluster = read("deploy/prometheus.yaml"), read("deploy/prometheus-kubernetes.yaml")
        with self.dcgm() as dcgm:
            exporter = self.start_exporter()
            for written, own in (("9432", exporter), ("9400", dcgm)):
                target = "[GPU-NODE-1:%s, GPU-NODE-2:%s]" % (written, written)
                self.assertEqual(hosts.count(target), 1)
                hosts = hosts.replace(target, "[localhost:%d]" % own)
            finding = "kubernetes_sd_configs:\n      - role: pod\n"
            self.assertEqual(cluster.count(finding), 2)
            cluster = cluster.replace(finding, "file_sd_configs:\n      - files: [%s]\n"
                                      % self.pods(exporter, dcgm))
            prometheus = self.start_prometheus(hosts + cluster.split("scrape_configs:\n")[1])
            self.check(prometheus)

    def check(self, prometheus):
        for job, nodes in (("gpu-exporter", {"localhost"}), ("dcgm-exporter", {"localhost"}),
                           ("gpu-exporter-pods", {"worker-a"}),
                           ("dcgm-exporter-pods", {"worker-b", "worker-c"})):
            query = 'count by (node) (up{job="%s"} == 1) and on () (count(up{job="%s"} == 1) == %d)' \
                % (job, job, len(nodes))
            self.assertEqual({labels.get("node") for labels in self.await_labels(prometheus, query)}, nodes)
        # What an exporter knows better is kept, and nobody takes its pod for a GPU's.
        for job in ("gpu-exporter", "gpu-exporter-pods"):
            rows = self.await_labels(prometheus, 'nvidia_gpu_temperature_celsius{job="%s"}' % job)
            self.assertEqual({labels["node"] for labels in rows},
                             {"gpu-node-%d" % number for number in range(1, 5)})
            self.assertFalse([labels for labels in rows if "pod" in labels or "exported_node" in labels])
        for job, nodes in (("dcgm-exporter", {"localhost"}), ("dcgm-exporter-pods", {"worker-b", "worker-c"})):
            rows = self.await_labels(prometheus, 'DCGM_FI_DEV_GPU_TEMP{job="%s"}' % job)
            self.assertEqual({labels["node"] for labels in rows}, nodes)


if __name__ == "__main__":
    del sys.argv[1:4]
    unittest.main(verbosity=2)
