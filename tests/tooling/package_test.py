#!/usr/bin/python3
"""The Debian package of this build: what it needs, what is in it, and what systemd says of its units.

package_test.py CPACK BUILD
"""
import glob
import gzip
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
CPACK, BUILD = sys.argv[1:3]
PROGRAMS = ("gpu-monitoring-api", "gpu-exporter", "gpuctl")
# unit -> what it runs
UNITS = {"gpu-monitoring-api": ["/usr/bin/gpu-monitoring-api"],
         "gpu-monitoring-collector": ["/usr/bin/gpu-monitoring-api", "collect"],
         "gpu-exporter": ["/usr/bin/gpu-exporter"]}
SETTINGS = ["/etc/gpu-monitoring/%s.env" % name for name in ("api", "collector", "exporter")]
# All that may be in it.
ALLOWED = [r"usr/bin/(gpu-monitoring-api|gpu-exporter|gpuctl)",
           r"usr/bin/(backend-ai-health-checker|flow|hakuriver\.(client|task|vps))",
           r"etc/gpu-monitoring/(api|collector|exporter)\.env",
           r"usr/lib/systemd/system/(gpu-monitoring-(api|collector)|gpu-exporter)\.service",
           r"usr/lib/sysusers\.d/gpu-monitoring\.conf",
           r"usr/share/man/man1/[a-z.-]+\.1\.gz",
           r"usr/share/bash-completion/completions/"
           r"(gpuctl|backend-ai-health-checker|flow|hakuriver\.(client|task|vps))",
           r"usr/share/zsh/vendor-completions/_gpuctl(_links)?",
           r"usr/share/doc/gpu-monitoring/(LICENSE|NOTICE|copyright|examples/prometheus(-kubernetes)?\.yaml)"]


def run(*command, **more):
    return subprocess.run(command, text=True, timeout=600, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False, **more)


def needed(program):
    """The packages of the libraries that a program itself names."""
    dynamic = run("readelf", "-d", program).stdout
    names = re.findall(r"\(NEEDED\).*\[(\S+)\]", dynamic)
    paths = dict(re.findall(r"(\S+) => (/\S+)", run("ldd", program).stdout))
    # /lib is a link to /usr/lib, and a package may know a file by either name.
    owners = run("dpkg", "-S", *["*/" + os.path.basename(os.path.realpath(paths[name]))
                                 for name in names if name in paths]).stdout
    return set(re.findall(r"(?m)^([a-z0-9.+-]+):amd64: /(?:usr/)?lib/x86_64-linux-gnu/[^/]+$", owners))


class Package:
    """Made once, and taken apart."""
    folder = file = root = None

    @classmethod
    def make(cls):
        cls.folder = tempfile.mkdtemp(prefix="package_test.")
        unittest.addModuleCleanup(shutil.rmtree, cls.folder)
        made = run(CPACK, "--config", os.path.join(BUILD, "CPackConfig.cmake"), "-B", cls.folder)
        assert made.returncode == 0, made.stdout
        (cls.file,) = glob.glob(os.path.join(cls.folder, "*.deb"))
        cls.root = os.path.join(cls.folder, "root")
        for option, target in (("-x", cls.root), ("-e", os.path.join(cls.folder, "control"))):
            taken = run("dpkg-deb", option, cls.file, target)
            assert taken.returncode == 0, taken.stdout


def setUpModule():
    Package.make()


