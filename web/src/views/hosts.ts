// CPU and memory of the nodes as they were while the page was open: the server has no history of
// them. What was not asked for is a gap.
export interface HostRow {
  readonly cpu?: number | null;
  readonly cores_total?: number | null;
  readonly host_memory_total_bytes?: number | null;
  readonly host_memory_available_bytes?: number | null;
}

export interface Sample {
  readonly time: number; // Unix seconds
  readonly cpu: number | null; // %, mean by cores
  readonly busiest: number | null; // %
  readonly used: number | null; // bytes
  readonly total: number | null;
  readonly known: number; // nodes that tell their CPU
}

export function sampleOf(rows: readonly HostRow[], time: number): Sample {
  let weight = 0;
  let cpu = 0;
  let busiest: number | null = null;
  let known = 0;
  let used: number | null = null;
  let total: number | null = null;
  for (const row of rows) {
    if (row.cpu != null) {
      // A node that does not tell its cores counts as one core: better than not at all.
      const cores = row.cores_total ?? 1;
      cpu += row.cpu * cores;
      weight += cores;
      busiest = Math.max(busiest ?? 0, row.cpu);
      known += 1;
    }
    if (row.host_memory_total_bytes != null && row.host_memory_available_bytes != null) {
      total = (total ?? 0) + row.host_memory_total_bytes;
      used = (used ?? 0) + row.host_memory_total_bytes - row.host_memory_available_bytes;
    }
  }
  return { time, cpu: weight > 0 ? cpu / weight : null, busiest, used, total, known };
}

const GAP = 30; // seconds without a sample that are shown as a gap
export const MOST = 4000; // samples kept: five and a half hours of one each 5 s

const NOTHING = { cpu: null, busiest: null, used: null, total: null, known: 0 };

// The samples with one of their own, and a gap before it where nobody asked for a while.
export function withSample(samples: readonly Sample[], sample: Sample): readonly Sample[] {
  const last = samples.at(-1);
  if (last !== undefined && sample.time <= last.time) return samples;
  const gap = last !== undefined && sample.time - last.time > GAP;
  const added = gap
    ? [...samples, { ...NOTHING, time: last.time + 1 }, sample]
    : [...samples, sample];
  return added.length > MOST ? added.slice(added.length - MOST) : added;
}

const LEAST = 60;

// The samples, and nothing before them where they are less than a minute: an axis of one instant
// has no scale.
export function forMinute(samples: readonly Sample[]): readonly Sample[] {
  const first = samples[0];
  const last = samples.at(-1);
  if (first === undefined || last === undefined) return samples;
  const begin = last.time - LEAST;
  return first.time <= begin ? samples : [{ ...NOTHING, time: begin }, ...samples];
}

// The mean of lists that end at the same time, value by value.
export function meanOf(lists: readonly (readonly (number | null)[])[]): (number | null)[] {
  const longest = Math.max(0, ...lists.map((list) => list.length));
  return Array.from({ length: longest }, (_, i) => {
    const values = lists
      .map((list) => list[list.length - longest + i])
      .filter((value) => value !== null && value !== undefined);
    return values.length === 0 ? null : values.reduce((sum, one) => sum + one, 0) / values.length;
  });
}
