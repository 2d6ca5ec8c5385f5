#!/usr/bin/python3
"""The file systems of the images, made of the programs of this build, and the programs in them alone.

image_test.py SERVER GPUCTL EXPORTER BUSYBOX
"""
import contextlib
import gzip
import hashlib
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

SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SERVER, GPUCTL, EXPORTER, BUSYBOX = sys.argv[1:5]
CONFINED = os.path.join(SOURCE, "tests/tooling/confined.py")
ABOUT = "usr/share/doc/gpu-monitoring/"
LIMIT = 80_000_000  # bytes of an image
# All that may be in an image, beside its programs and their other names.
ALLOWED = [r"(usr/)?lib(64)?/(x86_64-linux-gnu/)?(lib[\w.+-]+|ld-linux-x86-64)\.so(\.[\d.]+)?",
           r"etc/(passwd|group|nsswitch\.conf|ssl/certs/ca-certificates\.crt)",
           r"usr/share/doc/[a-z0-9.+-]+/copyright", r"usr/share/common-licenses/[A-Z][A-Za-z0-9.-]+",
           ABOUT + r"(LICENSE|NOTICE|licences\.txt|sbom\.cdx\.json)"]
# What one image has beside that.
OWN = {"api": [r"usr/bin/(gpu-monitoring-api|gpuctl)",
               r"usr/bin/(backend-ai-health-checker|flow|hakuriver\.(client|task|vps))",
               r"usr/share/man/man1/gpuctl[a-z-]*\.1\.gz",
               r"usr/share/bash-completion/completions/"
               r"(gpuctl|backend-ai-health-checker|flow|hakuriver\.(client|task|vps))",
               r"usr/share/zsh/vendor-completions/_gpuctl(_links)?"],
       "exporter": [r"usr/bin/gpu-exporter", r"etc/(ld\.so\.conf|debian_version)"]}


def run(*command, **more):
    return subprocess.run(command, text=True, timeout=300, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False, **more)


def collect(image, *programs):
    made = run(os.path.join(SOURCE, "scripts/collect-runtime.sh"), image, *programs)
    assert made.returncode == 0, made.stdout


def libraries_of(program):
    return set(re.findall(r"(/\S+\.so\S*)", run("ldd", program).stdout))


class Images:
    """Made once; nobody changes them."""
    programs = {"api": (SERVER, GPUCTL), "exporter": (EXPORTER,)}
    paths = {}


def setUpModule():
    folder = tempfile.mkdtemp(prefix="image_test.")
    unittest.addModuleCleanup(shutil.rmtree, folder)
    for name, programs in Images.programs.items():
        Images.paths[name] = os.path.join(folder, name)
        collect(Images.paths[name], *programs)


def files_of(image):
    for folder, _, names in os.walk(image):
        for name in names:
            yield os.path.relpath(os.path.join(folder, name), image)


