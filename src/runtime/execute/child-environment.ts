/** What Node, the system's libraries, proxies and compute libraries look at. */
const names = new Set([
  ...['PATH', 'HOME', 'USERPROFILE', 'SYSTEMROOT', 'TMPDIR', 'TMP', 'TEMP', 'LANG', 'TZ'],
  ...['HTTP_PROXY', 'HTTPS_PROXY', 'NO_PROXY', 'ALL_PROXY', 'SSL_CERT_FILE', 'SSL_CERT_DIR'],
]);
const prefixes = /^(?:LC|NODE|LD|DYLD|OMP|KMP|MKL|OPENBLAS|ORT|TF|XLA|CUDA|NVIDIA|NCCL|HIP|HSA|ROCR)_/;

/**
 * The environment of a stage's process: what programs need in order to run at all, and what the stage asks for by name.
 * Tokens and passwords of other programs stay out, so that no library, core dump or report of the process has them.
 */
export const childEnvironment = (
  outside: NodeJS.ProcessEnv,
  asked: readonly string[] = [],
): Readonly<Record<string, string>> =>
  Object.fromEntries(
    Object.entries(outside).filter(
      (variable): variable is [string, string] =>
        variable[1] !== undefined && (isNeeded(variable[0].toUpperCase()) || asked.includes(variable[0])),
    ),
  );

const isNeeded = (name: string): boolean => names.has(name) || prefixes.test(name);
