import { createHash } from 'node:crypto';
import { cp, lstat, mkdir, readdir, readFile, rm, stat, symlink, utimes, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type CliRig, openCliRig } from '../cli/rig.ts';

const project = {
  'package.json': '{}',
  'p.yaml': `name: p
stages:
  one:
    uses: shell
    with: { command: 'mkdir "$OUT_d"; echo hi > "$OUT_d/f"', outputs: { d: file } }
  two:
    uses: shell
    from: { d: one }
    with: { command: 'cp "$IN_d/f" "$OUT_e"', inputs: { d: file }, outputs: { e: file } }
`,
};

/** A project whose store is the one of an earlier run, and a folder next to it that must not be touched. */
async function openWithStore(): Promise<CliRig> {
  const rig = await openCliRig(project);
  await rig.tuneloom('run');
  await rig.write('victim/one/precious', 'precious');
  const longAgo = new Date(Date.now() - 90 * 24 * 60 * 60 * 1000);
  for (const path of ['victim/one/precious', 'victim/one', 'victim'])
    await utimes(join(rig.folder, path), longAgo, longAgo);
  return rig;
}

const filesBelow = async (folder: string): Promise<readonly string[]> => {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name));
};

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

interface StoredRecord {
  readonly provenance: { readonly stage: string };
  readonly outputs: Record<string, string>;
}

/** Changes the record of the stage `one` in a way that its key does not show. */
async function tamper(rig: CliRig, change: (record: StoredRecord) => object): Promise<void> {
  for (const path of await filesBelow(join(rig.folder, 'artifacts/actions'))) {
    const record: StoredRecord = JSON.parse(await readFile(path, 'utf8'));
    if (record.provenance.stage !== 'one') continue;
    await writeFile(path, JSON.stringify({ ...record, ...change(record) }));
  }
}

async function plantBlob(rig: CliRig, content: string): Promise<string> {
  const hex = sha256(content);
  const path = join(rig.folder, 'artifacts/blobs/sha256', hex.slice(0, 2), hex.slice(2));
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, content);
  return hex;
}

const refusalOf = (place: string, store: string): string =>
  `error[linked-store] \`${place}\` of the store ${store} is a link, which tuneloom never makes there: it could lead out of the store
  help: delete the link; to keep results elsewhere name the whole store with --store or TUNELOOM_STORE
1 error. Nothing ran.`;