class ContentTest(unittest.TestCase):
    """What is in each image, and what it says of that itself."""

    def each(self):
        for name, image in Images.paths.items():
            with self.subTest(name):
                yield name, image

    def bom(self, image):
        with open(os.path.join(image, ABOUT, "sbom.cdx.json"), encoding="utf-8") as file:
            return json.load(file)

    def test_only_what_may_be_there(self):
        for name, image in self.each():
            for path in files_of(image):
                self.assertTrue(any(re.fullmatch(one, path) for one in ALLOWED + OWN[name]), path)

    def test_is_small(self):
        for _, image in self.each():
            sizes = [os.lstat(os.path.join(image, path)).st_size for path in files_of(image)]
            self.assertLess(sum(sizes), LIMIT)

    def test_the_bill_of_materials_lists_every_library_with_its_hash(self):
        for name, image in self.each():
            bom = self.bom(image)
            self.assertEqual((bom["bomFormat"], bom["specVersion"]), ("CycloneDX", "1.5"))
            hashes = {file["name"]: file["hashes"] for package in bom["components"]
                      for file in package.get("components", [])}
            libraries = set().union(*(libraries_of(program) for program in Images.programs[name]))
            self.assertGreater(len(libraries), 8)
            self.assertLessEqual(libraries, set(hashes))
            for path, told in hashes.items():
                with open(image + path, "rb") as file:
                    content = hashlib.sha256(file.read()).hexdigest()
                self.assertEqual(told, [{"alg": "SHA-256", "content": content}])

    def test_the_bill_says_what_each_program_needs(self):
        for name, image in self.each():
            bom = self.bom(image)
            references = [component["bom-ref"] for component in bom["components"]]
            self.assertEqual(len(references), len(set(references)))
            needs = {one["ref"]: one["dependsOn"] for one in bom["dependencies"]}
            programs = {os.path.basename(program) for program in Images.programs[name]}
            self.assertEqual(set(needs), programs | {"gpu-monitoring"})
            self.assertEqual(set(needs["gpu-monitoring"]), programs)
            for program in programs:
                self.assertLessEqual(set(needs[program]), set(references))
                self.assertTrue(any("/libc6@" in one for one in needs[program]), program)
        page = [one for one in self.bom(Images.paths["api"])["components"] if one["name"] == "preact"]
        self.assertRegex(page[0]["purl"], r"^pkg:npm/preact@\d")

    def test_packages_are_named_as_the_world_names_them(self):
        for _, image in self.each():
            for component in self.bom(image)["components"]:
                if component["type"] == "application":
                    continue
                self.assertRegex(component["purl"],
                                 r"^pkg:(deb/debian/[a-z0-9.%B-]+@[\w.%~-]+\?arch=(amd64|all)&distro=debian-\d+"
                                 r"|npm/[\w.%/-]+@[\d.]+)$")
                self.assertTrue(component["licenses"], component["name"])

    def test_the_list_of_licences_names_every_package_and_a_text_that_is_there(self):
        for _, image in self.each():
            with open(os.path.join(image, ABOUT, "licences.txt"), encoding="utf-8") as file:
                rows = [line.split(None, 3) for line in file.read().splitlines()[1:]]
            self.assertEqual({row[0] for row in rows},
                             {one["name"] for one in self.bom(image)["components"]
                              if one["type"] == "library"})
            for _, _, text, licences in rows:
                where = text.lstrip("/") if text != "NOTICE" else ABOUT + "NOTICE"
                self.assertTrue(os.path.getsize(os.path.join(image, where)), text)
                self.assertTrue(licences)

    def test_the_same_programs_give_the_same_bill(self):
        with tempfile.TemporaryDirectory(prefix="image_test.") as again:
            collect(again, EXPORTER)
            for name in ("sbom.cdx.json", "licences.txt"):
                with open(os.path.join(again, ABOUT, name), "rb") as one, \
                     open(os.path.join(Images.paths["exporter"], ABOUT, name), "rb") as other:
                    self.assertEqual(one.read(), other.read())

    def test_what_nvidias_library_and_tools_look_for_is_in_the_exporters(self):
        image = Images.paths["exporter"]
        libc = next(one for one in libraries_of(EXPORTER) if os.path.basename(one) == "libc.so.6")
        for name in ("libdl.so.2", "libpthread.so.0", "librt.so.1", "libm.so.6"):
            self.assertTrue(os.path.isfile(image + os.path.join(os.path.dirname(libc), name)), name)
        # Debian's file makes them use the folder that Debian's loader looks into.
        self.assertTrue(os.path.getsize(os.path.join(image, "etc/debian_version")))
        with open(os.path.join(image, "etc/ld.so.conf"), encoding="utf-8") as file:
            self.assertIn("/etc/ld.so.conf.d/*.conf", file.read())


class Empty(http.server.BaseHTTPRequestHandler):
    """A Prometheus that has nothing."""

    def do_GET(self):  # the name is the library's
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        body = b'{"status":"success","data":{"resultType":"vector","result":[]}}'
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_GET

    def log_message(self, *_):
        pass


