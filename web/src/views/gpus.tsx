// All GPUs, or the one that the path, or its UUID, names.
import type { JSX } from "preact";
import { GpuList } from "../gpus/list.tsx";

export default function Gpus(): JSX.Element {
  return <GpuList />;
}
