import { dataProject } from '../cli/rig.ts';

/** Text that a careless page would run, end early, or show in another order. */
export const hostile = [
  '</script><script>globalThis.pwned = 1</script>',
  '<!-- <script> --><img src="https://example.invalid/x.png" onerror="globalThis.pwned = 2">',
  '<svg onload="globalThis.pwned = 3"></svg>]]></style><style>*{display:none}</style>',
  'one\u2028two\u2029three\u202Eabc\u202C \u2066isolate\u2069 \u0000\u0007 \uFEFF',
  // biome-ignore lint/suspicious/noTemplateCurlyInString: it is what a template would run
  '{{ constructor.constructor("globalThis.pwned = 4")() }} ${globalThis.pwned = 5} javascript:globalThis.pwned=6',
] as const;

/** Writes answers: every third one is wrong before, every ninth after; the hostile texts are in the first rows. */
const program = `import { createWriteStream, writeFileSync } from 'node:fs';
const [rows, side] = [Number(process.argv[2]), process.argv[3]];
const hostile = ${JSON.stringify(hostile)};
if (side === 'history') {
  const lines = [];
  for (let step = 0; step <= 60; step++) {
    const epoch = step / 20;
    if (step > 0)
      lines.push({ type: 'step', step, epoch, loss: 3 / (1 + step), learning_rate: 0.001, gradient_norm: 1 / (1 + step), tokens: 10 * step });
    if (step % 10 === 0)
      lines.push({ type: 'evaluation', step, epoch, train_loss: 3 / (1 + step), validation_loss: 1 + (step - 20) ** 2 / 1000 });
  }
  lines.push({ type: 'sample', step: 20, epoch: 1, prompt: hostile[0], response: hostile[1] });
  lines.push({ type: 'end', step: 60, epoch: 3, best_step: 20, reason: 'completed' });
  writeFileSync(process.env.OUT_history, lines.map((line) => JSON.stringify(line) + '\\n').join(''));
} else {
  const file = createWriteStream(process.env.OUT_responses);
  for (let row = 0; row < rows; row++) {
    const wrong = row % (side === 'before' ? 3 : 9) === 0;
    const text = hostile[row] ?? 'The answer to question ' + row + ' is ' + row * 7 + '.';
    const id = row < hostile.length ? hostile[row] + row : 'row-' + row;
    file.write(JSON.stringify({ id, prompt: 'Q' + row, expected: text, fields: { instruction: 'What is ' + row + ' times seven? ' + (hostile[row] ?? '') }, response: wrong ? 'No idea, said ' + side + ' ' + text : text }) + '\\n');
  }
  file.end();
}
`;

/** A project whose pipeline has everything that a report shows, with so many answers. */
export const reportProject = (rows: number): Readonly<Record<string, string>> => ({
  'package.json': dataProject['package.json'],
  'rows.jsonl': dataProject['rows.jsonl'],
  'make.mjs': program,
  'report.yaml': `${dataProject['data.yaml']
    .replace('name: data', 'name: report')
    .replace('params:', `params:\n  note: ${JSON.stringify(hostile.join(' '))}`)}
  train:
    uses: shell
    with:
      command: [node, $FILE_make, "0", history]
      outputs: { history: history }
      files: { make: make.mjs }
  answers_1:
    uses: shell
    with:
      command: [node, $FILE_make, "${rows}", before]
      outputs: { responses: responses }
      files: { make: make.mjs }
  answers_2:
    uses: shell
    with:
      command: [node, $FILE_make, "${rows}", after]
      outputs: { responses: responses }
      files: { make: make.mjs }
  scores_1:
    uses: evaluate
    from: answers_1
    with: { metrics: [exact_match, token_f1] }
  scores_2:
    uses: evaluate
    from: answers_2
    with: { metrics: [exact_match, token_f1] }
`,
});