class PackageTest(unittest.TestCase):
    def path(self, name):
        return os.path.join(Package.root, name.lstrip("/"))

    def read(self, name):
        with open(self.path(name), encoding="utf-8") as file:
            return file.read()

    def field(self, name):
        return run("dpkg-deb", "-f", Package.file, name).stdout.strip()

    def test_is_named_after_its_version(self):
        with open(os.path.join(SOURCE, "CMakeLists.txt"), encoding="utf-8") as file:
            version = re.search(r"project\(\S+ VERSION (\S+)", file.read()).group(1)
        self.assertEqual(os.path.basename(Package.file), "gpu-monitoring_%s_amd64.deb" % version)
        self.assertEqual((self.field("Package"), self.field("Version")), ("gpu-monitoring", version))

    def test_needs_the_package_of_every_library_of_its_programs(self):
        depends = {one.split()[0] for one in self.field("Depends").split(", ")}
        for program in PROGRAMS:
            packages = needed(self.path("usr/bin/" + program))
            self.assertGreater(len(packages), 4)
            for package in packages:
                provided = run("dpkg-query", "-W", "-f", "${Package}, ${Provides}", package).stdout
                names = {one.split()[0] for one in provided.split(",") if one.strip()}
                self.assertTrue(names & depends, "%s needs %s" % (program, package))
        self.assertIn("ca-certificates", depends)

    def test_holds_only_what_it_may(self):
        for folder, _, names in os.walk(Package.root):
            for name in names:
                path = os.path.relpath(os.path.join(folder, name), Package.root)
                self.assertTrue(any(re.fullmatch(one, path) for one in ALLOWED), path)

    def test_all_of_it_belongs_to_root_and_only_owners_write(self):
        for line in run("dpkg-deb", "-c", Package.file).stdout.splitlines():
            mode, owner = line.split()[:2]
            self.assertEqual(owner, "root/root", line)
            if mode[0] != "l":
                self.assertEqual((mode[5], mode[8]), ("-", "-"), line)

    def test_programs_and_other_names_start(self):
        links = {name for name in os.listdir(self.path("usr/bin"))
                 if os.path.islink(self.path("usr/bin/" + name))}
        built = {name for name in os.listdir(os.path.join(BUILD, "bin"))
                 if os.path.islink(os.path.join(BUILD, "bin", name))}
        self.assertEqual(links, built)
        for program in PROGRAMS:
            self.assertTrue(run(self.path("usr/bin/" + program), "--version").stdout
                            .startswith(program + " "))
        for link in links:
            self.assertEqual(os.readlink(self.path("usr/bin/" + link)), "gpuctl")
            self.assertEqual(run(self.path("usr/bin/" + link), "--help").returncode, 0)

    def test_every_program_command_and_other_name_has_a_manual_page_that_reads(self):
        folder = self.path("usr/share/man/man1")
        pages = os.listdir(folder)
        for name in os.listdir(self.path("usr/bin")):
            self.assertIn(name + ".1.gz", pages)
        self.assertIn("gpu-monitoring-api-collect.1.gz", pages)
        self.assertIn("gpuctl-get-gpus.1.gz", pages)
        for name in ("gpu-monitoring-api", "gpu-monitoring-api-collect", "gpu-exporter"):
            with gzip.open(os.path.join(folder, name + ".1.gz"), "rt", encoding="utf-8") as file:
                text = file.read()
            shown = subprocess.run(["groff", "-man", "-Tascii", "-ww", "-rLL=100n"], input=text, text=True,
                                   timeout=60, capture_output=True, check=True)
            self.assertEqual(shown.stderr, "")
            help_text = run(self.path("usr/bin/" + "-".join(name.split("-")[:3])),
                            *name.split("-")[3:], "--help").stdout
            flags = re.findall(r"(?m)^  (--[a-z-]+)", help_text)
            self.assertGreater(len(flags), 10)
            # A letter over itself is bold.
            listed = re.findall(r"(?m)^ {7}(--[a-z-]+)", re.sub(r".\x08", "", shown.stdout))
            self.assertEqual(listed, flags)

    def test_settings_are_kept_over_upgrades_and_secret(self):
        with open(os.path.join(Package.folder, "control/conffiles"), encoding="utf-8") as file:
            self.assertEqual(file.read().split(), SETTINGS)
        for name in SETTINGS:
            self.assertEqual(os.stat(self.path(name)).st_mode & 0o777, 0o640)
            for line in self.read(name).splitlines():
                self.assertRegex(line, r"^(#.*|[A-Z_]+=\S+)$")

    def test_scripts_of_the_package_are_clean(self):
        scripts = [os.path.join(Package.folder, "control", name) for name in ("postinst", "prerm", "postrm")]
        checked = run("shellcheck", *scripts)
        self.assertEqual(checked.returncode, 0, checked.stdout)
        for script in scripts[:2]:
            with open(script, encoding="utf-8") as file:
                self.assertEqual(set(re.findall(r"\S+(?=\.service)", file.read().replace("'", " "))),
                                 set(UNITS))
        with open(scripts[0], encoding="utf-8") as file:
            self.assertIn("systemd-sysusers gpu-monitoring.conf", file.read())


