// Texts of the filter box.
export const filterText = {
  label: "Filter",
  placeholder: "node=a* model=*A100* min_utilization=80 or any word",
  clear: "Clear",
  names: "Filters",
  noName: (name: string, near: string | undefined) =>
    `There is no filter “${name}”.` + (near === undefined ? "" : ` Did you mean “${near}”?`),
  noNumber: (name: string, value: string) => `${name} wants a number, “${value}” is none.`,
  noValue: (name: string) => `${name} wants a value.`,
};
