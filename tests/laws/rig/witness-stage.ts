import { appendFile, readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import type { StageRegistry } from '../../../src/runtime/stage/stage-definition.ts';
import { oneText, pathOf, textOut, tinyStage, writeText } from '../../runtime/rig/tiny-stage.ts';

/** Appends a line to a shared log whenever it runs. The log is not part of its key. */
const witness = tinyStage({
  name: 'witness',
  properties: {
    word: { type: 'string' },
    pause: { type: 'integer' },
    log: { type: 'string', 'x-key': 'none' },
  },
  ports: { inputs: { text: { ...oneText, required: false } }, outputs: textOut },
  run: async (action) => {
    const { word, pause, log } = action.config;
    await appendFile(String(log), `${word}\n`);
    await sleep(Number(pause));
    const above = action.inputs.text === undefined ? '' : await readFile(pathOf(action.inputs.text), 'utf8');
    return writeText(action, `${above}${word};`);
  },
});

export const witnessRegistry: StageRegistry = new Map([['witness', witness]]);