class ConfinedTest(unittest.TestCase):
    """A read-only root, user 65532 without capabilities: what a cluster allows at its strictest."""

    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="image_test.")
        self.addCleanup(shutil.rmtree, self.folder)

    def image(self, name):
        """A copy, with what a container runtime puts into it."""
        image = os.path.join(self.folder, name)
        shutil.copytree(Images.paths[name], image, symlinks=True)
        with open(os.path.join(image, "etc/hosts"), "w", encoding="utf-8") as hosts:
            hosts.write("127.0.0.1 localhost\n::1 localhost ip6-localhost\n")
        for folder in ("proc", "dev"):
            os.mkdir(os.path.join(image, folder))
        return image

    def free_port(self):
        with socket.socket() as one:
            one.bind(("127.0.0.1", 0))
            return one.getsockname()[1]

    def inside(self, image, *command, **environment):
        result = run("/usr/bin/python3", CONFINED, image, *command, env=environment)
        if result.returncode == 77:
            self.skipTest("only root may confine a program like this")
        return result

    @contextlib.contextmanager
    def serving(self, image, program, *arguments, **environment):
        """The program in the image, once its own health check is content."""
        path = "/usr/bin/" + program
        self.inside(image, path, "--version")
        with subprocess.Popen(["/usr/bin/python3", CONFINED, image, path, *arguments],
                              env=environment, stdin=subprocess.DEVNULL,
                              stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as server:
            try:
                end = time.monotonic() + 120
                while self.inside(image, path, "--healthcheck", **environment).returncode:
                    self.assertIsNone(server.poll(), "it ended")
                    self.assertLess(time.monotonic(), end)
                yield server
                server.terminate()
                log = server.communicate(timeout=60)[1]
                self.assertEqual(server.returncode, 0, log)
            finally:
                server.kill()

    def assert_has_no_rights(self, pid):
        with open("/proc/%d/status" % pid, encoding="utf-8") as file:
            status = dict(line.rstrip("\n").split(":\t", 1) for line in file if ":\t" in line)
        self.assertEqual(status["Uid"].split(), ["65532"] * 4)
        self.assertEqual(status["Gid"].split(), ["65532"] * 4)
        self.assertEqual(status["NoNewPrivs"], "1")
        for kind in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
            self.assertEqual(int(status[kind], 16), 0, kind)
        with open("/proc/%d/mountinfo" % pid, encoding="utf-8") as file:
            (root,) = [line.split() for line in file if line.split()[4] == "/"]
        self.assertIn("ro", root[5].split(","))

    def test_the_exporter_serves(self):
        address = "127.0.0.1:%d" % self.free_port()
        with self.serving(self.image("exporter"), "gpu-exporter", GPU_EXPORTER_DEMO="true",
                          GPU_EXPORTER_LISTEN_ADDR=address) as server:
            self.assert_has_no_rights(server.pid)
            scraped = run("curl", "-sf", "http://%s/metrics" % address)
            self.assertIn("nvidia_gpu_utilization_percent{", scraped.stdout)

    def test_the_server_serves_and_the_command_of_the_requirement_finds_it_well(self):
        prometheus = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Empty)
        threading.Thread(target=prometheus.serve_forever).start()
        self.addCleanup(prometheus.server_close)
        self.addCleanup(prometheus.shutdown)
        image, port = self.image("api"), self.free_port()
        # As the target `debug` has it.
        os.mkdir(os.path.join(image, "bin"))
        shutil.copy(BUSYBOX, os.path.join(image, "bin/busybox"))
        for name in ("sh", "wget"):
            os.symlink("busybox", os.path.join(image, "bin", name))
        wget = ("wget --no-verbose --tries=1 --spider http://localhost:%d/api/healthz || exit 1" % port)
        with self.serving(image, "gpu-monitoring-api", PORT=str(port), GRPC_HEALTH_PORT="0",
                          DRAIN_DELAY="0s",
                          PROMETHEUS_URL="http://127.0.0.1:%d" % prometheus.server_port) as server:
            self.assert_has_no_rights(server.pid)
            checked = self.inside(image, "/bin/sh", "-c", wget, PATH="/usr/bin:/bin")
            self.assertEqual(checked.returncode, 0, checked.stdout)
        checked = self.inside(image, "/bin/sh", "-c", wget, PATH="/usr/bin:/bin")
        self.assertEqual(checked.returncode, 1, checked.stdout)


