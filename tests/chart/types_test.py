#!/usr/bin/python3
"""Every field of every object against the models of Kubernetes, the Prometheus operator and the
Gateway API: a name that they do not know, or a wrong type, is an error of the TypeScript compiler.
"""
import copy
import json
import os
import re
import shutil
import subprocess
import tempfile
import unittest

import chart

COMPILER = os.path.join(chart.MODULES, "typescript", "lib", "tsc.js")
GROUPS = {"monitoring.coreos.com": "@kubernetes-models/prometheus-operator",
          "gateway.networking.k8s.io": "@kubernetes-models/gateway-api"}
OPTIONS = {"strict": True, "noEmit": True, "skipLibCheck": True, "module": "esnext",
           "moduleResolution": "bundler", "target": "esnext", "lib": ["esnext"], "types": []}
PLACE = re.compile(r"^objects\.ts\((\d+),\d+\): error (.*)$")


def model_of(one):
    """The module of an object's kind."""
    group, _, version = one["apiVersion"].rpartition("/")
    return "/".join(part for part in (GROUPS.get(group, "kubernetes-models"), group, version,
                                      one["kind"]) if part)


def check(objects):
    """The compiler's words on each object, none for one that is right."""
    folder = tempfile.mkdtemp(prefix="types_test.", dir=chart.HOME)
    os.symlink(chart.MODULES, os.path.join(folder, "node_modules"))
    lines = []
    for number, one in enumerate(objects):
        lines.append("const o%d: import(%s).I%s = %s;" % (
            number, json.dumps(model_of(one)), one["kind"], json.dumps(one)))
    with open(os.path.join(folder, "objects.ts"), "w", encoding="utf-8") as file:
        file.write("export {};\n" + "\n".join(lines) + "\n")
    with open(os.path.join(folder, "tsconfig.json"), "w", encoding="utf-8") as file:
        json.dump({"compilerOptions": OPTIONS, "files": ["objects.ts"]}, file)
    run = subprocess.run(["node", COMPILER, "--pretty", "false", "-p", folder], text=True, cwd=folder,
                         timeout=240, check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    found = [[] for _ in objects]
    last = None
    for line in run.stdout.splitlines():
        place = PLACE.match(line)
        if place:
            last = found[int(place.group(1)) - 2]
            last.append(place.group(2))
        elif last is not None and line.startswith(" "):
            last.append(line)
        elif line:
            raise AssertionError(run.stdout)
    if (run.returncode == 0) != (not any(found)):
        raise AssertionError(run.stdout)
    return found


def wrong(rendered, kind, path, value):
    """A copy of the first object of a kind with one value set, or taken away where it is None."""
    one = copy.deepcopy(next(one for one in rendered if one["kind"] == kind))
    at = one
    for key in path[:-1]:
        at = at[key]
    if value is None:
        del at[path[-1]]
    else:
        at[path[-1]] = value
    return one


# What the checker must find, and a word of what it says.
POD = ("spec", "template", "spec")
WRONG = (
    ("Deployment", ("spec", "replikas"), 2, "replikas"),
    ("Deployment", ("spec", "minReadySeconds"), "5", "number"),
    ("Deployment", ("spec", "selector"), None, "selector"),
    ("Deployment", POD + ("containers", 0, "livenessProbe", "initalDelaySeconds"), 1, "initalDelay"),
    ("Deployment", POD + ("containers", 0, "securityContext", "readOnlyRootFilesystem"), "true",
     "boolean"),
    ("Deployment", POD + ("topologySpreadConstraints", 0, "maxskew"), 1, "maxskew"),
    ("DaemonSet", POD + ("hostPid",), True, "hostPid"),
    ("Service", ("spec", "ports", 0, "nodeport"), 1, "nodeport"),
    ("ConfigMap", ("data", "x"), 1, "string"),
    ("NetworkPolicy", ("spec", "egres"), [], "egres"),
    ("HorizontalPodAutoscaler", ("spec", "metrics", 0, "resource", "target", "utilization"), 1,
     "utilization"),
    ("PodDisruptionBudget", ("spec", "maxUnavailble"), 1, "maxUnavailble"),
    ("Ingress", ("spec", "rules", 0, "http", "paths", 0, "backend", "serviceName"), "x",
     "serviceName"),
    ("HTTPRoute", ("spec", "rules", 0, "backendRef"), [], "backendRef"),
    ("ServiceMonitor", ("spec", "endpoints", 0, "intervall"), "1s", "intervall"),
    ("ServiceMonitor", ("spec", "endpoints", 0, "honorLabels"), "yes", "boolean"),
    ("PrometheusRule", ("spec", "groups", 0, "rules", 0, "expression"), "1", "expression"),
    ("Role", ("rules", 0, "verb"), "use", "verb"),
)


class TypesTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        runs = [(path, version) for path in chart.FILES for version in ("1.25", chart.NEWEST)
                if version == chart.NEWEST or chart.mode(path) == "everything"]
        rendered = chart.in_parallel(
            lambda row: chart.render("--values", row[0], version=row[1]), runs)
        cls.everything = rendered[runs.index((
            next(path for path in chart.FILES if chart.mode(path) == "everything"), chart.NEWEST))]
        unique = {json.dumps(one, sort_keys=True): one for one in sum(rendered, [])}
        cls.right = list(unique.values())
        cls.wrong = [wrong(cls.everything, *row[:3]) for row in WRONG]
        cls.found = check(cls.right + cls.wrong)

    def test_every_field_of_every_object_is_known_and_of_its_type(self):
        self.assertGreater(len(self.right), 40)
        kinds = {one["kind"] for one in self.right}
        self.assertLessEqual({"Deployment", "DaemonSet", "Service", "ServiceMonitor", "PodMonitor",
                              "PrometheusRule", "HTTPRoute", "Ingress", "NetworkPolicy", "Pod",
                              "HorizontalPodAutoscaler", "PodDisruptionBudget"}, kinds)
        for one, problems in zip(self.right, self.found):
            with self.subTest(of="%s/%s" % (one["kind"], one["metadata"]["name"])):
                self.assertEqual(problems, [])

    def test_the_checker_finds_unknown_fields_wrong_types_and_what_is_missing(self):
        for row, problems in zip(WRONG, self.found[len(self.right):]):
            with self.subTest(wrong=row):
                self.assertIn(row[3], "\n".join(problems))


if __name__ == "__main__":
    chart.need(chart.HELM, COMPILER, *(os.path.join(chart.MODULES, *name.split("/")) for name in (
        "kubernetes-models", "@kubernetes-models/apimachinery", "@kubernetes-models/base",
        *GROUPS.values())))
    if shutil.which("node") is None:
        print("skipped: node is not there; scripts/deps.sh build installs it, with npm")
        raise SystemExit(chart.SKIPPED)
    unittest.main(verbosity=2)
