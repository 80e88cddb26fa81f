import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { dataProject, openCliRig } from './rig.ts';

test.each(['run', 'plan', 'doctor', 'verify', 'runs'])(
  '%s tells of mistakes in settings as of those in a pipeline, before anything runs',
  async (command) => {
    await using rig = await openCliRig(dataProject);
    await rig.write(
      '.tuneloom/settings.yaml',
      'remote:\n  team: { url: s3://models/x }\nstore: s3://models/y\n',
    );
    expect(await rig.tuneloom(command)).toEqual({
      exitCode: 2,
      stdout: '',
      stderr: `.tuneloom/settings.yaml:1:1 error[unknown-field] a settings file has no field \`remote\`
   1 | remote:
     | ^^^^^^
  help: did you mean \`remotes\`?
.tuneloom/settings.yaml:3:8 error[not-a-folder] \`store\` is a \`s3:\` address, and a store is a folder on this machine
   3 | store: s3://models/y
     |        ^^^^^^^^^^^^^
  help: name a folder here, and the address as the \`url\` of one of the \`remotes\`
2 errors. Nothing ran.`,
    });
    const { stdout } = await rig.tuneloom(command, '--json');
    expect(JSON.parse(stdout).errors.map(({ code }: { code: string }) => code)).toEqual([
      'unknown-field',
      'not-a-folder',
    ]);
  },
);

const approved = { TUNELOOM_PROJECT_SETTINGS: 'approved' };

test('doctor says which settings are in force and where each comes from, without secrets', async () => {
  await using rig = await openCliRig(dataProject);
  await rig.write(
    '.tuneloom/settings.yaml',
    `store: results
readonly_stores: [/mnt/none]
remotes:
  team: { url: s3://models/tuneloom, push: auto, token: "\${env.NOT_SET}" }
`,
  );
  await rig.write(
    '.config/tuneloom/settings.yaml',
    'executors:\n  box: { kind: ssh, host: box, store: /data }\n',
  );
  const { findings, settings } = JSON.parse((await rig.tuneloomWith(approved, 'doctor', '--json')).stdout);
  const unapproved = JSON.parse((await rig.tuneloom('doctor', '--json')).stdout);
  expect(unapproved.findings).toContainEqual({
    subject: 'not approved',
    state: 'absent',
    found: expect.stringMatching(/^team \(.*settings\.yaml\); `tuneloom run` asks$/),
  });
  const shown = findings.filter(({ found }: { found: string }) => found.includes('settings.yaml:'));
  expect(shown).toEqual([
    { subject: 'settings: store', state: 'good', found: 'results (.tuneloom/settings.yaml:1)' },
    {
      subject: 'read-only store',
      state: 'bad',
      found: '/mnt/none (.tuneloom/settings.yaml:2)',
      help: 'there is no such folder: is its drive mounted?',
    },
    {
      subject: 'remote team',
      state: 'bad',
      found: 's3://models/tuneloom, runs push to it (.tuneloom/settings.yaml:4)',
      help: 'set the environment variable NOT_SET',
    },
    { subject: 'executor box', state: 'good', found: 'ssh (.config/tuneloom/settings.yaml:2)' },
  ]);
  expect(settings.remotes.team).toEqual({
    value: { url: 's3://models/tuneloom', push: 'auto', timeout: '30s', token: `\${env.NOT_SET}` },
    from: '.tuneloom/settings.yaml:4',
    unset: ['NOT_SET'],
  });
  expect(settings.store).toEqual({ value: 'results', from: '.tuneloom/settings.yaml:1' });
});

test('a remote whose variable is not set costs a run a warning', async () => {
  await using rig = await openCliRig(dataProject);
  await rig.write(
    '.tuneloom/settings.yaml',
    `remotes:\n  team: { url: s3://models/tuneloom, token: "\${env.NOT_SET}" }\n`,
  );
  const { exitCode, stdout } = await rig.tuneloomWith(approved, 'run');
  expect([exitCode, stdout.match(/warning .*/g)]).toEqual([
    0,
    ['warning  the remote team: it needs the environment variable NOT_SET, which is not set'],
  ]);
});

test('`schema settings` prints the schema of settings files', async () => {
  await using rig = await openCliRig();
  const { exitCode, stdout } = await rig.tuneloom('schema', 'settings');
  const file = new URL('../../schemas/settings.schema.json', import.meta.url);
  expect([exitCode, JSON.parse(stdout)]).toEqual([0, JSON.parse(readFileSync(file, 'utf8'))]);
});

test.each([
  ['TUNELOOM_PUSH', 'Never', '`auto` or `never`'],
  ['TUNELOOM_REMOTES', 'no', '`on` or `off`'],
])(
  '%s=%s is refused: it would pass for unset, and a job write or ask all the same',
  async (name, value, takes) => {
    await using rig = await openCliRig(dataProject);
    expect(await rig.tuneloomWith({ [name]: value }, 'run')).toEqual({
      exitCode: 2,
      stdout: '',
      stderr: `error: ${name} cannot be \`${value}\`\n  help: it takes ${takes}`,
    });
  },
);
