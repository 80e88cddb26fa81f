import { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { createColors } from 'picocolors';
import { expect, test } from 'vitest';
import { converse } from '../../../src/cli/chat/converse.ts';
import { UserError } from '../../../src/core/user-error.ts';
import { openCliRig } from '../rig.ts';

const evil = '\u001b]0;pwned\u0007hello';

/** The output for these lines, of a session that repeats each message. */
async function printed(lines: string, json: boolean) {
  const out: string[] = [];
  const push = (text: string) => void out.push(text);
  const session = {
    adapters: ['sql'],
    useAdapter: (name: string) => name === 'sql' && push('(sql)') === undefined,
    reset: () => push('(reset)'),
    setSystem: (system: string) => push(`(system ${system})`),
    ask: async ({ text }: { text: string }) => {
      if (text === 'too much') throw new UserError({ code: 'x', message: 'too much', help: '/reset' });
      return { id: 'chat', text: ` ${text} ${evil}`, finishReason: 'stop' as const, tokens: 2 };
    },
  };
  const terminal = {
    print: push,
    complain: push,
    write: push,
    columns: 80,
    width: 80,
    interactive: false,
    colors: createColors(false),
  };
  await converse({ session, context: { terminal, input: Readable.from([lines]) }, json });
  return out;
}

test('in a pipe every line is a message, and control characters are shown', async () => {
  expect(await printed('Hi\n\n/system Be brief.\n/reset\ntoo much\nBye\n/exit\nnever\n', false)).toEqual([
    'Hi \\x1b]0;pwned\\x07hello',
    '(system Be brief.)',
    '(reset)',
    'error: too much\n  help: /reset',
    'Bye \\x1b]0;pwned\\x07hello',
  ]);
});

test('as JSON every answer is a line with its prompt', async () => {
  const lines = await printed('Hi\n', true);
  expect(lines.map((line) => JSON.parse(line))).toEqual([
    { prompt: 'Hi', response: ` Hi ${evil}`, finish_reason: 'stop', tokens: 2 },
  ]);
});

test('a chat with a model’s folder uses the named template', async () => {
  await using rig = await openCliRig();
  const folder = fileURLToPath(new URL('../../fixtures/model/tiny-llama', import.meta.url));
  const words = ['chat', folder, '--template', 'completion', '--max-new-tokens', '3', '--json'];
  const running = rig.start(...words);
  running.stdin?.end('w1 w2\nw1 w2\n');
  const { stdout, exitCode } = await running;
  const answers = String(stdout)
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(exitCode).toBe(0);
  expect(answers[0]).toMatchObject({ prompt: 'w1 w2', response: expect.stringMatching(/^(w\d+ ?){1,3}$/) });
  expect(answers[1]).toEqual(answers[0]);
});

test('a model without a chat template says how to name one', async () => {
  await using rig = await openCliRig();
  const folder = fileURLToPath(new URL('../../fixtures/model/tiny-llama', import.meta.url));
  const { stderr, exitCode } = await rig.tuneloom('chat', folder);
  expect({ stderr, exitCode }).toEqual({
    stderr:
      'error: the tokenizer has no chat template\n  help: take an instruction-tuned model’s tokenizer, or name a template: chatml, llama3, phi3, mistral (`template: { chat: chatml }`; `--template chatml` of chat)',
    exitCode: 2,
  });
});
