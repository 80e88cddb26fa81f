import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { build } from 'esbuild';
import { peersPython } from './peers/peers-python.mjs';

const root = join(import.meta.dirname, '..');

/** Starts a program of bench/workers: `ask` sends it a request and returns its answer. */
export async function ourWorker(name, ...words) {
  const outfile = join(root, 'dist/bench', `${name}.mjs`);
  const options = {
    bundle: true,
    platform: 'node',
    target: 'node20.19',
    format: 'esm',
    packages: 'external',
  };
  const entryPoints = [join(root, 'bench/workers', `${name}.ts`)];
  await build({ ...options, entryPoints, outfile, absWorkingDir: root, logLevel: 'warning' });
  return worker(process.execPath, [outfile, ...words]);
}

/** Starts a program of bench/peers; `{ kind }` names the peers that it needs, by default those of PyTorch. */
export function peerWorker(name, ...words) {
  const [first, ...others] = words;
  const [{ kind }, rest] = typeof first === 'object' ? [first, others] : [{}, words];
  return worker(peersPython(kind), [join(root, 'bench/peers', `${name}.py`), ...rest]);
}

function worker(command, words) {
  // Large pages, which the process of a stage has too (src/core/large-pages.ts), for both sides.
  const env = { GLIBC_TUNABLES: 'glibc.malloc.hugetlb=1', ...process.env };
  const child = spawn(command, words, { env, stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    async ask(request) {
      child.stdin.write(`${JSON.stringify(request)}\n`);
      const { value, done } = await lines.next();
      if (done) throw new Error(`${words.join(' ')} ended without an answer`);
      return JSON.parse(value);
    },
    end: () => child.stdin.end(),
  };
}