class ApiImageTest(unittest.TestCase):
    @property
    def image(self):
        return Images.paths["api"]

    def path(self, name):
        return os.path.join(self.image, name.lstrip("/"))

    def alone(self, *command):
        """Runs it with the image as the whole file system."""
        root = [] if os.geteuid() == 0 else ["unshare", "-r"]
        result = run(*root, "chroot", self.image, *command,
                     env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"})
        if result.stdout.startswith("unshare:"):
            self.skipTest("this kernel refuses user namespaces to ordinary users")
        return result

    def test_those_of_its_checks_are_among_them_with_their_licences(self):
        needed = run("ldd", GPUCTL).stdout
        for library, package in (("libpq.so", "libpq5"), ("libhiredis.so", "libhiredis0.14")):
            self.assertIn(library, needed)
            self.assertTrue(os.path.getsize(self.path("/usr/share/doc/%s/copyright" % package)))

    def test_its_programs_start_in_it_alone(self):
        for program in (SERVER, GPUCTL):
            name = os.path.basename(program)
            result = self.alone("/usr/bin/" + name, "--version")
            self.assertEqual(result.returncode, 0, result.stdout)
            self.assertTrue(result.stdout.startswith(name + " "), result.stdout)

    def test_every_name_of_gpuctl_is_there_and_works(self):
        folder = os.path.dirname(GPUCTL)
        links = [name for name in os.listdir(folder)
                 if os.path.islink(os.path.join(folder, name))]
        self.assertLessEqual({"backend-ai-health-checker", "flow"}, set(links))
        for link in links:
            result = self.alone("/usr/bin/" + link, "--help")
            self.assertEqual(result.returncode, 0, link + ": " + result.stdout)
        checked = self.alone("/usr/bin/backend-ai-health-checker", "gpu", "--format", "summary")
        self.assertIn("Health Check Summary: ", checked.stdout)

    def test_manual_pages_and_completions_lie_where_debian_has_them(self):
        pages = self.path("/usr/share/man/man1")
        with gzip.open(os.path.join(pages, "gpuctl.1.gz"), "rt", encoding="utf-8") as page:
            main = page.read()
        self.assertEqual(main, run(GPUCTL, "man").stdout)
        commands = re.findall(r"(?m)^\.BR (\S+) \(1\)", main.replace("\\-", "-"))
        self.assertIn("gpuctl-get-gpus", commands)
        self.assertEqual(set(os.listdir(pages)),
                         {name + ".1.gz" for name in ["gpuctl"] + commands})
        for shell, name in (("bash", "/usr/share/bash-completion/completions/gpuctl"),
                            ("zsh", "/usr/share/zsh/vendor-completions/_gpuctl")):
            with open(self.path(name), encoding="utf-8") as completion:
                self.assertEqual(completion.read(), run(GPUCTL, "completion", shell).stdout)
        folder = self.path("/usr/share/bash-completion/completions")
        self.assertEqual(os.readlink(os.path.join(folder, "hakuriver.client")), "gpuctl")
        with open(self.path("/usr/share/zsh/vendor-completions/_gpuctl_links"),
                  encoding="utf-8") as links:
            self.assertIn(" hakuriver.client ", links.readline())

    def test_without_ssh_it_says_so(self):
        result = self.alone("/usr/bin/gpuctl", "gpud", "get", "/v1/states", "--via", "gn07")
        self.assertEqual(result.returncode, 3, result.stdout)
        self.assertIn("gn07: ssh is not in PATH", result.stdout)


if __name__ == "__main__":
    del sys.argv[1:5]
    unittest.main(verbosity=2)
