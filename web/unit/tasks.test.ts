import assert from "node:assert/strict";
import { test } from "node:test";
import { hostTime } from "../src/parts/hosttime.ts";
import { acts, applies } from "../src/views/tasks/gpuctl.ts";
import { deleteLine, describeLine, logsLine, parseTask } from "../src/views/tasks/kubectl.ts";
import { sshLine } from "../src/views/tasks/ssh.ts";

test("a task's name in the URL", () => {
  assert.deepEqual(parseTask("ml/train"), { namespace: "ml", name: "train" });
  assert.deepEqual(parseTask("ml/a/b"), { namespace: "ml", name: "a/b" });
  for (const bad of ["", "ml", "/train", "ml/"]) assert.equal(parseTask(bad), null);
});

test("kubectl's lines name what they are about", () => {
  const job = { kind: "Job", namespace: "ml", name: "train" };
  assert.equal(logsLine(job), "kubectl logs --all-containers --tail=200 --namespace=ml job/train");
  assert.equal(deleteLine(job), "kubectl delete --namespace=ml job/train");
  const pod = { kind: "Pod", namespace: "ml", name: "-n evil" };
  assert.equal(describeLine(pod), "kubectl describe --namespace=ml 'pod/-n evil'");
  assert.match(logsLine({ ...pod, name: "p" }, true) ?? "", /--previous/);
  assert.equal(deleteLine({ ...pod, name: "p\nrm" }), null);
});

test("gpuctl's lines are those that the state allows", () => {
  const of = (status: string, vps = false) => acts("719", status, vps).map((one) => one.act);
  assert.deepEqual(of("running"), ["show", "logs", "pause", "kill"]);
  assert.deepEqual(of("paused", true), ["show", "resume", "kill"]);
  assert.deepEqual(of("completed"), ["show", "logs"]);
  assert.equal(acts("719", "running", false).at(-1)?.line, "gpuctl kill 719");
  assert.ok(acts("1; reboot", "running", false).every((one) => one.line === null));
});

test("what does not apply is no unknown", () => {
  assert.equal(applies("completed_at", { status: "running" }), false);
  assert.equal(applies("completed_at", { status: "failed" }), true);
  assert.equal(applies("started_at", { status: "pending" }), false);
  assert.equal(applies("ssh_port", { status: "running", task_type: "command" }), false);
  assert.equal(applies("ssh_port", { status: "running", task_type: "vps" }), true);
  assert.equal(applies("required_cores", { status: "pending" }), true);
});

test("ssh wants a node and a port", () => {
  assert.equal(sshLine("gn01", 40022), "ssh -p 40022 root@gn01");
  assert.equal(sshLine(null, 40022), null);
  assert.equal(sshLine("gn01", null), null);
  assert.equal(sshLine("gn01", 0), null);
  assert.equal(sshLine("gn01\n", 40022), null);
});

test("a host's local time is not converted", () => {
  assert.deepEqual(hostTime("2026-03-01T09:15:02.418233", null), {
    words: "2026-03-01 09:15:02",
    local: true,
  });
  assert.deepEqual(hostTime("2026-03-01T09:15:02Z", "UTC"), {
    words: "2026-03-01T09:15:02Z",
    local: false,
  });
});
