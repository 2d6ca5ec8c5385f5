#!/usr/bin/python3
"""The Dockerfile's promises that can be checked without building it, and the collecting script."""
import json
import os
import re
import shutil
import subprocess
import tempfile
import unittest

# target -> its program
IMAGES = {"exporter": "gpu-exporter", "debug": "gpu-monitoring-api", "api": "gpu-monitoring-api"}
SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def read(name):
    with open(os.path.join(SOURCE, name), encoding="utf-8") as file:
        return file.read()


def instructions():
    """(word, rest) of every instruction, continuation lines joined, comments gone."""
    text = re.sub(r"(?m)^#.*\n", "", read("Dockerfile"))
    text = re.sub(r"\\\n\s*", "", text)
    return [tuple(line.split(None, 1)) for line in text.splitlines() if line.strip()]


def stages():
    """name -> (base, [(word, rest)...]) in the file's order."""
    found = {}
    for word, rest in instructions():
        if word == "ARG" and not found:
            continue  # what FROM may say
        if word == "FROM":
            base, name = re.fullmatch(r"(\S+) AS (\S+)", rest).groups()
            found[name] = (base, [])
        else:
            found[name][1].append((word, rest))
    return found


def inherited(name):
    """All instructions of a stage and of the stages it is built on."""
    base, own = stages()[name]
    return (inherited(base) if base in stages() else []) + own


def wanted_by(instruction, stage):
    return [rest for word, rest in inherited(stage) if word == instruction]


class DockerfileTest(unittest.TestCase):
    def test_the_last_stage_is_the_api(self):
        self.assertEqual(list(stages())[-1], "api")
        self.assertLessEqual({"exporter", "debug"}, set(stages()))

    def test_the_images_start_from_nothing(self):
        for base in IMAGES:
            while base in stages():
                base = stages()[base][0]
            self.assertEqual(base, "scratch")

    def test_runs_as_a_user_without_a_name_or_rights(self):
        for stage in IMAGES:
            self.assertEqual(wanted_by("USER", stage), ["65532:65532"])

    def test_checks_its_health_with_the_binary_itself(self):
        for stage, program in IMAGES.items():
            (check,) = wanted_by("HEALTHCHECK", stage)
            options, command = check.split(" CMD ")
            self.assertEqual(options.split(), ["--interval=30s", "--timeout=10s", "--retries=3"])
            self.assertEqual(json.loads(command), ["/usr/bin/" + program, "--healthcheck"])
            self.assertEqual(json.loads(wanted_by("ENTRYPOINT", stage)[0]),
                             ["/usr/bin/" + program])

    def test_says_what_it_is(self):
        for stage, program in IMAGES.items():
            (labels,) = wanted_by("LABEL", stage)
            told = dict(re.findall(r'org\.opencontainers\.image\.(\w+)="([^"]+)"', labels))
            self.assertEqual(told["title"], program)
            self.assertEqual((told["version"], told["revision"]), ("$VERSION", "$REVISION"))
            self.assertEqual(told["licenses"], "Apache-2.0")
            self.assertIn("description", told)

    def test_the_exporter_asks_for_gpus_and_their_driver(self):
        self.assertEqual(wanted_by("ENV", "exporter"),
                         ["NVIDIA_VISIBLE_DEVICES=all NVIDIA_DRIVER_CAPABILITIES=utility"])

    def test_carries_the_programs_of_each(self):
        programs = {"build/bin/gpu-monitoring-api", "build/bin/gpuctl", "build/bin/gpu-exporter"}
        runs = " && ".join(wanted_by("RUN", "build"))
        built = re.search(r"build\.sh release ([^&]*)", runs).group(1).split()
        self.assertEqual({"build/bin/" + name for name in built}, programs)
        self.assertEqual(set(re.search(r"strip \S+ ([^&]*)", runs).group(1).split()), programs)
        collected = dict(re.findall(r"collect-runtime\.sh (\S+) ([^&]*)", runs))
        own = {"build/bin/gpu-exporter"}
        self.assertEqual({folder: set(names.split()) for folder, names in collected.items()},
                         {"/image": programs - own, "/exporter": own})
        for stage, folder in (("api", "/image/"), ("exporter", "/exporter/")):
            self.assertEqual(wanted_by("COPY", stage), ["--from=build %s /" % folder])

    def test_exposes_the_ports_of_each(self):
        self.assertEqual(wanted_by("EXPOSE", "api"), ["8080 8081"])
        self.assertEqual(wanted_by("EXPOSE", "exporter"), ["9432"])

    def test_only_the_debug_image_has_a_shell(self):
        for stage in ("api", "exporter"):
            self.assertFalse(any("busybox" in rest for rest in wanted_by("COPY", stage)))
        self.assertTrue(any("busybox" in rest for rest in wanted_by("COPY", "debug")))
        made = " ".join(rest for _, rest in stages()["busybox"][1])
        for name in ("sh", "wget"):
            self.assertRegex(made, r"for name in [^;]*\b%s\b" % name)

    def test_copies_only_what_reaches_the_builder(self):
        lines = [line for line in read(".dockerignore").splitlines() if line[:1] not in ("", "#")]
        self.assertEqual(lines[0], "*")
        allowed = {line[1:] for line in lines[1:] if line[0] == "!"}
        copied = set()
        for _, own in stages().values():
            for word, rest in own:
                if word == "COPY" and "--from=" not in rest:
                    copied |= {source.split("/")[0] for source in rest.split()[:-1]}
        self.assertEqual(copied, allowed)
        for name in allowed:
            self.assertTrue(os.path.exists(os.path.join(SOURCE, name)), name)

    def test_copies_from_stages_that_come_before(self):
        seen = []
        for name, (_, own) in stages().items():
            for word, rest in own:
                match = re.search(r"--from=(\S+)", rest)
                if word == "COPY" and match:
                    self.assertIn(match.group(1), seen)
            seen.append(name)

    def test_builds_every_folder_of_the_product(self):
        folders = re.findall(r"(?m)^\s+((?:[a-z-]+(?:/[a-z-]+)? ?)+)$",
                             read("CMakeLists.txt").split("foreach(")[1].split(")")[0])
        copied = {rest.split()[0] for rest in wanted_by("COPY", "build")}
        for folder in " ".join(folders).split():
            self.assertIn(folder.split("/")[0], copied)

    def test_carries_the_version_of_the_build(self):
        version = re.search(r"project\(\S+ VERSION (\S+)", read("CMakeLists.txt")).group(1)
        for stage in IMAGES:
            self.assertIn("VERSION=" + version, wanted_by("ARG", stage))


