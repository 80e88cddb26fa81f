import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { remoteAddressProblem } from '../../../src/remote/index.ts';
import { renderDiagnostics } from '../../../src/runtime/diagnostic/render-diagnostics.ts';
import { findSettings } from '../../../src/runtime/settings/find-settings.ts';
import type { Settings } from '../../../src/runtime/settings/settings.ts';
import { openRig, type RunRig } from '../rig/run-rig.ts';

type Asked = { readonly file?: string; readonly store?: string; readonly executor?: string } & {
  readonly environment?: Record<string, string>;
};

/** Finds settings for a pipeline of the rig, whose home has no settings unless the test writes them. */
const find = (
  rig: RunRig,
  { file = 'project/pipeline.yaml', store, executor, environment = {} }: Asked = {},
) =>
  findSettings({
    pipelineFile: file,
    workingDirectory: rig.folder,
    environment: {
      XDG_CONFIG_HOME: join(rig.folder, 'config'),
      TUNELOOM_PROJECT_SETTINGS: 'approved',
      ...environment,
    },
    options: { store, executor },
    checkAddress: remoteAddressProblem,
  });

async function write(rig: RunRig, path: string, text: string): Promise<void> {
  await mkdir(dirname(join(rig.folder, path)), { recursive: true });
  await writeFile(join(rig.folder, path), text);
}

async function found(rig: RunRig, asked: Asked = {}): Promise<Settings> {
  const settings = await find(rig, asked);
  if (!settings.ok) throw new Error(renderDiagnostics(settings.error));
  return settings.value;
}

async function mistakes(rig: RunRig, text: string): Promise<string> {
  await write(rig, 'project/package.json', '{}');
  await write(rig, 'project/.tuneloom/settings.yaml', text);
  const settings = await find(rig);
  return settings.ok ? '' : renderDiagnostics(settings.error);
}

test('the store is where the option says, else the variable, else in the project, else beside the pipeline', async () => {
  await using rig = await openRig();
  await mkdir(join(rig.folder, 'project/pipelines'), { recursive: true });
  await write(rig, 'project/package.json', '{}');
  const file = 'project/pipelines/tiny.yaml';
  const environment = { TUNELOOM_STORE: 'shared' };
  const storeOf = async (asked: Asked) => (await found(rig, asked)).store.value;
  expect(await storeOf({ file, store: 'mine', environment })).toBe(join(rig.folder, 'mine'));
  expect(await storeOf({ file, environment })).toBe(join(rig.folder, 'shared'));
  expect(await storeOf({ file })).toBe(join(rig.folder, 'project/artifacts'));
  expect(await storeOf({ file: 'alone/tiny.yaml' })).toBe(join(rig.folder, 'alone/artifacts'));
  await mkdir(join(rig.folder, 'project/node_modules/tuneloom'), { recursive: true });
  await write(rig, 'project/node_modules/tuneloom/package.json', '{}');
  const installed = 'project/node_modules/tuneloom/pipelines/quickstart.yaml';
  expect(await storeOf({ file: installed })).toBe(join(rig.folder, 'project/artifacts'));
});

