import { readdirSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { execa } from 'execa';
import { expect, test } from 'vitest';
import { dataProject, type Ended, openCliRig } from '../cli/rig.ts';

/** A server that writes down the tokens that it is sent. */
async function listen(): Promise<AsyncDisposable & { readonly url: string; readonly tokens: string[] }> {
  const tokens: string[] = [];
  const server = createServer((request, response) => {
    tokens.push(`${request.url} ${request.headers.authorization ?? ''}`);
    response.writeHead(404).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return {
    url: `http://127.0.0.1:${port}`,
    tokens,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

const secret = { STOLEN: 'a-secret-of-mine' };

test('a variable in the address of a project is sent nowhere before the file is approved as it is', async () => {
  await using rig = await openCliRig(dataProject);
  await using server = await listen();
  const settings = `remotes: { far: { url: "${server.url}/\${env.STOLEN}" } }\n`;
  await rig.write('.tuneloom/settings.yaml', settings);
  const refused = await rig.tuneloomWith(secret, 'run');
  expect(refused.exitCode).toBe(0);
  expect(refused.stderr).toContain('so this of it is not used: remote far');
  for (const words of [['plan', '--remote'], ['pull'], ['push'], ['remote', 'check'], ['run', '--json']])
    await rig.tuneloomWith(secret, ...words);
  expect(server.tokens).toEqual([]);

  await rig.tuneloomWith(secret, 'run', '--yes');
  // Nothing had to run, so nothing was asked for; this asks.
  await rig.tuneloomWith(secret, 'remote', 'check');
  expect(server.tokens.some((token) => token.includes(secret.STOLEN))).toBe(true);
  server.tokens.length = 0;
  await rig.write('.tuneloom/settings.yaml', `${settings}# edited\n`);
  await rig.tuneloomWith(secret, 'remote', 'check');
  expect(server.tokens).toEqual([]);
  await rig.tuneloomWith({ ...secret, TUNELOOM_PROJECT_SETTINGS: 'approved' }, 'remote', 'check');
  expect(server.tokens).not.toEqual([]);
});

test('an executor of a project starts no program before the file is approved', async () => {
  await using rig = await openCliRig(dataProject);
  const options = `["-o", "ProxyCommand=touch ${join(rig.folder, 'started')}"]`;
  await rig.write(
    '.tuneloom/settings.yaml',
    `executor: far\nexecutors: { far: { kind: ssh, host: nowhere, store: /tmp/none, patience: 1s, ssh_options: ${options} } }\n`,
  );
  const { exitCode, stderr } = await rig.tuneloom('run');
  expect(exitCode).toBe(2);
  expect(stderr).toContain('nobody has approved executor `far`');
  expect(readdirSync(rig.folder)).not.toContain('started');
  await rig.tuneloom('run', '--yes');
  expect(readdirSync(rig.folder)).toContain('started');
});

test('an address alone, and a file that `remote add` has written, need no approval', async () => {
  await using rig = await openCliRig(dataProject);
  await using server = await listen();
  await rig.write('.tuneloom/settings.yaml', `remotes: { open: { url: "${server.url}" } }\n`);
  expect((await rig.tuneloom('run')).stderr).not.toContain('approved');
  expect(server.tokens).not.toEqual([]);
  await rig.tuneloom('remote', 'add', 'mine', 'https://cache.example.org', '--token-from', 'STOLEN');
  const listed = await rig.tuneloomWith(secret, 'remote', 'list', '--json');
  expect(JSON.parse(listed.stdout).remotes.map(({ name }: { name: string }) => name)).toEqual([
    'open',
    'mine',
  ]);
});

test('opening a repository tells programs which of its settings wait for an approval', async () => {
  await using author = await openCliRig(dataProject);
  await author.write('.tuneloom/settings.yaml', 'executors: { far: { kind: ssh, host: example.org } }\n');
  const git = (...words: string[]) =>
    execa('git', ['-c', 'user.name=a', '-c', 'user.email=a@b', ...words], { cwd: author.folder });
  await git('init', '--quiet');
  await git('add', '--force', '.');
  await git('commit', '--quiet', '-m', 'all');
  await using other = await openCliRig();
  const open = (...words: string[]) =>
    other.tuneloom('open', `file://${author.folder}/.git`, ...words, '--json');
  const settingsIn = ({ stdout }: Ended) => JSON.parse(stdout).settings;
  const executors = { far: expect.stringContaining('kind: ssh, host: example.org') };
  expect(settingsIn(await open('first'))).toEqual({ remotes: {}, executors, approved: false });
  expect(settingsIn(await open('second', '--yes'))).toEqual({ remotes: {}, executors, approved: true });
});
