import { mkdtemp, readdir, rm, truncate } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { AnswerJournal } from '../../../src/stages/generate/answer-journal.ts';
import type { Answer } from '../../../src/stages/generate/answer-source.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'journal-'));
});
afterEach(() => rm(folder, { recursive: true }));

const answer = (id: string): Answer => ({ id, text: `line one\n"${id}" é`, finishReason: 'stop', tokens: 3 });

test('a journal gives back the answers that were added before, for the same fingerprint only', async () => {
  const first = await AnswerJournal.open(folder, 'onnx, two threads');
  first.add(answer('a'));
  first.add(answer('b'));
  expect([...first.known]).toEqual([]);
  const again = await AnswerJournal.open(folder, 'onnx, two threads');
  expect([...again.known.values()]).toEqual([answer('a'), answer('b')]);
  expect([...(await AnswerJournal.open(folder, 'cpu')).known]).toEqual([]);
});

test('wherever a line is torn, the others count, and so does what is added after it', async () => {
  const whole = await AnswerJournal.open(folder, 'x');
  whole.add(answer('a'));
  const [name = ''] = await readdir(folder);
  const path = join(folder, name);
  const line = 1 + 17 + Buffer.byteLength(JSON.stringify(answer('b'))); // newline, checksum, space, content
  for (const kept of [0, 1, 5, 17, 18, 30, line - 1]) {
    await truncate(path, line);
    whole.add(answer('b'));
    await truncate(path, line + kept);
    whole.add(answer('c'));
    const { known } = await AnswerJournal.open(folder, 'x');
    expect([...known.values()]).toEqual([answer('a'), answer('c')]);
  }
});
