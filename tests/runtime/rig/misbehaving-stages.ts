import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { UserError } from '../../../src/core/user-error.ts';
import { type Run, textOut, tinyStage, writeText } from './tiny-stage.ts';

/** Misbehaves as `act` says. */
const misbehave: Run = async (action, host) => {
  switch (action.config.act) {
    case 'stage-error':
      throw new UserError({ code: 'bad-data', message: 'row 3 has no text', help: 'remove row 3' });
    case 'bug':
      throw new TypeError('undefined is not a function');
    case 'nothing':
      return {};
    case 'exit':
      console.log('about to exit');
      process.exit(7);
      break;
    case 'linger':
      console.log('lingering');
      setInterval(() => host.report({ type: 'note', level: 'info', message: 'too late' }), 5);
      break;
    case 'fail-busily':
      setImmediate(() => {
        for (const end = Date.now() + 60_000; Date.now() < end; );
      });
      throw new TypeError('still busy');
    case 'nap':
      await sleep(100);
      break;
    case 'print-much':
      for (let mebibytes = 0; mebibytes < 40; mebibytes += 1) console.log('x'.repeat(2 ** 20 - 1));
      console.log(`${'\n'.repeat(20)}about to exit`);
      process.exit(7);
      break;
    case 'exit-silently':
      process.exit(0);
      break;
    case 'kill':
      process.kill(process.pid, 'SIGKILL');
      await sleep(10_000);
      break;
    case 'fill-heap':
      fillHeap();
      break;
    case 'deaf':
      await sleep(60_000);
      break;
    case 'fill-disk':
      await writeFile('/dev/full', 'x');
      break;
    case 'wait':
      await writeFile(join(action.statePath, 'started'), `${process.pid}`);
      host.report({ type: 'progress', done: 1, unit: 'step' });
      await sleep(60_000, undefined, { signal: host.signal });
  }
  return writeText(action, 'fine');
};

function fillHeap(): void {
  const held: string[][] = [];
  for (;;) held.push(Array.from({ length: 10_000 }, (_, index) => `${held.length} ${index}`));
}

const misbehaving = {
  properties: { act: { type: 'string' } },
  ports: { inputs: {}, outputs: textOut },
  run: misbehave,
};
export const misbehaveInline = tinyStage({ name: 'misbehave', ...misbehaving });
export const misbehaveChild = tinyStage({ name: 'child-misbehave', process: 'child', ...misbehaving });
export const misbehaveShared = tinyStage({ name: 'shared-misbehave', process: 'shared', ...misbehaving });
