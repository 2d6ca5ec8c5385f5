// How the rows of a divided GPU are called where only the UUID says which instance one is.
import { gpuText } from "../../text/en/gpu.ts";

// Some exporters know no UUID of an instance: then nothing says which of them a row is. `divided`:
// the whole GPU has no row.
export function migNames(
  rows: readonly { readonly mig_uuid?: string | null }[],
  divided: boolean,
  nameOf: (migUuid: string) => string,
): string[] {
  const unnamed = rows.filter((row) => !row.mig_uuid);
  const some = divided || unnamed.length > 1;
  return rows.map((row) => {
    if (row.mig_uuid) return nameOf(row.mig_uuid);
    return some ? gpuText.unnamed(unnamed.indexOf(row) + 1) : gpuText.whole;
  });
}
