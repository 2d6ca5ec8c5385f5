// Texts of the VPS view.
export const words = {
  all: "Also those that have ended",
  ssh: "ssh",
  sshPort: "SSH port",
  sshHelp:
    "The port is one of its node. From where the node cannot be reached, HakuRiver's own ssh command goes through the host.",
  copyPort: "the SSH port",
  connect: "Connect",
  empty: "No VPS is there now. The switch above shows those that have ended too.",
  emptyAll: "The HakuRiver host has no VPS.",
  emptyFiltered: "No VPS passes these filters.",
  noConfigTitle: "No HakuRiver host",
  noConfig:
    "This server asks no HakuRiver host, so no VPS are known. Start it with HAKURIVER_URL set to the host's address:",
  noConfigMore: "A host with users wants HAKURIVER_TOKEN_FILE too. docs/HAKURIVER.md says more.",
  example: "Example",
};
