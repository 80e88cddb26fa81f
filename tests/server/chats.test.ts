import { expect, test } from 'vitest';
import { openCliRig } from '../cli/rig.ts';
import { openUi, uiProject } from './rig.ts';

const settings = {
  maxNewTokens: 4,
  temperature: 0,
  topP: 1,
  minP: 0,
  repetitionPenalty: 1,
  seed: 0,
};

test('a chat that a page closes ends, and one that is open ends with the server', async () => {
  await using cli = await openCliRig(uiProject);
  expect((await cli.tuneloom('run', 'small.yaml', 'base')).exitCode).toBe(0);
  await using ui = await openUi(cli);
  const { rows } = await ui.get<{ rows: readonly { run: string }[] }>('runs');
  const model = { run: rows[0]?.run ?? '', stage: 'base', output: 'model' };
  const open = () =>
    ui.send<{ chat: string }>('POST', 'chats', { ...model, system: '', template: 'alpaca', settings });
  const { status, body } = await open();
  expect(status).toBe(201);
  expect(await ui.send('POST', `chats/${body.chat}/close`)).toEqual({ status: 200, body: { closed: true } });
  expect((await open()).status).toBe(201);
  expect(await ui.end()).toBe(0);
});
