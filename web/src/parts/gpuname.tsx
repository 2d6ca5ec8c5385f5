// How a GPU is called on its node; what is a MIG instance of it is marked.
import type { JSX } from "preact";
import type { GpuRow } from "../api/live.ts";
import { isInstance, migText } from "../fleet/cells.ts";
import { gpusText } from "../text/en/gpus.ts";

export function GpuName(props: { row: GpuRow }): JSX.Element {
  const { row } = props;
  if (!isInstance(row)) return <>{row.gpu_id}</>;
  return (
    <>
      {row.gpu_id}{" "}
      <abbr class="instance-mark" title={gpusText.list.instance}>
        MIG
      </abbr>{" "}
      {migText(row.mig)}
    </>
  );
}
