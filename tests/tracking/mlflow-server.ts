import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { execa } from 'execa';

/** The Python that has TensorBoard and MLflow; undefined where there is none. */
export const python = process.env.TUNELOOM_PYTHON;

const fixtures = join(import.meta.dirname, '../fixtures/tracking');

/** What a script of tests/fixtures/tracking prints. */
export async function readBack(script: string, argument: string) {
  const { stdout } = await execa(python ?? 'python3', [join(fixtures, script), argument]);
  return JSON.parse(stdout.split('\n').at(-1) ?? '');
}

/** Whether that Python has a module. */
export async function hasModule(name: string): Promise<boolean> {
  if (python === undefined) return false;
  const { exitCode } = await execa(
    python,
    ['-c', `import importlib.util as u, sys; sys.exit(u.find_spec("${name}") is None)`],
    {
      reject: false,
    },
  );
  return exitCode === 0;
}

/** A real MLflow server on loopback, with its data in a temporary folder. */
export async function openMlflowServer(): Promise<AsyncDisposable & { readonly url: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'tuneloom-mlflow-'));
  const port = await freePort();
  const mlflow = join(dirname(python ?? ''), 'mlflow');
  const server = execa(
    mlflow,
    [
      ...['server', '--host', '127.0.0.1', '--port', String(port), '--workers', '1'],
      ...[
        '--backend-store-uri',
        `sqlite:///${join(folder, 'mlflow.db')}`,
        '--artifacts-destination',
        join(folder, 'artifacts'),
      ],
    ],
    { cwd: folder, reject: false, all: true, detached: true },
  );
  const url = `http://127.0.0.1:${port}`;
  for (let tries = 0; ; tries += 1) {
    const isReady = await fetch(`${url}/health`).then(
      ({ ok }) => ok,
      () => false,
    );
    if (isReady) break;
    if (tries > 550 || server.exitCode != null)
      throw new Error(`mlflow server does not start: ${(await server).all}`);
    await sleep(100);
  }
  return {
    url,
    [Symbol.asyncDispose]: async () => {
      // The server's workers are its children, in a process group of their own.
      if (server.pid !== undefined) process.kill(-server.pid, 'SIGKILL');
      await server;
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const address = server.address();
  await new Promise((closed) => server.close(closed));
  if (address === null || typeof address === 'string') throw new Error('no port is free');
  return address.port;
}