class CollectRuntimeTest(unittest.TestCase):
    def setUp(self):
        self.image = tempfile.mkdtemp(prefix="collect_test.")
        self.addCleanup(shutil.rmtree, self.image)

    def collect(self, *programs):
        return subprocess.run([os.path.join(SOURCE, "scripts/collect-runtime.sh"), self.image,
                               *programs], text=True, timeout=300, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, check=False)

    def path(self, name):
        return os.path.join(self.image, name.lstrip("/"))

    def test_the_program_finds_everything_inside(self):
        result = self.collect("/usr/bin/curl")
        self.assertEqual(result.returncode, 0, result.stdout)
        listed = subprocess.run(["ldd", "/usr/bin/curl"], text=True, timeout=300,
                                stdout=subprocess.PIPE, check=True).stdout
        libraries = re.findall(r"(/\S+\.so\S*)", listed)
        self.assertGreater(len(libraries), 10)
        for library in libraries:
            self.assertTrue(os.path.isfile(self.path(library)), library)
            self.assertFalse(os.path.islink(self.path(library)), library)
        for name in ("/etc/ssl/certs/ca-certificates.crt", "/etc/nsswitch.conf",
                     "/usr/share/doc/libcurl4/copyright", "/usr/share/doc/gpu-monitoring/LICENSE"):
            self.assertTrue(os.path.getsize(self.path(name)), name)
        with open(self.path("/etc/passwd"), encoding="utf-8") as passwd:
            self.assertRegex(passwd.read(), r"^nonroot:x:65532:65532:")

    def test_the_program_runs_in_the_image_alone(self):
        self.assertEqual(self.collect("/usr/bin/curl").returncode, 0)
        alone = ["chroot", self.image] if os.geteuid() == 0 else ["unshare", "-r", "chroot",
                                                                  self.image]
        environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}
        if subprocess.run([*alone, "/usr/bin/curl", "--help"], env=environment, timeout=300,
                          stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                          check=False).stderr.startswith(b"unshare:"):
            self.skipTest("this kernel refuses user namespaces to ordinary users")
        result = subprocess.run([*alone, "/usr/bin/curl", "--version"], env=environment, text=True,
                                timeout=300, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                check=False)
        self.assertEqual(result.returncode, 0, result.stdout)
        self.assertTrue(result.stdout.startswith("curl "), result.stdout)

    def test_other_names_of_a_program_come_along(self):
        folder = os.path.join(self.image, "built")
        os.mkdir(folder)
        shutil.copy("/bin/true", os.path.join(folder, "tool"))
        shutil.copy("/bin/true", os.path.join(folder, "other"))
        for name, target in (("alias", "tool"), ("stranger", "other"), ("away", "/bin/true")):
            os.symlink(target, os.path.join(folder, name))
        result = self.collect(os.path.join(folder, "tool"))
        self.assertEqual(result.returncode, 0, result.stdout)
        self.assertEqual(sorted(os.listdir(self.path("/usr/bin"))), ["alias", "tool"])
        self.assertEqual(os.readlink(self.path("/usr/bin/alias")), "tool")

    def test_a_missing_program_fails(self):
        self.assertNotEqual(self.collect("/nonexistent/program").returncode, 0)
        self.assertEqual(self.collect().returncode, 2)


if __name__ == "__main__":
    unittest.main(verbosity=2)
