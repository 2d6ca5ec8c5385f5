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
