#!/usr/bin/python3
"""The Makefile's targets and the scripts they and CI call."""
import os
import re
import shutil
import subprocess
import tempfile
import unittest

SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
TARGETS = "help run demo test build install package bench lint sanitize fuzz coverage deps clean".split()


def shell_scripts():
    found = [".ci/run"]
    for folder in ("scripts", "bench/load"):
        for path, _, names in os.walk(os.path.join(SOURCE, folder)):
            found += [os.path.relpath(os.path.join(path, name), SOURCE)
                      for name in names if name.endswith(".sh")]
    return found


def make(*arguments, folder=SOURCE):
    environment = {key: value for key, value in os.environ.items()
                   if not key.startswith("MAKE") and key not in ("FOLDER", "VERBOSE")}
    return subprocess.run(["make", *arguments], cwd=folder, env=environment, text=True, timeout=60,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)


class MakeTest(unittest.TestCase):
    def test_every_target_exists_and_calls_scripts_that_exist(self):
        for target in TARGETS:
            with self.subTest(target):
                result = make("-n", target)
                self.assertEqual(result.returncode, 0, result.stdout)
                for script in re.findall(r"scripts/[a-z_]+\.sh", result.stdout):
                    self.assertTrue(os.access(os.path.join(SOURCE, script), os.X_OK), script)

    def test_help_names_every_target(self):
        shown = make("help").stdout
        for target in TARGETS:
            self.assertRegex(shown, r"(?m)^  make %s +\S" % target)

    def test_run_and_test_install_before_they_build(self):
        for target in ("run", "test"):
            lines = make("-n", target).stdout.splitlines()
            self.assertIn("scripts/deps.sh", lines[0])
            self.assertIn("scripts/build.sh release", lines[1])

    def test_hands_its_variables_to_the_scripts_and_no_others(self):
        with tempfile.TemporaryDirectory(prefix="make_test.") as root:
            shutil.copy(os.path.join(SOURCE, "Makefile"), root)
            os.mkdir(os.path.join(root, "scripts"))
            for script in ("deps", "build", "test"):
                path = os.path.join(root, "scripts", script + ".sh")
                with open(path, "w", encoding="utf-8") as program:
                    program.write('#!/bin/bash\necho "FOLDER=${FOLDER-unset} VERBOSE=${VERBOSE-unset}"\n')
                os.chmod(path, 0o755)
            self.assertEqual(set(make("test", folder=root).stdout.splitlines()),
                             {"FOLDER=unset VERBOSE=unset"})
            self.assertEqual(set(make("test", "FOLDER=a", "VERBOSE=1", folder=root).stdout.splitlines()),
                             {"FOLDER=a VERBOSE=1"})

    def test_the_sanitizers_soak_for_a_minute_unless_told_otherwise(self):
        for given, wanted in (("", "60"), ("5", "5")):
            with self.subTest(given=given):
                seen = self.soak_seconds({"GPUMON_SOAK_SECONDS": given} if given else {})
                self.assertEqual(seen, [wanted, wanted])

    def soak_seconds(self, variables):
        """What scripts/sanitize.sh gives to the tests of each sanitizer."""
        scripts = os.path.join(tempfile.mkdtemp(prefix="make_test."), "scripts")
        self.addCleanup(shutil.rmtree, os.path.dirname(scripts))
        os.mkdir(scripts)
        shutil.copy(os.path.join(SOURCE, "scripts/sanitize.sh"), scripts)
        for name, text in (("build.sh", ""), ("test.sh", 'echo "soak=$GPUMON_SOAK_SECONDS"\n')):
            path = os.path.join(scripts, name)
            with open(path, "w", encoding="utf-8") as script:
                script.write("#!/bin/bash\n" + text)
            os.chmod(path, 0o755)
        result = subprocess.run([os.path.join(scripts, "sanitize.sh")], text=True, check=True,
                                env={"PATH": "/usr/bin:/bin", **variables}, timeout=60,
                                stdout=subprocess.PIPE)
        return [line[5:] for line in result.stdout.splitlines() if line.startswith("soak=")]

    def test_ci_runs_the_tests_then_the_sanitizers(self):
        with open(os.path.join(SOURCE, ".ci/run"), encoding="utf-8") as script:
            text = script.read()
        self.assertTrue(os.access(os.path.join(SOURCE, ".ci/run"), os.X_OK))
        self.assertRegex(text, r"(?s)make test\n.*make sanitize\n\Z")

    def test_every_script_is_executable_and_stops_at_the_first_error(self):
        for script in shell_scripts():
            with self.subTest(script):
                path = os.path.join(SOURCE, script)
                with open(path, encoding="utf-8") as file:
                    text = file.read()
                self.assertTrue(os.access(path, os.X_OK))
                # One that is run for each child is sh's, which starts in no time.
                bash = text.startswith("#!/bin/bash\n")
                self.assertTrue(bash or text.startswith("#!/bin/sh\n"))
                self.assertIn("\nset -euo pipefail\n" if bash else "\nset -eu\n", text)

    def test_shellcheck_finds_nothing(self):
        result = subprocess.run(["shellcheck", *shell_scripts()], cwd=SOURCE, text=True, timeout=120,
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        self.assertEqual(result.returncode, 0, result.stdout)


if __name__ == "__main__":
    unittest.main(verbosity=2)
