import { createHash } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openCliRig } from '../rig.ts';
import { type ZipMember, zipOf } from './zip.ts';

const pipeline = `name: given
stages:
  load:
    with: { records: rows.jsonl }
`;

/** A manifest that lists members as `tuneloom bundle` does. */
function manifestOf(members: readonly ZipMember[], more: readonly object[] = []): ZipMember {
  const files = members.map(({ name, content = '' }) => ({
    '@id': name,
    '@type': 'File',
    contentSize: String(Buffer.byteLength(content)),
    sha256: createHash('sha256').update(content).digest('hex'),
  }));
  const root = { '@id': './', '@type': 'Dataset', mainEntity: { '@id': 'pipeline.yaml' } };
  return {
    name: 'ro-crate-metadata.json',
    content: JSON.stringify({ '@graph': [root, ...files, ...more] }),
  };
}

const sound: readonly ZipMember[] = [
  { name: 'package.json', content: '{}' },
  { name: 'pipeline.yaml', content: pipeline },
  { name: 'rows.jsonl', content: '{"id":"a"}\n' },
];

const bundleOf = (members: readonly ZipMember[]): Buffer => zipOf([manifestOf(members), ...members]);

async function open(archive: Buffer) {
  const rig = await openCliRig();
  await writeFile(join(rig.folder, 'given.zip'), archive);
  const ended = await rig.tuneloom('open', 'given.zip');
  return {
    ...ended,
    names: readdirSync(rig.folder),
    [Symbol.asyncDispose]: () => rig[Symbol.asyncDispose](),
  };
}

test('the archives of these tests open where nothing is wrong with them', async () => {
  await using opened = await open(bundleOf(sound));
  expect(opened).toMatchObject({ exitCode: 0, names: ['given', 'given.zip'] });
});

const member = (name: string, more: Partial<ZipMember> = {}): readonly ZipMember[] => [
  ...sound,
  { name, content: 'x', ...more },
];

const unsafe: Readonly<Record<string, readonly [readonly ZipMember[], string]>> = {
  'a path that climbs out': [member('a/../../outside'), 'invalid relative path: a/../../outside'],
  'an absolute path': [member('/etc/cron.d/x'), 'absolute path: /etc/cron.d/x'],
  'a drive': [member('C:/x'), 'absolute path: C:/x'],
  'a backslash': [member('a\\..\\x'), 'the archive cannot be read: invalid characters in fileName: a\\..\\x'],
  'a symbolic link': [member('link', { mode: 0o120777 }), '`link` is a link or a device'],
  'a device': [member('zero', { mode: 0o020666 }), '`zero` is a link or a device'],
  'the same member twice': [[...sound, { name: 'rows.jsonl' }], '`rows.jsonl` is in the archive twice'],
  'names that differ in case': [
    member('ROWS.jsonl'),
    '`rows.jsonl` and `ROWS.jsonl` could be one file or folder',
  ],
  'a file that is also a folder': [
    member('rows.jsonl/x'),
    '`rows.jsonl` and `rows.jsonl/x` could be one file or folder',
  ],
  'a repository with hooks': [
    member('.git/hooks/post-checkout'),
    '`.git/hooks/post-checkout` is in a folder of version control',
  ],
  'a name that reverses text': [member('a\u202egpj.sh'), 'has a character that file names should not have'],
  'a name that ends in a dot': [member('a./b'), 'has a name that ends in a dot or a space'],
  'a device of Windows': [member('data/con.json'), 'has a name that is a device on Windows'],
  'a path of 40 levels': [member(`${'a/'.repeat(40)}b`), 'has more than 32 levels'],
  'a size that fills the disk': [member('huge', { announced: 2 ** 31 }), 'bytes and would expand to 21474'],
};

test.each(Object.entries(unsafe))(
  '%s is refused, and nothing is left behind',
  async (_name, [members, message]) => {
    await using opened = await open(bundleOf(members));
    expect(opened.exitCode).toBe(2);
    expect(opened.stderr).toContain(message);
    expect(opened.names).toEqual(['given.zip']);
  },
);

const damaged: Readonly<Record<string, readonly [Buffer, string]>> = {
  'an archive without a manifest': [zipOf(sound), 'it has no ro-crate-metadata.json'],
  'a file that the manifest does not list': [
    zipOf([manifestOf(sound), ...sound, { name: 'more.sh', content: 'x' }]),
    '`more.sh` is not listed in ro-crate-metadata.json',
  ],
  'a file with other bytes': [
    zipOf([manifestOf(sound), ...sound.slice(0, 2), { name: 'rows.jsonl', content: '{"id":"b"}\n' }]),
    '`rows.jsonl` is not the file that ro-crate-metadata.json lists',
  ],
  'a listed file that is absent': [
    zipOf([manifestOf(sound), ...sound.slice(0, 2)]),
    '`rows.jsonl` is listed and absent',
  ],
  'a record that is none': [
    bundleOf(member(`artifacts/actions/ab/ab${'0'.repeat(62)}.json`)),
    'is not the record of a stage',
  ],
  'a file in the store that belongs to no result': [
    bundleOf(member('artifacts/state/x/owner.json')),
    '`artifacts/state/x/owner.json` belongs to no result',
  ],
  'a bundle whose store would be outside of it': [
    bundleOf(sound.slice(1)),
    'it has no package.json, so its results would go to a store outside of it',
  ],
  'an approval that a bundle brings along': [
    bundleOf(member('.tuneloom/received.json')),
    "`.tuneloom/received.json` is a file of tuneloom's own",
  ],
  'settings that would send a token': [
    bundleOf(
      member('.tuneloom/settings.yaml', {
        content: '{"remotes":{"far":{"url":"https://example.org","token":"x"}}}',
      }),
    ),
    'settings that do more than name public remotes (far)',
  ],
  'settings that would run stages elsewhere': [
    bundleOf(
      member('.tuneloom/settings.yaml', { content: 'executors: { far: { kind: ssh, host: example.org } }' }),
    ),
    'settings that do more than name public remotes',
  ],
  'a truncated archive': [bundleOf(sound).subarray(0, 300), 'the archive cannot be read'],
  'another file': [Buffer.from('not an archive'), 'the archive cannot be read'],
};

test.each(Object.entries(damaged))(
  '%s is refused, and nothing is left behind',
  async (_name, [archive, message]) => {
    await using rig = await openCliRig({ 'package.json': '{}' });
    await writeFile(join(rig.folder, 'given.zip'), archive);
    const { exitCode, stderr } = await rig.tuneloom('open', 'given.zip');
    expect(exitCode).toBe(2);
    expect(stderr).toContain(message);
    expect(readdirSync(rig.folder)).toEqual(['given.zip', 'package.json']);
  },
);
