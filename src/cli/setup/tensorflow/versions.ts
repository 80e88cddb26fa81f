/** What the setup was tried with. Other versions may work; these are what is installed. */
export const versions = {
  tfjsNode: '4.22.0',
  tensorflow: '2.21.0',
  nodeApiHeaders: '1.9.0',
} as const;
