// Texts of the view of processes.
export const processesText = {
  columns: {
    node: "Node",
    gpu: "GPU",
    pid: "PID",
    user: "User",
    process: "Process",
    gpuMemory: "GPU memory",
    cpu: "CPU",
    memory: "Host memory",
    command: "Command",
  },
  filter: "node=a* user=alice min_cpu=50 or any word",
  count: (n: number) => (n === 1 ? "1 process" : `${n} processes`),
  found: (shown: number, total: number) => `${shown} of ${total} processes`,
  onePage: "Words are looked for on this page alone; user=, node= and pod= look in all.",
  none: "No process passes these filters.",
  noneHelp: "Take some of them away, or look at another time.",
  first: "No process is known on any GPU.",
  firstHelp:
    "Either none runs, or no exporter here tells of processes: nvidia_gpu, gpu_metrics, nvidia_smi, all_smi and nvitop do.",
  command: "Command",
  noCommand: "Point at a command, or go there with Tab, to read all of it.",
  whole: (pid: string, user: string) => `Command of process ${pid} of ${user}`,
  gpuLink: (node: string, gpu: string) => `GPU ${gpu} of ${node}`,
};
