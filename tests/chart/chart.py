"""What the tests of the chart share: Helm without a network, the values files, what they render."""
import atexit
import concurrent.futures
import glob
import os
import shutil
import subprocess
import sys
import tempfile

import yaml

SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
CHART = os.path.join(SOURCE, "charts", "gpu-monitoring")
TOOLS = os.path.join(SOURCE, ".run", "tools")
HELM = os.path.join(TOOLS, "usr", "bin", "helm")
MODULES = os.path.join(TOOLS, "node_modules")
RELEASE, NAMESPACE = "gpu-monitoring", "gpu"
OPERATOR = ("monitoring.coreos.com/v1",)
NEWEST = "1.35"
VERSIONS = ["1.%d" % minor for minor in range(25, 36)]
FILES = sorted(glob.glob(os.path.join(CHART, "ci", "*-values.yaml")))
SKIPPED = 77

# Helm reads and writes nothing of the user's.
HOME = tempfile.mkdtemp(prefix="chart_test.")
atexit.register(shutil.rmtree, HOME)


def need(*paths):
    """Ends the test as skipped, and says so, where a tool is not there."""
    for path in paths:
        if not os.path.exists(path):
            print("skipped: %s is not there; scripts/deps.sh test unpacks it, from npm"
                  % os.path.relpath(path, SOURCE))
            sys.exit(SKIPPED)


def helm(*arguments):
    return subprocess.run([HELM, *arguments], text=True, timeout=120, check=False, cwd=HOME,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          env={"PATH": "/usr/bin:/bin", "HOME": HOME, "GOGC": "off",
                               "GOMAXPROCS": "1"})


def template(*arguments, version=NEWEST, apis=OPERATOR):
    """The run of `helm template`; the chart is the first argument after the release's name."""
    return helm("template", RELEASE, CHART, "--namespace", NAMESPACE, "--kube-version", version,
                *(word for api in apis for word in ("--api-versions", api)), *arguments)


def objects(text):
    # The C library's parser, where PyYAML has it: pages of boards take Python's a second each.
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return [one for one in yaml.load_all(text, Loader=loader) if one is not None]


def render(*arguments, **options):
    """The objects that the chart renders; an error is the test's."""
    run = template(*arguments, **options)
    if run.returncode != 0:
        raise AssertionError("helm template %s: %s" % (" ".join(arguments), run.stderr))
    return objects(run.stdout)


def in_parallel(function, rows):
    """What function gives for each row, in their order."""
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        return list(pool.map(function, rows))


def mode(path):
    """kube-prometheus-stack of .../ci/kube-prometheus-stack-values.yaml."""
    return os.path.basename(path)[:-len("-values.yaml")]


def pod_specs(rendered):
    """(what it is of, its spec) of every pod."""
    for one in rendered:
        if one["kind"] == "Pod":
            yield "Pod/" + one["metadata"]["name"], one["spec"]
        elif isinstance(one.get("spec"), dict) and "template" in one["spec"]:
            yield one["kind"] + "/" + one["metadata"]["name"], one["spec"]["template"]["spec"]


def api_container(rendered):
    return dict(pod_specs(rendered))["Deployment/gpu-monitoring-api"]["containers"][0]


def one_of(rendered, kind, name):
    found = [one for one in rendered if one["kind"] == kind and one["metadata"]["name"] == name]
    if len(found) != 1:
        raise AssertionError("%d of %s %s" % (len(found), kind, name))
    return found[0]