describe('a store that came from elsewhere', () => {
  test('with a link in place of one of its folders is refused, and nothing behind the link is touched', async () => {
    await using rig = await openWithStore();
    const places = ['tmp', 'leases', 'runs', 'state', 'outputs', 'actions', 'state/key', 'state/key/attempt'];
    for (const place of [...places, 'outputs/p', 'outputs/p/one', 'blobs/sha256', 'blobs/sha256/ab']) {
      const store = join(rig.folder, `store-${place.replaceAll('/', '-')}`);
      await cp(join(rig.folder, 'artifacts'), store, { recursive: true, verbatimSymlinks: true });
      await rm(join(store, place), { recursive: true, force: true });
      await mkdir(dirname(join(store, place)), { recursive: true });
      await symlink(join(rig.folder, 'victim'), join(store, place));
      const { exitCode, stderr } = await rig.tuneloom('run', '--force', 'one', '--store', store);
      expect([exitCode, stderr]).toEqual([2, refusalOf(place, store.replace(rig.folder, '<folder>'))]);
    }
    expect(await filesBelow(join(rig.folder, 'victim'))).toEqual([join(rig.folder, 'victim/one/precious')]);
  });

  test.each(['../../../escaped', '/tmp/escaped'])(
    'cannot lead a folder out to %j: such a manifest is damage, and its stage runs again',
    async (path) => {
      await using rig = await openWithStore();
      const file = await plantBlob(rig, 'hi\n');
      const manifest = JSON.stringify({ files: [{ digest: `sha256:${file}`, path, size: 3 }] });
      const hex = await plantBlob(rig, manifest);
      await tamper(rig, () => ({ outputs: { d: `sha256-folder:${hex}` } }));
      const before = (await readdir(rig.folder)).sort();
      const verified = await rig.tuneloom('verify');
      expect(verified.exitCode).toBe(4);
      expect(verified.stderr).toMatch(/^actions\/\S+ its output `d` is not whole$/);
      const run = await rig.tuneloom('run', '--json');
      expect([run.exitCode, run.stderr]).toEqual([0, '']);
      expect((await rig.tuneloom('verify')).exitCode).toBe(0);
      expect((await readdir(rig.folder)).sort()).toEqual(before);
    },
  );

  test.each([
    ['outputs that are no digests', { outputs: { d: '../../victim' } }],
    ['outputs that are no map', { outputs: 'all' }],
    ['the material of another key', { material: {} }],
  ])('whose record has %s is not believed', async (_, change) => {
    await using rig = await openWithStore();
    await tamper(rig, () => change);
    const { exitCode, stdout, stderr } = await rig.tuneloom('run');
    expect([exitCode, stderr]).toEqual([0, '']);
    expect(stdout).toContain('started  one');
  });

  test('keeps everything inside: an output named like a path is below outputs/', async () => {
    await using rig = await openWithStore();
    await tamper(rig, ({ outputs: { d = '' } }) => ({
      outputs: { d, '../../../escaped': d, '/etc/escaped': d, '..': d },
    }));
    expect((await rig.tuneloom('run')).exitCode).toBe(0);
    expect((await readdir(join(rig.folder, 'artifacts/outputs/p/one'))).sort()).toEqual([
      '%2Fetc%2Fescaped',
      '%2e.',
      '%2e.%2F..%2F..%2Fescaped',
      'd',
    ]);
  });

  test('whose blob is a link is used only if the bytes have the hash', async () => {
    await using rig = await openWithStore();
    const hex = sha256('hi\n');
    const blob = join(rig.folder, 'artifacts/blobs/sha256', hex.slice(0, 2), hex.slice(2));
    await rm(blob, { force: true });
    await symlink(join(rig.folder, 'victim/one/precious'), blob);
    const { exitCode, stderr } = await rig.tuneloom('run');
    expect([exitCode, stderr]).toEqual([0, '']);
    expect(await readFile(join(rig.folder, 'artifacts/outputs/p/two/e'), 'utf8')).toBe('hi\n');
    expect(await readFile(join(rig.folder, 'victim/one/precious'), 'utf8')).toBe('precious');
    expect((await lstat(blob)).isFile()).toBe(true);
  });

  test('has no effect with files that are not runs: they are skipped', async () => {
    await using rig = await openWithStore();
    const runs = join(rig.folder, 'artifacts/runs');
    const [name = ''] = await readdir(runs);
    const sound = JSON.parse(await readFile(join(runs, name), 'utf8'));
    const hostile = [
      null,
      [],
      { ...sound, stages: { one: null } },
      { ...sound, stages: { one: { decision: 'constructor' } } },
      { ...sound, stages: { one: { decision: 'failed', failure: { kind: 'toString' } } } },
      { ...sound, stages: { one: { ...sound.stages.one, outputs: { d: '../../victim' } } } },
      { ...sound, outcome: '\u001b[2J' },
      { ...sound, milliseconds: '\u001b[2J' },
    ];
    for (const [index, record] of hostile.entries())
      await writeFile(join(runs, `2099-01-0${index + 1}T00-00-00-000Z-ffffff.json`), JSON.stringify(record));
    const { stdout } = await rig.tuneloom('runs', '--json');
    expect(JSON.parse(stdout).runs.map(({ run }: { run: string }) => run)).toEqual(['<run>']);
    for (const words of [
      ['runs'],
      ['runs', 'latest'],
      ['plan'],
      ['explain', 'one'],
      ['show', 'one.d'],
      ['run'],
    ])
      expect((await rig.tuneloom(...words)).exitCode).toBe(0);
    expect((await rig.tuneloom('verify')).exitCode).toBe(4);
  });

  test('gives no run by a name that is a path, or that every object has', async () => {
    await using rig = await openWithStore();
    for (const run of ['../../p', '/etc/passwd', 'a'.repeat(300), '__proto__', 'constructor']) {
      const { exitCode, stderr } = await rig.tuneloom('runs', run);
      expect([exitCode, stderr.split('\n')[0]]).toEqual([2, `error: there is no run \`${run}\``]);
    }
  });

  test('passes on no resume state with a link in it', async () => {
    await using rig = await openWithStore();
    const script = 'cd "$(dirname "$OUT_d")/../state"; ls; ls > "$OUT_d"';
    const yaml = project['p.yaml'].replace(
      'mkdir "$OUT_d"; echo hi > "$OUT_d/f"',
      script.replaceAll("'", ''),
    );
    await rig.write('p.yaml', yaml.replace('/f"', '"'));
    await rig.tuneloom('run');
    for (const path of await filesBelow(join(rig.folder, 'artifacts/actions'))) {
      const state = join(rig.folder, 'artifacts/state', basename(path, '.json'), 'earlier/state');
      await mkdir(state, { recursive: true });
      await symlink(join(rig.folder, 'victim/one/precious'), join(state, 'answers.jsonl'));
    }
    expect((await rig.tuneloom('run', '--force', 'one')).exitCode).toBe(0);
    expect(await readFile(join(rig.folder, 'artifacts/outputs/p/one/d'), 'utf8')).toBe('');
    expect(await readFile(join(rig.folder, 'victim/one/precious'), 'utf8')).toBe('precious');
  });
});

describe('what the store keeps', () => {
  test('is read-only, and no more readable to others than the user’s umask allows', async () => {
    await using rig = await openCliRig(project);
    const before = process.umask(0o077);
    await rig.tuneloom('run').finally(() => process.umask(before));
    const blobs = await filesBelow(join(rig.folder, 'artifacts/blobs'));
    const modes = await Promise.all(blobs.map(async (path) => (await stat(path)).mode & 0o777));
    expect(new Set(modes)).toEqual(new Set([0o400]));
    const records = await filesBelow(join(rig.folder, 'artifacts/actions'));
    const open = await Promise.all(records.map(async (path) => (await stat(path)).mode & 0o077));
    expect(new Set(open)).toEqual(new Set([0]));
  });

  test('is never written through an existing file in its place', async () => {
    await using rig = await openWithStore();
    await rm(join(rig.folder, 'p.lock.yaml'));
    await symlink(join(rig.folder, 'victim/one/precious'), join(rig.folder, 'p.lock.yaml'));
    await rm(join(rig.folder, 'artifacts/stat-cache.bin'), { force: true });
    await symlink(join(rig.folder, 'victim/one/precious'), join(rig.folder, 'artifacts/stat-cache.bin'));
    await rig.tuneloom('run', '--force', 'one');
    expect(await readFile(join(rig.folder, 'victim/one/precious'), 'utf8')).toBe('precious');
  });
});
