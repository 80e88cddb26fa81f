import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { cp } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type CliRig, openCliRig } from '../cli/rig.ts';
import { mortalCommand } from './rig/mortal-command.ts';
import { filesBelow, lastRunIn } from './rig/stored.ts';

/** How many bits are flipped in each file, at places that the seed chooses. */
const rounds = Number(process.env.TUNELOOM_LAW_BITS ?? 1);
const seed = Number(process.env.TUNELOOM_LAW_SEED ?? 20_260_101);
const model = join(import.meta.dirname, '../fixtures/training/tiny-gpt2');
const rows = Array.from({ length: 9 }, (_, row) => ({ text: `w${row} w${row + 1} w${row + 2} w${row + 3}` }));

const projectAt = (address: string) => ({
  'package.json': '{}',
  'own/stage.yaml': 'name: own\ninputs: { records: records }\noutputs: { records: records }\n',
  'own/index.ts': `import { implementStage } from 'tuneloom/stage';
import { keep } from './keep.ts';
export const { run } = implementStage<object>()({
  inputs: { records: 'records' },
  outputs: { records: 'records' },
  async run({ inputs, outputs }) {
    for await (const record of inputs.records) if (keep(record)) await outputs.records.write(record);
  },
});
`,
  'own/keep.ts': 'export const keep = (record: object): boolean => Object.keys(record).length > 0;\n',
  'tune.yaml': `name: tune
stages:
  base: { uses: load, with: { model: ${model} } }
  load: { with: { records: "${address}/rows.json" } }
  own: { uses: ./own, from: load }
  format: { from: own, with: { template: { prompt: "{{ text }}", response: "w3" } } }
  tokenize: { from: { records: format, tokenizer: base.tokenizer } }
  collate: { from: tokenize, with: { batch_size: 3, max_length: 16, train_on: all } }
  train: { from: { model: base, train: collate }, with: { epochs: 3, sample: { max_new_tokens: 0 } } }
  generate: { from: { model: train, prompts: format }, with: { max_new_tokens: 2, batch_size: 3 } }
  evaluate: { from: generate, with: { metrics: [exact_match] } }
`,
});

/** All that a store keeps except blobs, records and runs, which another test covers. */
const kept = /^(?:leases|sources|memo|checkpoints|state|downloads)\/|^[^/]*\.json$/;

interface Kept {
  readonly path: string;
  readonly bit: number;
}

/** Flips a bit in each file that a store keeps. */
function turnBits({ folder }: CliRig, round: number): readonly Kept[] {
  const store = join(folder, 'artifacts');
  const paths = filesBelow(store).filter((path) => kept.test(path) && !path.endsWith('log.txt'));
  return paths.flatMap((path) => {
    const bytes = readFileSync(join(store, path));
    if (bytes.length === 0) return [];
    const bit = mix(`${seed} ${round} ${path.replaceAll(/[0-9a-f-]{16,}/g, '')}`) % (bytes.length * 8);
    bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    chmodSync(join(store, path), 0o644);
    writeFileSync(join(store, path), bytes);
    return [{ path, bit }];
  });
}

/** FNV-1a, 32 bits. */
const mix = (text: string): number =>
  [...Buffer.from(text)].reduce((hash, byte) => Math.imul(hash ^ byte, 16_777_619) >>> 0, 2_166_136_261);

const outputsIn = ({ folder }: CliRig, store: string): object =>
  Object.fromEntries(
    Object.entries(lastRunIn(join(folder, store)).stages).map(([id, { outputs }]) => [id, outputs]),
  );

async function copyOf({ folder }: CliRig): Promise<CliRig> {
  const rig = await openCliRig();
  await cp(folder, rig.folder, { recursive: true, verbatimSymlinks: true, preserveTimestamps: true });
  return rig;
}

async function serveRows(): Promise<{ readonly server: Server; readonly address: string }> {
  const server = createServer((_, response) => response.end(JSON.stringify(rows)));
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const { port } = server.address() as AddressInfo; // a TCP server has a port
  return { server, address: `http://127.0.0.1:${port}` };
}

/** A project whose training died in its third epoch, with the lease of the dead process. */
async function openHalfTrained(address: string): Promise<CliRig> {
  const rig = await openCliRig(projectAt(address));
  const death = { role: 'train', operation: 330, torn: false, dies: 'both' } as const;
  await mortalCommand(rig, ['run'], { death, hastens: 'train' });
  return rig;
}

test('whichever bits change in a lease, a cache, a resolution, an answer, an epoch or a state, no wrong result is used', async () => {
  const { server, address } = await serveRows();
  try {
    await using half = await openHalfTrained(address);
    const folders = new Set(filesBelow(join(half.folder, 'artifacts')).map((path) => path.split('/')[0]));
    expect([...folders].filter((name) => /^[a-z-]+(\.json)?$/.test(name ?? '')).sort()).toEqual(
      ['actions', 'blobs', 'checkpoints', 'leases', 'outputs', 'runs', 'sources', 'state'].sort(),
    );
    const changed = ['--set', 'stages.generate.with.clean=false'];
    await using whole = await copyOf(half);
    expect((await whole.tuneloom('run', '--store', 'fresh')).exitCode).toBe(0);
    const due = outputsIn(whole, 'fresh');
    expect((await whole.tuneloom('run', '--store', 'fresh', ...changed)).exitCode).toBe(0);
    const dueChanged = outputsIn(whole, 'fresh');
    for (let round = 0; round < rounds; round += 1) {
      await using rig = await copyOf(half);
      const turned = [turnBits(rig, round)];
      const first = await rig.tuneloom('run');
      expect({ turned, said: first.stderr, outputs: outputsIn(rig, 'artifacts') }).toEqual({
        turned,
        said: '',
        outputs: due,
      });
      // Now the answers and the stat cache exist too, and all of it is used once more.
      turned.push(turnBits(rig, round + rounds));
      expect((await rig.tuneloom('run', ...changed)).exitCode).toBe(0);
      expect({ turned, outputs: outputsIn(rig, 'artifacts') }).toEqual({ turned, outputs: dueChanged });
      expect([turned, (await rig.tuneloom('verify')).exitCode]).toEqual([turned, 0]);
    }
  } finally {
    server.close();
  }
}, 600_000);