test('options win over variables, those over the project, that over the person; each value says where it came from', async () => {
  await using rig = await openRig();
  await write(rig, 'project/package.json', '{}');
  await write(
    rig,
    'project/.tuneloom/settings.yaml',
    'store: results\nreadonly_stores: [/mnt/team]\nexecutor: { train: box }\nremotes:\n  team: { url: "s3://models/tuneloom", push: auto }\n',
  );
  await write(
    rig,
    'config/tuneloom/settings.yaml',
    `store: /data/mine\nreadonly_stores: [/mnt/mine, /mnt/team]\nremotes:\n  mine: { url: ~/results }\n  team: { url: https://example.org, token: "\${env.MINE}" }\nexecutors:\n  box: { kind: ssh, host: box }\ntrust: { keys: [ed25519:q5T1xGPvVdvLMyUiWnbTsfsHkhzh+5iFIo2tYIVV0ik=] }\n`,
  );
  const inProject = (line: number) => ({ kind: 'file', path: 'project/.tuneloom/settings.yaml', line });
  const inPerson = (line: number) => ({ kind: 'file', path: 'config/tuneloom/settings.yaml', line });
  const setting = (value: unknown, origin: unknown, shown = value) => ({ value, shown, origin, unset: [] });
  const environment = { TUNELOOM_EXECUTOR: 'local', HOME: '/home/ada' };
  const settings = await found(rig, { environment, store: 'here' });
  const box = { kind: 'ssh', host: 'box', program: 'tuneloom', patience: '10m', poll: '10s' };
  expect(settings).toEqual({
    store: setting(join(rig.folder, 'here'), { kind: 'option', name: '--store' }),
    readonlyStores: [setting('/mnt/team', inProject(2)), setting('/mnt/mine', inPerson(2))],
    remotes: new Map([
      ['team', setting({ url: 's3://models/tuneloom', push: 'auto', timeout: '30s' }, inProject(5))],
      [
        'mine',
        setting({ url: '/home/ada/results', push: 'never', timeout: '30s' }, inPerson(4), {
          ...{ url: '~/results', push: 'never', timeout: '30s' },
        }),
      ],
    ]),
    trustedKeys: [setting('ed25519:q5T1xGPvVdvLMyUiWnbTsfsHkhzh+5iFIo2tYIVV0ik=', inPerson(8))],
    executors: new Map([['box', setting(box, inPerson(7))]]),
    executor: setting('local', { kind: 'variable', name: 'TUNELOOM_EXECUTOR' }),
    secrets: [],
  });
  const { store, executor } = await found(rig);
  expect([store, executor]).toEqual([
    setting(join(rig.folder, 'project/results'), inProject(1), 'results'),
    setting({ train: 'box' }, inProject(3)),
  ]);
  const pull = await found(rig, { environment: { TUNELOOM_PUSH: 'never' } });
  expect([...pull.remotes.values()].map(({ value }) => value.push)).toEqual(['never', 'never']);
  expect((await found(rig, { environment: { TUNELOOM_REMOTES: 'off' } })).remotes).toEqual(new Map());
});

test('a secret is the value of the variable that is named, and what is shown of it is the name', async () => {
  await using rig = await openRig();
  await write(rig, 'project/package.json', '{}');
  await write(
    rig,
    'project/.tuneloom/settings.yaml',
    `remotes:\n  team: { url: "https://\${env.CACHE_HOST}/x", token: "\${env.CACHE_TOKEN}" }\n`,
  );
  const shown = {
    url: `https://\${env.CACHE_HOST}/x`,
    token: `\${env.CACHE_TOKEN}`,
    push: 'never',
    timeout: '30s',
  };
  const environment = { CACHE_HOST: 'cache.example.org', CACHE_TOKEN: 'tell-no-one' };
  const { remotes, secrets } = await found(rig, { environment });
  expect(remotes.get('team')).toMatchObject({
    value: { ...shown, url: 'https://cache.example.org/x', token: 'tell-no-one' },
    shown,
    unset: [],
  });
  expect(secrets).toEqual(['cache.example.org', 'tell-no-one']);
  expect((await found(rig)).remotes.get('team')?.unset).toEqual(['CACHE_HOST', 'CACHE_TOKEN']);
});

