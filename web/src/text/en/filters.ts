// What stands at filters and small parts that several views share.
export const words = {
  any: "any",
  all: "all",
  pattern: "Exact, or with * for any characters; several with commas between them",
  clear: "Clear filters",
  copy: "Copy",
  copied: "Copied",
  copyWhat: (what: string) => `Copy ${what}`,
  cannotCopy: "The browser does not allow it: select and copy the text",
  unsafe: "This name has characters that no command line should get.",
  localTime: "the host's local time",
  localShort: "host",
  old: (why: string) => `No newer answer: ${why}. What is shown is the last one.`,
  close: "Close",
  source: "Source",
  kubernetes: "Kubernetes",
  hakuriver: "HakuRiver",
};
