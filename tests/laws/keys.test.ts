import { utimesSync } from 'node:fs';
import { expect, test } from 'vitest';
import type { StageOutcome } from '../../src/runtime/store/run-records.ts';
import { openRig } from '../runtime/rig/run-rig.ts';
import { startRun } from '../runtime/rig/start-run.ts';
import type { TinyPipeline } from '../runtime/rig/tiny-dag.ts';

const keysOf = (stages: Iterable<readonly [string, StageOutcome]>): Readonly<Record<string, string>> =>
  Object.fromEntries([...stages].map(([id, outcome]) => [id, 'key' in outcome ? outcome.key : '']));

test('keys do not depend on folder, file name, time, locale, user, order of fields or number of jobs', async () => {
  await using here = await openRig();
  await using there = await openRig();
  await here.write('letters.txt', 'äbc');
  const renamed = await there.write('other.txt', 'äbc');
  utimesSync(renamed, new Date(0), new Date(0));
  const stages: TinyPipeline['stages'] = {
    read: { uses: 'read', with: { path: 'letters.txt' } },
    cut: { uses: 'cut', with: { parts: ['z', 'ä', 'Z'] }, from: { text: 'read.text' } },
    append: { uses: 'append', with: { suffix: '!', mode: 'loud' }, from: { text: 'cut.text' } },
    join: { uses: 'join', from: { left: 'append.text.z', right: 'append.text.Z' } },
  };
  const otherwise: TinyPipeline['stages'] = {
    ...stages,
    read: { uses: 'read', with: { path: 'other.txt' } },
    append: { uses: 'append', with: { mode: 'loud', suffix: '!' }, from: { text: 'cut.text' } },
    join: { uses: 'join', from: { right: 'append.text.Z', left: 'append.text.z' } },
  };
  const first = await here.run(here.dag(stages), { jobs: 1 });
  const env = {
    TZ: 'Asia/Kathmandu',
    LANG: 'sv_SE.UTF-8',
    LC_ALL: 'sv_SE.UTF-8',
    USER: 'somebody',
    HOME: '/nowhere',
  };
  const second = await startRun(there, otherwise, { cwd: '/', env });
  const { stdout } = await second.process;
  expect(keysOf(Object.entries<StageOutcome>(JSON.parse(stdout)))).toEqual(keysOf(first.stages));
});
