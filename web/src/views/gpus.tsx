// All GPUs, or the one that the path names, or its UUID: "#/gpus/node-1/0", "#/gpus?uuid=GPU-...".
import type { JSX } from "preact";
import { GpuDetail, type Which } from "./gpus/detail.tsx";
import { GpuList } from "./gpus/list.tsx";
import { place } from "../state/place.ts";

// The list says how it is shown as soon as its filters name a UUID.
function whichOf(): Which | null {
  const { path, params } = place.value;
  const uuids = params.getAll("uuid");
  const uuid = uuids.length === 1 ? (uuids[0] ?? null) : null;
  const [, node, gpu] = path;
  if (node !== undefined && gpu !== undefined) return { node, gpu, uuid };
  if (uuid === null || uuid.includes("*") || params.has("show")) return null;
  return { node: null, gpu: null, uuid };
}

export default function Gpus(): JSX.Element {
  const which = whichOf();
  return which === null ? <GpuList /> : <GpuDetail key={JSON.stringify(which)} which={which} />;
}
