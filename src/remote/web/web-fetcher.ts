import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { UserError } from '../../core/index.ts';
import type { SourceFetcher } from '../../runtime/index.ts';
import { downloadFile } from '../http/download-file.ts';
import { ConnectionFailure, HttpFailure } from '../http/send-request.ts';

/** 64 GiB. No file of rows or weights is larger, and the limit stops a host that sends without end. */
const mostBytes = 64 * 2 ** 30;

/** Downloads single files. An address has no revisions: only its content tells whether it changed. */
export const webFetcher = (): SourceFetcher => ({
  resolve: async () => undefined,
  async fetch({ address, folder, signal, report, onWait }) {
    const path = join(folder, 'content');
    // An earlier download may be outdated.
    await rm(path, { force: true });
    try {
      const url = new URL(address);
      await downloadFile({ url, path, expected: undefined, mostBytes, signal, report, onWait });
    } catch (error) {
      throw downloadError(error, address);
    }
    return path;
  },
});

function downloadError(error: unknown, address: string): unknown {
  const { host } = new URL(address);
  if (error instanceof HttpFailure)
    return new UserError({
      code: 'source-not-available',
      message: `\`${address}\` cannot be downloaded: ${host} answers with status ${error.status}`,
      help: helpFor(error.status),
      cause: error,
    });
  if (error instanceof ConnectionFailure)
    return new UserError({
      code: 'no-connection',
      message: `\`${address}\` cannot be downloaded: no connection to ${host} (${error.message})`,
      help: 'check the network and the address; a file on this machine is given by its path',
      cause: error,
    });
  return error;
}

function helpFor(status: number): string {
  if (status === 401 || status === 403) return 'it needs a password: download it yourself and give its path';
  return status === 404 ? 'is the address right?' : 'try again later';
}