test('every mistake in a settings file is told at once, with its line and its cure', async () => {
  await using rig = await openRig();
  const text = await mistakes(
    rig,
    `stor: artifacts
readonly_stores: ["s3://models/x"]
remotes:
  team: { url: "gs://models/tuneloom", push: sometimes }
  other: { push: auto }
  third: { url: "\${env.}" }
  fourth: { url: "s3://" }
  fifth: { url: "https://" }
  sixth: { url: "hf:models" }
executors:
  box: { kind: sh }
`,
  );
  expect(text).toMatchInlineSnapshot(`
    "project/.tuneloom/settings.yaml:1:1 error[unknown-field] a settings file has no field \`stor\`
       1 | stor: artifacts
         | ^^^^
      help: did you mean \`store\`?
    project/.tuneloom/settings.yaml:4:46 error[not-one-of] \`push\` of remote \`team\` cannot be \`sometimes\`
       4 |   team: { url: "gs://models/tuneloom", push: sometimes }
         |                                              ^^^^^^^^^
      help: it takes \`auto\` or \`never\`
    project/.tuneloom/settings.yaml:5:3 error[missing-field] remote \`other\` needs the field \`url\`
       5 |   other: { push: auto }
         |   ^^^^^
      help: for example \`url: s3://models/tuneloom\`
    project/.tuneloom/settings.yaml:11:16 error[not-one-of] \`kind\` of executor \`box\` cannot be \`sh\`
      11 |   box: { kind: sh }
         |                ^^
      help: did you mean \`ssh\`? It takes \`ssh\` or \`slurm\`
    project/.tuneloom/settings.yaml:2:19 error[not-a-folder] \`readonly_stores[0]\` is a \`s3:\` address, and a store is a folder on this machine
       2 | readonly_stores: ["s3://models/x"]
         |                   ^^^^^^^^^^^^^^^
      help: name a folder here, and the address as the \`url\` of one of the \`remotes\`
    project/.tuneloom/settings.yaml:4:16 error[bad-remote] \`url\` of remote \`team\`: there is no remote of the kind \`gs:\`
       4 |   team: { url: "gs://models/tuneloom", push: sometimes }
         |                ^^^^^^^^^^^^^^^^^^^^^^
      help: give a path, file:, https:, s3: or hf:
    project/.tuneloom/settings.yaml:6:17 error[bad-expression] \`\${env.}\` names no environment variable
       6 |   third: { url: "\${env.}" }
         |                 ^^^^^^^^^
      help: settings know \`\${env.NAME}\`; write \`$\${\` for a plain \`\${\`
    project/.tuneloom/settings.yaml:7:18 error[bad-remote] \`url\` of remote \`fourth\`: this names no bucket
       7 |   fourth: { url: "s3://" }
         |                  ^^^^^^^
      help: write it like s3://bucket/folder
    project/.tuneloom/settings.yaml:8:17 error[bad-remote] \`url\` of remote \`fifth\`: this is not an address
       8 |   fifth: { url: "https://" }
         |                 ^^^^^^^^^^
      help: write it like https://cache.example.org/tuneloom
    project/.tuneloom/settings.yaml:9:17 error[bad-remote] \`url\` of remote \`sixth\`: this is not a dataset repository of the hub
       9 |   sixth: { url: "hf:models" }
         |                 ^^^^^^^^^^^
      help: write it like hf:datasets/owner/name or hf:datasets/owner/name@branch
    10 errors. Nothing ran.
    "
  `);
});

test('a secret that is written down is refused, and not shown', async () => {
  await using rig = await openRig();
  const text = await mistakes(
    rig,
    `remotes:
  team: { url: https://cache.example.org, token: "hf_sesame" }
  other: { url: "https://ada:sesame@cache.example.org" }
`,
  );
  expect(text).toMatchInlineSnapshot(`
    "project/.tuneloom/settings.yaml:2:50 error[written-secret] \`remotes.team.token\` holds a secret, and settings only name them
       2 |   team: { url: https://cache.example.org, token: "•••••••••" }
         |                                                  ^^^^^^^^^^^
      help: put it into an environment variable and write \`\${env.NAME}\`; a secret that has been in a file for others to read should be replaced
    project/.tuneloom/settings.yaml:3:17 error[written-secret] \`remotes.other.url\` holds a secret, and settings only name them
       3 |   other: { url: "••••••••••••••••••••••••••••••••••••" }
         |                 ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      help: put it into an environment variable and write \`\${env.NAME}\`; a secret that has been in a file for others to read should be replaced
    2 errors. Nothing ran.
    "
  `);
});

test('a file of comments sets nothing', async () => {
  await using rig = await openRig();
  expect(await mistakes(rig, '# nothing yet\n')).toBe('');
});
