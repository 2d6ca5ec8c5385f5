// Texts of the view of all GPUs, and of one.
export const gpusText = {
  list: {
    show: "Show",
    table: "Table",
    map: "Heat map",
    columns: "Columns",
    columnsHelp: "Fields of the API. The choice is in the address.",
    usual: "Usual columns",
    all: "All columns",
    // Where GPUs are divided, their instances are rows too.
    count: (shown: number, total: number, divided: boolean) => {
      const what = divided ? "GPUs and MIG instances" : total === 1 ? "GPU" : "GPUs";
      return shown === total ? `${total} ${what}` : `${shown} of ${total} ${what}`;
    },
    instance: "a MIG instance: a part of this GPU",
    live: "live",
    old: "old values",
    polled: "every 5 s",
    paged: (most: number) =>
      `More than ${most} GPUs: the server sorts and sends page by page. A word is looked for in the names of nodes alone.`,
    saved: (rows: number, total: number) =>
      `The file has the first ${rows} of ${total} rows: filter for the others.`,
    none: "No GPU passes these filters.",
    noneHelp: "Take some of them away, or look at another time.",
    first: "There are no GPUs yet.",
    firstHelp:
      "No exporter that this server knows shows a GPU in the connected Prometheus. gpuctl doctor, and the API's /api/v1/gpu/schema, say what is looked for.",
    filterHelp:
      "Names of the API's parameters with =, texts exact or with *, bounds as min_utilization=80 or utilization>=80; any other word is looked for in node, GPU, model, UUID, namespace and pod.",
  },
  map: {
    by: "Colour",
    utilization: "Utilization",
    memory_used_percent: "Memory used",
    temperature: "Temperature",
    health: "Health",
    legend: "Legend",
    node: "Node",
    least: "Least",
    mean: "Mean",
    most: "Most",
    label: (what: string, gpus: number, nodes: number) =>
      `Heat map: ${what} of ${gpus} GPUs on ${nodes} nodes. Arrow keys go from GPU to GPU, Enter opens one.`,
    role: "heat map",
    none: "Point at a cell, or go there with the arrow keys.",
    cell: (node: string, gpu: string, value: string) => `${node}, GPU ${gpu}: ${value}`,
    range: (low: string, high: string) => `${low} to ${high}`,
    over: (low: string) => `from ${low}`,
    alternative: "The same as a table",
  },
  pages: {
    label: "Pages",
    of: (first: number, last: number, total: number) => `${first}–${last} of ${total}`,
    before: "Page before",
    next: "Next page",
  },
};
