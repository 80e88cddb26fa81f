import type { Server } from 'node:http';
import { UserError } from '../core/index.ts';

interface Address {
  /** 0 for any free port. */
  readonly port: number;
  readonly hostname: string;
}

/** Why a server cannot listen, by the system's code. */
const problems: Readonly<Record<string, string>> = {
  EADDRINUSE: 'is in use',
  EACCES: 'needs more rights',
};

/** Lets a server listen, and returns its port. Throws a UserError for an address that cannot be had. */
export function listen(server: Server, { port, hostname }: Address): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => reject(listenError(error, { port, hostname })));
    server.listen(port, hostname, () => {
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : port);
    });
  });
}

function listenError(error: NodeJS.ErrnoException, { port, hostname }: Address): Error {
  const problem = problems[error.code ?? ''];
  if (problem !== undefined)
    return new UserError({
      code: 'port-in-use',
      message: `the port ${port} ${problem}`,
      help: 'choose another with --port, or leave it out for any free one',
    });
  if (error.code === 'EADDRNOTAVAIL' || error.code === 'ENOTFOUND')
    return new UserError({
      code: 'no-such-address',
      message: `this machine has no address ${hostname}`,
      help: 'name one of its addresses, or 0.0.0.0 for all of them',
    });
  return error;
}