class UnitTest(unittest.TestCase):
    """The units, as systemd reads them in a system that has nothing else."""

    @classmethod
    def setUpClass(cls):
        cls.root = os.path.join(Package.folder, "system")
        shutil.copytree(Package.root, cls.root, symlinks=True)
        cls.units = os.path.join(cls.root, "usr/lib/systemd/system")
        for target in ("basic", "sysinit", "shutdown", "network-online", "multi-user"):
            with open(os.path.join(cls.units, target + ".target"), "w", encoding="utf-8") as file:
                file.write("[Unit]\nDescription=%s\n" % target)

    def analyze(self, *arguments):
        return run("systemd-analyze", "--no-pager", "--root=" + self.root, *arguments)

    def read(self, unit):
        with open(os.path.join(self.units, unit + ".service"), encoding="utf-8") as file:
            return file.read()

    def values(self, unit, key):
        return re.findall(r"(?m)^%s=(.*)$" % key, self.read(unit))

    def test_systemd_finds_nothing_wrong(self):
        checked = self.analyze("verify", "--man=no", *(unit + ".service" for unit in UNITS))
        self.assertEqual((checked.returncode, checked.stdout), (0, ""))

    def test_systemd_finds_them_well_confined(self):
        for unit in UNITS:
            judged = self.analyze("security", "--offline=true", "--threshold=20", unit + ".service")
            self.assertEqual(judged.returncode, 0, judged.stdout)

    def test_each_runs_its_program_as_a_user_without_rights(self):
        for unit, command in UNITS.items():
            self.assertEqual(self.values(unit, "ExecStart"), [" ".join(command)])
            self.assertEqual(self.values(unit, "User"), ["gpu-monitoring"])
            self.assertEqual(self.values(unit, "CapabilityBoundingSet"), [""])
            (settings,) = self.values(unit, "EnvironmentFile")
            self.assertIn(settings.lstrip("-"), SETTINGS)

    def test_the_collector_goes_by_flows_name_too(self):
        self.assertEqual(self.values("gpu-monitoring-collector", "Alias"),
                         ["flow-metrics-streamer.service"])

    def test_the_server_reads_where_the_collector_writes(self):
        (folder,) = self.values("gpu-monitoring-collector", "LogsDirectory")
        for unit in ("gpu-monitoring-collector", "gpu-monitoring-api"):
            self.assertEqual(self.values(unit, "Environment"), ["METRICS_DIR=/var/log/" + folder])

    def test_the_exporter_reaches_the_gpus_and_no_other_device(self):
        self.assertEqual(self.values("gpu-exporter", "DevicePolicy"), ["closed"])
        self.assertEqual(self.values("gpu-exporter", "DeviceAllow"), ["char-nvidia* rw"])
        # Either would hide them, or whose the processes are.
        for key in ("PrivateDevices", "PrivateUsers", "ProtectProc"):
            self.assertEqual(self.values("gpu-exporter", key), [])

    def test_their_user_can_be_made(self):
        made = run("systemd-sysusers", "--dry-run", "--root=" + self.root, "gpu-monitoring.conf")
        self.assertEqual(made.returncode, 0, made.stdout)
        self.assertIn("gpu-monitoring", made.stdout)


if __name__ == "__main__":
    del sys.argv[1:3]
    unittest.main(verbosity=2)
