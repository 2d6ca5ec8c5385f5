// Numbers, sizes and times as people read them. Null never becomes a number.
const UNITS = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];

export function bytes(value: number): string {
  let size = value;
  let unit = 0;
  while (Math.abs(size) >= 1024 && unit < UNITS.length - 1) {
    size /= 1024;
    unit += 1;
  }
  return `${unit === 0 || size >= 100 ? size.toFixed(0) : size.toFixed(1)} ${UNITS[unit] ?? ""}`;
}

export function number(value: number, digits = 1): string {
  const text = value.toFixed(digits);
  return digits > 0 ? text.replace(/\.0+$/, "") : text;
}

// "12 s", "3 min", "5 h", "2 d": one unit, rounded down.
export function duration(seconds: number): string {
  if (seconds < 120) return `${Math.floor(seconds)} s`;
  if (seconds < 7200) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 172_800) return `${Math.floor(seconds / 3600)} h`;
  return `${Math.floor(seconds / 86_400)} d`;
}

const clock = new Intl.DateTimeFormat(undefined, {
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
});
const full = new Intl.DateTimeFormat(undefined, {
  year: "numeric",
  month: "2-digit",
  day: "2-digit",
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
});

export function time(iso: string, today = new Date()): string {
  const date = new Date(iso);
  if (Number.isNaN(date.getTime())) return iso;
  return date.toDateString() === today.toDateString() ? clock.format(date) : full.format(date);
}

const KWH = 3_600_000;

// By the unit that /fields names.
export function withUnit(value: number, unit: string | null): string {
  switch (unit) {
    case null:
    case "":
      return Number.isInteger(value) ? String(value) : number(value, 2);
    case "bytes":
      return bytes(value);
    case "bytes/s":
      return bytes(value) + "/s";
    case "s":
    case "seconds":
      return duration(value);
    case "J":
      if (value < KWH) return `${number(value)} J`;
      return `${number(value / KWH, value < 10 * KWH ? 1 : 0)} kWh`;
    default:
      return `${number(value)} ${unit}`;
  }
}

// A cell of RFC 4180; a text that a spreadsheet would take for a formula is quoted as text.
export function csvCell(value: unknown): string {
  if (value === null || value === undefined) return "";
  if (typeof value === "number" || typeof value === "boolean") return String(value);
  let text = typeof value === "string" ? value : JSON.stringify(value);
  if (/^[=+\-@\t\r]/.test(text)) text = "'" + text;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
