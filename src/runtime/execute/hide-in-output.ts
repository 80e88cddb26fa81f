import { hideSecrets } from '../stage/hide-secrets.ts';

/** From here on nothing that this process's code writes to its output shows one of these texts. */
export function hideInOutput(secrets: readonly string[]): void {
  if (secrets.length === 0) return;
  for (const stream of [process.stdout, process.stderr]) {
    const write = stream.write.bind(stream);
    stream.write = (chunk: string | Uint8Array, ...rest: never[]) =>
      write(hideSecrets(typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString(), secrets), ...rest);
  }
}
