#!/usr/bin/python3
"""The file system of the image, made of the programs of this build, and the programs in it alone.

image_test.py SERVER GPUCTL
"""
import gzip
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SERVER, GPUCTL = sys.argv[1:3]


def run(*command, **more):
    return subprocess.run(command, text=True, timeout=300, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False, **more)


class ImageTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.image = tempfile.mkdtemp(prefix="image_test.")
        cls.addClassCleanup(shutil.rmtree, cls.image)
        made = run(os.path.join(SOURCE, "scripts/collect-runtime.sh"), cls.image, SERVER, GPUCTL)
        assert made.returncode == 0, made.stdout

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

    def test_has_every_library_that_its_programs_need(self):
        for program in (SERVER, GPUCTL):
            libraries = re.findall(r"(/\S+\.so\S*)", run("ldd", program).stdout)
            self.assertGreater(len(libraries), 10)
            for library in libraries:
                self.assertTrue(os.path.isfile(self.path(library)), library)

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

    def test_without_ssh_it_says_so(self):
        result = self.alone("/usr/bin/gpuctl", "gpud", "get", "/v1/states", "--via", "gn07")
        self.assertEqual(result.returncode, 3, result.stdout)
        self.assertIn("gn07: ssh is not in PATH", result.stdout)


if __name__ == "__main__":
    del sys.argv[1:3]
    unittest.main(verbosity=2)
