/** How programs are started here: with namespaces of their own and within limits. */
export interface Sandbox {
  /** The program that makes the sandbox, with all its arguments up to Python's own. */
  readonly command: readonly [program: string, ...args: string[]];
  readonly timeoutMilliseconds: number;
  /** For example `3.11.2`. */
  readonly pythonVersion: string;
}

/** All that the program which makes the sandbox sees of the environment; what runs inside sees less. */
export const sandboxEnvironment = { PATH: '/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin' } as const;
