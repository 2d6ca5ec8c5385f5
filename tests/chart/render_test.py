#!/usr/bin/python3
"""What the chart renders: every mode on every Kubernetes, goldens, who selects whom, no secret and
no right that nobody asked for, NOTES, the package, and documents that a script writes.

GPUMON_UPDATE_GOLDENS=1 writes the goldens anew; read the diff.
"""
import filecmp
import json
import os
import shutil
import subprocess
import tarfile
import unittest

import yaml

import chart

GOLDEN = os.path.join(os.path.dirname(os.path.abspath(__file__)), "golden")
# A version of an API that all of 1.25 to 1.35 serve; the last three are of CRDs.
SERVED = {"v1", "apps/v1", "autoscaling/v2", "networking.k8s.io/v1", "policy/v1",
          "rbac.authorization.k8s.io/v1", "monitoring.coreos.com/v1", "gateway.networking.k8s.io/v1"}
OF_OPERATOR = {"ServiceMonitor", "PodMonitor", "PrometheusRule"}
RIGHTS = {"Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding"}


class Dumper(getattr(yaml, "CSafeDumper", yaml.SafeDumper)):
    """Writes texts of several lines as such."""


Dumper.add_representer(str, lambda dumper, text: dumper.represent_scalar(
    "tag:yaml.org,2002:str", text, style="|" if "\n" in text else None))


def golden_of(rendered):
    """What was rendered, sorted; of boards and rules, which have tests of their own, only that."""
    for one in rendered:
        if one["metadata"]["name"].startswith("gpu-monitoring-board-"):
            one["data"] = sorted(one["data"])
        if one["kind"] == "PrometheusRule":
            one["spec"]["groups"] = "of files/rules"
    rendered.sort(key=lambda one: (one["kind"], one["metadata"]["name"]))
    return yaml.dump_all(rendered, Dumper=Dumper, sort_keys=True, width=100)


def rules_of(name):
    with open(os.path.join(chart.CHART, "files", "rules", name + ".yaml"), encoding="utf-8") as file:
        return [rule for group in yaml.safe_load(file)["groups"] for rule in group["rules"]]


def of_parent(folder):
    """A chart that has each mode as a subchart: all of them in one rendering."""
    os.makedirs(os.path.join(folder, "charts"))
    shutil.copytree(chart.CHART, os.path.join(folder, "charts", "gpu-monitoring"))
    modes = {}
    for path in chart.FILES:
        with open(path, encoding="utf-8") as file:
            modes[chart.mode(path)] = yaml.safe_load(file) or {}
    with open(os.path.join(folder, "Chart.yaml"), "w", encoding="utf-8") as file:
        yaml.safe_dump({"apiVersion": "v2", "name": "parent", "version": "1.0.0", "dependencies": [
            {"name": "gpu-monitoring", "version": "*", "alias": mode} for mode in modes]}, file)
    values = {mode: {**of, "fullnameOverride": mode} for mode, of in modes.items()}
    with open(os.path.join(folder, "values.yaml"), "w", encoding="utf-8") as file:
        yaml.safe_dump({"global": {"imageRegistry": "registry.example", "ofTheParent": 1}, **values},
                       file)
    return folder


def matches(labels, selector):
    return all(labels.get(key) == value for key, value in selector.items())


