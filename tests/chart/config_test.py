#!/usr/bin/python3
"""What the chart tells the programs, told to the programs: the server takes the configuration of
every mode, gpuctl the command line of `helm test`, promtool what docs/HELM.md says to scrape.

Usage: config_test.py API GPUCTL [unittest's arguments]
"""
import os
import re
import subprocess
import sys
import unittest

import yaml

import chart

API, CTL = (os.path.abspath(path) for path in sys.argv[1:3])
PROMTOOL = os.path.join(chart.TOOLS, "usr", "bin", "promtool")
INSIDE = "/etc/gpu-monitoring"
SECRETS = {"prometheus-token": "t\n", "prometheus-basic-auth": "user:password\n",
           "prometheus-headers": "X-Scope-OrgID: team\n", "api-token": "t" * 32 + "\n",
           "hakuriver-token": "t\n"}


def lay(rendered, folder):
    """The mounted files of the API's pod, below a folder; the path of its configuration there."""
    os.makedirs(os.path.join(folder, "config"))
    os.makedirs(os.path.join(folder, "secrets"))
    data = chart.one_of(rendered, "ConfigMap", "gpu-monitoring-api")["data"]
    for name, text in data.items():
        with open(os.path.join(folder, "config", name), "w", encoding="utf-8") as file:
            file.write(text.replace(INSIDE, folder))
    spec = dict(chart.pod_specs(rendered))["Deployment/gpu-monitoring-api"]
    for volume in spec["volumes"]:
        for source in volume.get("projected", {}).get("sources", []):
            (of,) = source.values()
            name = of["items"][0]["path"]
            with open(os.path.join(folder, "secrets", name), "w", encoding="utf-8") as file:
                file.write(SECRETS[name])
    return os.path.join(folder, "config", "config.yaml")


def variables(rendered):
    """The API's environment, as the kubelet would make it."""
    result = {}
    for one in chart.api_container(rendered)["env"]:
        if "value" in one:
            result[one["name"]] = one["value"].replace("$(POD_IP)", result.get("POD_IP", ""))
        elif "fieldRef" in one["valueFrom"]:
            result[one["name"]] = "10.0.0.1"
    return result


def check(rendered, folder):
    config = lay(rendered, folder)
    arguments = ["--check-config", *chart.api_container(rendered)["args"]]
    return subprocess.run([API, *arguments], text=True, timeout=60, check=False,
                          env={**variables(rendered), "CONFIG_FILE": config},
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


class ConfigTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        # A certificate that is one, for the modes with a CA.
        run = subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
             "-nodes", "-keyout", "/dev/null", "-subj", "/CN=ca"], check=True, text=True, timeout=60,
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        SECRETS["prometheus-ca"] = run.stdout
        cls.modes = dict(zip(map(chart.mode, chart.FILES), chart.in_parallel(
            lambda path: chart.render("--values", path), chart.FILES)))

    def test_the_server_takes_the_configuration_of_every_mode(self):
        for mode, rendered in self.modes.items():
            run = check(rendered, os.path.join(chart.HOME, mode))
            self.assertEqual((run.returncode, run.stdout.strip()),
                             (0, "the configuration is good"), "%s: %s" % (mode, run.stdout))

    def test_it_would_refuse_another(self):
        rendered = chart.render("--set", "api.healthRules.temperature_critical=90")
        data = chart.one_of(rendered, "ConfigMap", "gpu-monitoring-api")["data"]
        data["config.yaml"] = data["config.yaml"].replace("critical=90", "critical=60")
        run = check(rendered, os.path.join(chart.HOME, "refused"))
        self.assertEqual(run.returncode, 2)
        self.assertIn("temperature_critical", run.stdout)

    def test_the_tenant_of_mimir_is_a_header(self):
        data = chart.one_of(self.modes["mimir"], "ConfigMap", "gpu-monitoring-api")["data"]
        self.assertEqual(data["headers"], "X-Scope-OrgID: gpu-team\n")
        self.assertIn("prometheus_headers_file: %s/config/headers\n" % INSIDE, data["config.yaml"])

    def test_gpuctl_takes_the_command_line_of_helm_test(self):
        for mode in ("default", "everything"):
            pod = chart.one_of(self.modes[mode], "Pod", "gpu-monitoring-test")
            pod = pod["spec"]["containers"][0]
            folder = os.path.join(chart.HOME, "ctl-" + mode)
            lay(self.modes[mode], folder)
            server = pod["command"][pod["command"].index("--server") + 1]
            self.assertEqual(server, "http://gpu-monitoring-api:8080%s"
                             % ("/gpu" if mode == "everything" else ""))
            # Nobody listens there: it is asked, and the answer is an error that says so.
            command = [word.replace(server, "http://127.0.0.1:1").replace(INSIDE, folder)
                       for word in pod["command"][1:]]
            run = subprocess.run([CTL, *command], text=True, timeout=120, check=False, env={},
                                 stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
            self.assertEqual(run.returncode, 3, run.stdout)
            self.assertIn("refused", run.stdout)

    def test_prometheus_takes_the_scrape_configuration_of_the_document(self):
        with open(os.path.join(chart.SOURCE, "docs", "HELM.md"), encoding="utf-8") as file:
            (text,) = re.findall(r"```yaml\n(.*?)```", file.read(), re.DOTALL)
        path = os.path.join(chart.HOME, "scrape.yaml")
        with open(path, "w", encoding="utf-8") as file:
            # Debian builds its Prometheus without Kubernetes.
            self.assertEqual(text.count("kubernetes_sd_configs: [{role: pod}]"), 2)
            file.write(text.replace("kubernetes_sd_configs: [{role: pod}]", "static_configs: []"))
        run = subprocess.run([PROMTOOL, "check", "config", path], text=True, timeout=60, check=False,
                             stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.assertEqual(run.returncode, 0, run.stdout)
        # What it keeps by is what the pods have.
        for name, of in (("gpu-exporter", "DaemonSet/gpu-monitoring-exporter"),
                         ("gpu-monitoring-api", "Deployment/gpu-monitoring-api")):
            (job,) = [one for one in yaml.safe_load(text)["scrape_configs"]
                      if one["job_name"] == name]
            keep = job["relabel_configs"][0]
            kind, _, pod = of.partition("/")
            template = chart.one_of(self.modes["default"], kind, pod)["spec"]["template"]
            label = keep["source_labels"][0].replace("__meta_kubernetes_pod_label_", "")
            values = {re.sub(r"[^A-Za-z0-9]", "_", key): value
                      for key, value in template["metadata"]["labels"].items()}
            ports = [port["name"] for port in template["spec"]["containers"][0]["ports"]]
            self.assertIn(keep["regex"], ["%s;%s" % (values[label], port) for port in ports])


if __name__ == "__main__":
    chart.need(chart.HELM, PROMTOOL)
    unittest.main(argv=sys.argv[:1] + sys.argv[3:], verbosity=2)
