import { existsSync } from 'node:fs';
import { appendFile, cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { UserError } from '../../../src/core/user-error.ts';
import type { StageRegistry } from '../../../src/runtime/stage/stage-definition.ts';
import { misbehaveChild, misbehaveInline, misbehaveShared } from './misbehaving-stages.ts';
import { eachText, oneText, partsOf, pathOf, readText, textOut, tinyStage, writeText } from './tiny-stage.ts';

export const read = tinyStage({
  name: 'read',
  properties: { path: { type: 'string', 'x-key': 'source' } },
  ports: { inputs: {}, outputs: textOut },
  run: async (action) => writeText(action, await readFile(String(action.config.path), 'utf8')),
});

/** Adds a suffix; `label` and `mode` are there for their key marks. */
export const append = tinyStage({
  name: 'append',
  properties: {
    suffix: { type: 'string' },
    label: { type: 'string', 'x-key': 'none' },
    mode: { type: 'string', default: 'plain', 'x-key': 'unless-default' },
  },
  ports: { inputs: { text: eachText }, outputs: textOut },
  run: async (action) => {
    const [inputs, outputs] = [partsOf(action.inputs.text), partsOf(action.outputs.text)];
    for (const [part, path] of Object.entries(inputs)) {
      await writeFile(String(outputs[part]), `${await readFile(path, 'utf8')}${action.config.suffix ?? ''}`);
    }
    return { characters: 1 };
  },
});

/** The length only, so that different inputs can give the same output. */
export const count = tinyStage({
  name: 'count',
  ports: { inputs: { text: oneText }, outputs: textOut },
  run: async (action) => writeText(action, `${(await readText(action.inputs.text)).length}`),
});

export const join2 = tinyStage({
  name: 'join',
  ports: { inputs: { left: oneText, right: oneText }, outputs: textOut },
  run: async (action) =>
    writeText(action, `${await readText(action.inputs.left)}+${await readText(action.inputs.right)}`),
});

/** Writes a part for each name in `parts`: that name's share of the characters. */
export const cut = tinyStage({
  name: 'cut',
  properties: { parts: { type: 'array', items: { type: 'string' } } },
  ports: ({ parts }) => ({
    inputs: { text: oneText },
    outputs: { text: { type: 'text', parts: Array.isArray(parts) ? parts.map(String) : [] } },
  }),
  run: async (action) => {
    const text = await readText(action.inputs.text);
    const outputs = Object.entries(partsOf(action.outputs.text));
    const size = Math.ceil(text.length / outputs.length);
    for (const [index, [, path]] of outputs.entries()) {
      await writeFile(path, text.slice(index * size, (index + 1) * size));
    }
    return {};
  },
});

/** A folder with the text in two files, one of them further down. */
export const pack = tinyStage({
  name: 'pack',
  ports: { inputs: { text: oneText }, outputs: { box: { type: 'box' } } },
  run: async (action) => {
    const box = pathOf(action.outputs.box);
    await mkdir(join(box, 'inner'), { recursive: true });
    await writeFile(join(box, 'label.txt'), 'box');
    await writeFile(join(box, 'inner', 'text.txt'), await readText(action.inputs.text));
    return {};
  },
});

export const unpack = tinyStage({
  name: 'unpack',
  ports: { inputs: { box: { accepts: ['box'], required: true, parts: 'one' } }, outputs: textOut },
  run: async (action) =>
    writeText(action, await readFile(join(pathOf(action.inputs.box), 'inner', 'text.txt'), 'utf8')),
});

/** Copies in its own process and reports which. */
export const childCopy = tinyStage({
  name: 'child-copy',
  process: 'child',
  device: 'accelerator',
  ports: { inputs: { text: oneText }, outputs: textOut },
  run: async (action, host) => {
    host.report({ type: 'note', level: 'info', message: 'copying' });
    await cp(pathOf(action.inputs.text), pathOf(action.outputs.text));
    return { process: process.pid };
  },
});

/** Reads its source, then changes it. */
export const meddle = tinyStage({
  name: 'meddle',
  properties: { path: { type: 'string', 'x-key': 'source' } },
  ports: { inputs: {}, outputs: textOut },
  run: async (action) => {
    const path = String(action.config.path);
    await writeText(action, await readFile(path, 'utf8'));
    await appendFile(path, 'more');
    return {};
  },
});

/** Loses its source before it has read it. */
export const lose = tinyStage({
  name: 'lose',
  properties: { path: { type: 'string', 'x-key': 'source' } },
  ports: { inputs: {}, outputs: textOut },
  run: async (action) => {
    const path = String(action.config.path);
    await rm(path);
    await writeText(action, await readFile(path, 'utf8'));
    return {};
  },
});

/** Ends only when a stage of the same `place` and another `name` runs at the same time. */
export const meet = tinyStage({
  name: 'meet',
  properties: { name: { type: 'string' }, other: { type: 'string' }, place: { type: 'string' } },
  ports: { inputs: {}, outputs: textOut },
  run: async (action) => {
    const { name, other, place } = action.config;
    await writeFile(join(String(place), String(name)), '');
    while (!existsSync(join(String(place), String(other)))) await sleep(5);
    return writeText(action, `${name} met ${other}`);
  },
});

/** Counts to `goal`, one more each time it runs, and fails before it is reached; its count is in its state folder. */
export const resume = tinyStage({
  name: 'resume',
  process: 'child',
  properties: { goal: { type: 'integer' } },
  ports: { inputs: {}, outputs: textOut },
  run: async (action) => {
    const path = join(action.statePath, 'count');
    const done = Number(await readFile(path, 'utf8').catch(() => '0')) + 1;
    await writeFile(path, `${done}`);
    if (done < Number(action.config.goal)) {
      throw new UserError({ code: 'not-there', message: `at ${done} of ${action.config.goal}` });
    }
    return writeText(action, `counted ${done}`);
  },
});

export const tinyRegistry: StageRegistry = new Map(
  [
    read,
    append,
    count,
    join2,
    cut,
    pack,
    unpack,
    childCopy,
    misbehaveInline,
    misbehaveShared,
    misbehaveChild,
    resume,
    meddle,
    lose,
    meet,
  ].map((stage) => [stage.name, stage]),
);