class ModesTest(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        runs = chart.in_parallel(lambda path: chart.template("--values", path), chart.FILES)
        cls.text = {}
        for path, run in zip(chart.FILES, runs):
            if run.returncode != 0:
                raise AssertionError("%s: %s" % (path, run.stderr))
            cls.text[chart.mode(path)] = run.stdout

    def each(self):
        for mode, text in self.text.items():
            yield mode, chart.objects(text)

    def test_the_modes_that_are_promised_are_there(self):
        self.assertLessEqual({"default", "plain-url", "kube-prometheus-stack", "thanos", "mimir",
                              "victoria-metrics", "dcgm-exporter", "everything"}, set(self.text))

    def test_goldens(self):
        for mode, rendered in self.each():
            path, text = os.path.join(GOLDEN, mode + ".yaml"), golden_of(rendered)
            if os.environ.get("GPUMON_UPDATE_GOLDENS"):
                with open(path, "w", encoding="utf-8") as file:
                    file.write(text)
            with open(path, encoding="utf-8") as file:
                self.assertMultiLineEqual(file.read(), text, "GPUMON_UPDATE_GOLDENS=1 writes it anew")
        self.assertEqual({name[:-5] for name in os.listdir(GOLDEN)}, set(self.text))

    def test_there_are_no_rights_and_no_secrets(self):
        for mode, rendered in self.each():
            kinds = {one["kind"] for one in rendered}
            self.assertNotIn("Secret", kinds, mode)
            wanted = {"Role", "RoleBinding"} if mode == "everything" else set()
            self.assertEqual(kinds & RIGHTS, wanted)
        everything = chart.objects(self.text["everything"])
        role = chart.one_of(everything, "Role", "gpu-monitoring-exporter")
        self.assertEqual(role["rules"], [{
            "apiGroups": ["security.openshift.io"], "resources": ["securitycontextconstraints"],
            "resourceNames": ["privileged"], "verbs": ["use"]}])

    def test_every_object_has_the_labels_its_namespace_and_a_name_of_its_own(self):
        for mode, rendered in self.each():
            seen = set()
            for one in rendered:
                metadata = one["metadata"]
                key = (one["kind"], metadata.get("namespace"), metadata["name"])
                self.assertNotIn(key, seen)
                seen.add(key)
                if metadata["name"] in ("gpu-monitoring-extra", "gpu-monitoring-text"):
                    continue  # of extraObjects, as they were given
                self.assertIn(metadata["namespace"], {"gpu", "monitoring", "grafana"}, mode)
                for label in ("name", "instance", "managed-by", "version", "component", "part-of"):
                    self.assertIn("app.kubernetes.io/" + label, metadata["labels"], key)
                self.assertEqual(metadata["labels"]["helm.sh/chart"], "gpu-monitoring-0.1.0")

    def test_who_selects_finds_exactly_its_pods(self):
        for mode, rendered in self.each():
            pods = {one["kind"]: one["spec"]["template"]["metadata"]["labels"] for one in rendered
                    if "template" in (one.get("spec") or {})}
            test = chart.one_of(rendered, "Pod", "gpu-monitoring-test")["metadata"]["labels"]
            for one in rendered:
                spec = one.get("spec") or {}
                selector = spec.get("podSelector", spec.get("selector")) or {}
                selector = selector.get("matchLabels", selector)
                if not selector or one["kind"] in OF_OPERATOR:
                    continue
                wanted = "DaemonSet" if one["metadata"]["name"].endswith("exporter") else "Deployment"
                found = [kind for kind, labels in pods.items() if matches(labels, selector)]
                self.assertEqual(found, [wanted], "%s of %s" % (one["kind"], mode))
                self.assertFalse(matches(test, selector), one["kind"])

    def test_monitors_find_their_service_or_pods_and_its_port(self):
        for mode, rendered in self.each():
            for one in rendered:
                if one["kind"] not in ("ServiceMonitor", "PodMonitor"):
                    continue
                selector = one["spec"]["selector"]["matchLabels"]
                of_service = one["kind"] == "ServiceMonitor"
                endpoint = one["spec"]["endpoints" if of_service else "podMetricsEndpoints"][0]
                ports = [[port["name"] for port in (
                    other["spec"]["ports"] if of_service else
                    other["spec"]["template"]["spec"]["containers"][0]["ports"])]
                         for other in rendered
                         if (of_service and other["kind"] == "Service"
                             and matches(other["metadata"]["labels"], selector))
                         or (not of_service and "template" in (other.get("spec") or {})
                             and matches(other["spec"]["template"]["metadata"]["labels"], selector))]
                self.assertEqual(len(ports), 1, "%s: %s" % (mode, one["metadata"]["name"]))
                self.assertIn(endpoint["port"], ports[0])
                self.assertEqual(one["spec"]["namespaceSelector"], {"matchNames": ["gpu"]})

    def test_the_requirements_kubectl_line_finds_the_exporter(self):
        for mode, rendered in self.each():
            found = [one for one in rendered if one["kind"] == "DaemonSet"
                     and one["spec"]["template"]["metadata"]["labels"]["app"] == "nvidia-gpu-exporter"]
            self.assertEqual(len(found), 0 if mode == "dcgm-exporter" else 1, mode)

    def test_the_exporter_names_its_node_and_so_does_its_scrape(self):
        rendered = chart.objects(self.text["default"])
        container = chart.one_of(rendered, "DaemonSet", "gpu-monitoring-exporter")["spec"][
            "template"]["spec"]["containers"][0]
        of_pod = {"fieldRef": {"fieldPath": "spec.nodeName"}}
        self.assertIn({"name": "NODE_NAME", "valueFrom": of_pod}, container["env"])
        endpoint = chart.one_of(rendered, "ServiceMonitor", "gpu-monitoring-exporter")["spec"][
            "endpoints"][0]
        self.assertIs(endpoint["honorLabels"], True)
        self.assertIn({"sourceLabels": ["__meta_kubernetes_pod_node_name"], "targetLabel": "node",
                       "action": "replace"}, endpoint["relabelings"])

    def test_rules_are_the_files_with_links_where_there_is_a_place_for_them(self):
        for mode, base in (("default", ""), ("everything", "https://docs.example.org/RUNBOOKS.md")):
            rule = chart.one_of(chart.objects(self.text[mode]), "PrometheusRule", "gpu-monitoring")
            rendered = [row for group in rule["spec"]["groups"] for row in group["rules"]]
            links = 0
            for wanted in rules_of("nvidia_gpu"):
                found = [row for row in rendered if row["expr"] == wanted["expr"]
                         and row.get("alert") == wanted.get("alert")]
                annotations = dict(wanted.get("annotations", {}))
                link = annotations.pop("runbook_url", "")
                if link and base:
                    annotations["runbook_url"] = link.replace("@RUNBOOK_BASE@", base)
                    links += 1
                self.assertEqual(found, [{**wanted, "annotations": annotations}
                                         if "annotations" in wanted else wanted])
            self.assertEqual(links > 0, base != "")
            self.assertNotIn("@", json.dumps([row.get("annotations", {}).get("runbook_url", "")
                                              for row in rendered]))

    def test_boards_are_the_files(self):
        rendered = chart.objects(self.text["default"])
        for name in ("nvidia_gpu", "api"):
            board = chart.one_of(rendered, "ConfigMap",
                                 "gpu-monitoring-board-" + name.replace("_", "-"))
            (text,) = board["data"].values()
            with open(os.path.join(chart.CHART, "files", "dashboards", name + ".json"),
                      encoding="utf-8") as file:
                self.assertEqual(json.loads(text), json.load(file))


class MatrixTest(unittest.TestCase):
    def test_every_mode_renders_on_every_kubernetes_as_a_subchart_too(self):
        parent = of_parent(os.path.join(chart.HOME, "parent"))
        runs = chart.in_parallel(lambda version: chart.helm(
            "template", "r", parent, "--kube-version", version, "--api-versions", chart.OPERATOR[0]),
            chart.VERSIONS)
        for version, run in zip(chart.VERSIONS, runs):
            self.assertEqual(run.returncode, 0, "%s: %s" % (version, run.stderr))
            rendered = chart.objects(run.stdout)
            self.assertLessEqual({one["apiVersion"] for one in rendered}, SERVED)
            deployments = [one for one in rendered if one["kind"] == "Deployment"]
            self.assertEqual({one["metadata"]["name"] for one in deployments},
                             {chart.mode(path) + "-api" for path in chart.FILES})
            for one in deployments:
                spec = one["spec"]["template"]["spec"]
                self.assertTrue(spec["containers"][0]["image"].startswith("registry.example"))
                # Known since 1.27.
                self.assertEqual("matchLabelKeys" in spec["topologySpreadConstraints"][0],
                                 version not in ("1.25", "1.26"), version)

    def test_without_the_operators_kinds_auto_makes_none_of_them(self):
        kinds = {one["kind"] for one in chart.render(apis=())}
        self.assertEqual(kinds & OF_OPERATOR, set())
        forced = {one["kind"] for one in chart.render(
            "--set", "monitor.enabled=true,prometheusRule.enabled=true", apis=())}
        self.assertEqual(forced & OF_OPERATOR, {"ServiceMonitor", "PrometheusRule"})


class SwitchesTest(unittest.TestCase):
    def test_network_policies_let_out_to_dns_and_prometheus_alone(self):
        rendered = chart.render("--set", "networkPolicy.enabled=true,prometheus.url="
                                "https://a.example\\,http://b.example:9090/x\\,http://[fd00::1]")
        policy = chart.one_of(rendered, "NetworkPolicy", "gpu-monitoring-api")["spec"]
        self.assertEqual(policy["policyTypes"], ["Ingress", "Egress"])
        self.assertEqual([[port["port"] for port in rule["ports"]] for rule in policy["egress"]],
                         [[53, 53], [443, 9090, 80]])
        rendered = chart.render("--set", "networkPolicy.enabled=true",
                                "--set", "networkPolicy.prometheusPorts={9090}",
                                "--set", "prometheus.url=http://prometheus-server.monitoring.svc")
        ports = chart.one_of(rendered, "NetworkPolicy", "gpu-monitoring-api")["spec"]["egress"][1]
        self.assertEqual(ports, {"ports": [{"port": 9090, "protocol": "TCP"}]})
        exporter = chart.one_of(rendered, "NetworkPolicy", "gpu-monitoring-exporter")["spec"]
        self.assertEqual((exporter["policyTypes"], exporter["egress"]), (["Ingress", "Egress"], []))

    def test_helm_test_may_ask_an_api_that_lets_few_in(self):
        rendered = chart.render("--set", "networkPolicy.enabled=true,networkPolicy.apiFrom[0]"
                                ".podSelector.matchLabels.app=x")
        peers = chart.one_of(rendered, "NetworkPolicy", "gpu-monitoring-api")["spec"]["ingress"][0][
            "from"]
        test = chart.one_of(rendered, "Pod", "gpu-monitoring-test")["metadata"]
        self.assertTrue(any(matches(test["labels"], peer["podSelector"]["matchLabels"])
                            for peer in peers))
        self.assertEqual(test["annotations"]["helm.sh/hook"], "test")

    def test_a_single_pod_has_no_disruption_budget_and_autoscaling_owns_the_replicas(self):
        kinds = {one["kind"] for one in chart.render("--set", "api.replicas=1")}
        self.assertNotIn("PodDisruptionBudget", kinds)
        rendered = chart.render("--set", "autoscaling.enabled=true")
        self.assertNotIn("replicas", chart.one_of(rendered, "Deployment", "gpu-monitoring-api")["spec"])
        scaler = chart.one_of(rendered, "HorizontalPodAutoscaler", "gpu-monitoring-api")["spec"]
        self.assertEqual(scaler["scaleTargetRef"]["name"], "gpu-monitoring-api")
        self.assertEqual(len(scaler["metrics"]), 1)

    def test_alerts_can_be_left_out_by_name(self):
        def alerts(*arguments):
            rule = chart.one_of(chart.render(*arguments), "PrometheusRule", "gpu-monitoring")
            return [row["alert"] for group in rule["spec"]["groups"] for row in group["rules"]
                    if "alert" in row]
        everything = alerts()
        left = alerts("--set", "prometheusRule.disabledAlerts={%s}" % everything[0])
        self.assertEqual(left, [name for name in everything if name != everything[0]])


class PackageTest(unittest.TestCase):
    def test_lint_is_strict_on_every_mode(self):
        for run in chart.in_parallel(lambda path: chart.helm(
                "lint", "--strict", chart.CHART, "--values", path), chart.FILES):
            self.assertEqual(run.returncode, 0, run.stdout + run.stderr)
            self.assertNotIn("WARN", run.stdout)

    def test_two_packages_hold_the_same_and_nothing_of_ci(self):
        packed = []
        for number in (1, 2):
            folder = os.path.join(chart.HOME, "package%d" % number)
            run = chart.helm("package", chart.CHART, "--destination", folder)
            self.assertEqual(run.returncode, 0, run.stderr)
            with tarfile.open(os.path.join(folder, "gpu-monitoring-0.1.0.tgz")) as archive:
                packed.append({one.name: archive.extractfile(one).read() for one in archive})
        self.assertEqual(packed[0], packed[1])
        self.assertIn("gpu-monitoring/files/dashboards/dcgm.json", packed[0])
        self.assertFalse([name for name in packed[0] if "/ci/" in name])

    def test_artifacthub_finds_its_annotations(self):
        with open(os.path.join(chart.CHART, "Chart.yaml"), encoding="utf-8") as file:
            of = yaml.safe_load(file)
        for name in ("license", "links", "changes", "images", "prerelease"):
            self.assertIn("artifacthub.io/" + name, of["annotations"])
        for name in ("links", "changes", "images"):
            self.assertIsInstance(yaml.safe_load(of["annotations"]["artifacthub.io/" + name]), list)
        with open(os.path.join(chart.SOURCE, "CMakeLists.txt"), encoding="utf-8") as file:
            self.assertIn("VERSION %s " % of["appVersion"], file.read())

    def test_notes_tell_the_next_commands(self):
        def notes(*arguments):
            run = chart.helm("install", chart.RELEASE, chart.CHART, "--namespace", chart.NAMESPACE,
                             "--dry-run=client", *arguments)
            self.assertEqual(run.returncode, 0, run.stderr)
            return run.stdout.split("NOTES:")[1]
        plain = notes()
        for words in ("kubectl rollout status deployment/gpu-monitoring-api -n gpu",
                      "helm test gpu-monitoring -n gpu --logs", "http://localhost:8080/",
                      "kubectl port-forward service/gpu-monitoring-api 8080:8080 -n gpu",
                      "kubectl get pods -l app=nvidia-gpu-exporter -n gpu", "docs/HELM.md"):
            self.assertIn(words, plain)
        everything = notes("--values", next(
            path for path in chart.FILES if chart.mode(path) == "everything"))
        self.assertIn("https://gpu.example.org/gpu/", everything)
        for words in ("port-forward", "asks nobody", "not known"):
            self.assertNotIn(words, everything)


class DocumentsTest(unittest.TestCase):
    def written(self, script, of, *names):
        """What a script writes into a copy of a folder is what stands there."""
        folder = os.path.join(chart.HOME, script)
        shutil.copytree(of, folder)
        target = folder if script == "boards.py" else os.path.join(folder, names[0])
        subprocess.run(["/usr/bin/python3", os.path.join(chart.SOURCE, "charts", script), target],
                       check=True, timeout=60)
        for name in names:
            self.assertTrue(filecmp.cmp(os.path.join(of, name), os.path.join(folder, name), False),
                            "charts/%s writes another %s; run it" % (script, name))

    def test_the_readme_is_of_the_values(self):
        self.written("readme.py", chart.CHART, "README.md")

    def test_every_value_has_a_row_and_a_schema(self):
        with open(os.path.join(chart.CHART, "README.md"), encoding="utf-8") as file:
            text = file.read()
        with open(os.path.join(chart.CHART, "values.yaml"), encoding="utf-8") as file:
            values = yaml.safe_load(file)
        with open(os.path.join(chart.CHART, "values.schema.json"), encoding="utf-8") as file:
            schema = json.load(file)

        def walk(part, of_schema, path):
            while "$ref" in of_schema:
                of_schema = schema["definitions"][of_schema["$ref"].rsplit("/", 1)[1]]
            if "properties" not in of_schema or not isinstance(part, dict):
                self.assertIn("| `%s` |" % ".".join(path), text)
                return
            if "| `%s` |" % ".".join(path) in text:
                return
            self.assertLessEqual(set(part), set(of_schema["properties"]), path)
            if path and path[-1] not in ("affinity", "resources"):
                self.assertEqual(set(part), set(of_schema["properties"]), path)
            for key, below in part.items():
                walk(below, of_schema["properties"][key], path + [key])

        walk(values, schema, [])

    def test_the_boards_are_of_their_rows(self):
        self.written("boards.py", os.path.join(chart.CHART, "files", "dashboards"),
                     "nvidia_gpu.json", "dcgm.json", "dcgm_4_8_3.json", "dcgm_4_9.json",
                     "api.json")


if __name__ == "__main__":
    chart.need(chart.HELM)
    unittest.main(verbosity=2)
