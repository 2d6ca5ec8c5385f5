// Times as a HakuRiver host writes them: its own local time where it says no zone, and that is no
// instant anybody could convert.

export interface HostTime {
  readonly words: string; // "2026-03-01 09:15:02"
  readonly local: boolean; // the host's own
}

export function hostTime(text: string, zone: string | null | undefined): HostTime {
  if (zone !== null && zone !== undefined) return { words: text, local: false };
  return { words: text.replace("T", " ").replace(/\.\d+$/, ""), local: true };
}
