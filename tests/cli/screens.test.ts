import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Screen, screenOf, titled, withoutTerminal } from './pseudo-terminal.ts';
import { type CliRig, openCliRig } from './rig.ts';
import { screensProject } from './screens-project.ts';

let rig: CliRig;
/** Where runs are added, which the tables of the other would show. */
let running: CliRig;

beforeAll(async () => {
  rig = await openCliRig(screensProject);
  running = await openCliRig(screensProject);
  await running.tuneloom('run', 'sweep.yaml');
  await running.tuneloom('run', 'pipeline.yaml');
  await rig.tuneloom('run', 'pipeline.yaml');
  await rig.tuneloom('run', 'pipeline.yaml', '-p', 'max_length=64');
  await rig.tuneloom('run', 'pipeline.yaml', '--set', 'stages.collate.with.batch_size=4');
  await rig.tuneloom('run', 'sweep.yaml');
  await rig.tuneloom('run', 'chat.yaml');
  // The next run of the same pipeline is the last that succeeded.
  await rig.tuneloom('run', 'pipeline.yaml');
}, 120_000);

afterAll(async () => {
  await rig[Symbol.asyncDispose]();
  await running[Symbol.asyncDispose]();
});

/** Name of the golden file -> the command. */
const screens: Readonly<Record<string, string>> = {
  'run-end': 'run pipeline.yaml --force train --force after',
  'run-sweep': 'run sweep.yaml',
  'show-history': 'show pipeline.yaml train',
  'show-batches': 'show pipeline.yaml collate.train',
  'show-model': 'show pipeline.yaml base',
  'show-tokenizer': 'show pipeline.yaml base.tokenizer',
  'show-records': 'show pipeline.yaml split.train -n 2',
  'show-chat': 'show chat.yaml format',
  'show-tokens': 'show pipeline.yaml tokenize.train -n 1',
  'show-answers': 'show pipeline.yaml after -n 2 --offset 8',
  'show-scores': 'show pipeline.yaml score_after -n 4',
  runs: 'runs',
  'runs-one': 'runs latest',
  diff: 'diff pipeline.yaml',
  errors: 'plan mistakes.yaml',
  plan: 'plan pipeline.yaml -p max_length=32',
  explain: 'explain pipeline.yaml collate -p max_length=32',
  graph: 'graph pipeline.yaml',
};

/** Commands whose output differs between machines, or says less. */
const others = [
  '--help',
  ...['run', 'plan', 'show', 'runs', 'diff', 'plot', 'report', 'export', 'chat', 'gc', 'setup'].map(
    (command) => `${command} --help`,
  ),
  ...['gc --dry-run', 'verify', 'update pipeline.yaml', 'score', 'setup', 'doctor'],
  ...['show pipeline.yaml nothing', 'show pipeline.yaml split', 'runs nothing', 'runs --sort exact_match'],
  ...['runs --where epochs=3', 'diff nothing', 'plan no-such-file.yaml', 'frobnicate', 'run --nonsense'],
  ...['export pipeline.yaml train --to out', 'chat pipeline.yaml train', 'schema nothing', 'plot nothing'],
  ...['init new-project', 'explain pipeline.yaml nothing', 'run pipeline.yaml --rerun load'],
];

const widths = [80, 100, 120];

/** What varies between runs and machines. Every replacement is as wide as what it stands for. */
const steady = (lines: readonly string[]): string =>
  `${lines
    .join('\n')
    .replaceAll(rig.folder, '<folder>')
    .replaceAll(running.folder, '<folder>')
    .replaceAll(/\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d-\d{3}Z-[0-9a-f]{6}/g, '0000-00-00T00-00-00-000Z-aaaaaa')
    .replaceAll(/^( +)[0-9a-f]{6}(?= {2})/gm, '$1aaaaaa')
    .replaceAll(/^(?<row> +aaaaaa {2})\d\d-\d\d \d\d:\d\d/gm, '$<row>00-00 00:00')
    .replaceAll(/\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d\.\d{3}Z)?/g, (date) => date.replaceAll(/\d/g, '0'))
    .replaceAll(/ *(?<![\w.])(\d+(\.\d+)? m?s|\dm \d\ds)(?![\w/])/g, ' <time>')
    .replaceAll(/ +time {2}/g, ' time  ')}\n`;

describe.skipIf(withoutTerminal)(titled('in a terminal'), () => {
  test.each(Object.entries(screens))(
    '%s looks as its golden files at 80, 100 and 120 columns',
    async (name, words) => {
      for (const columns of widths) {
        const screen = await screenOf(rig.folder, { words, columns });
        expect({ columns, broken: screen.broken }).toEqual({ columns, broken: [] });
        await expect(steady(screen.lines)).toMatchFileSnapshot(`../fixtures/screens/${name}-${columns}.txt`);
      }
    },
  );

  test('review looks as its golden files', async () => {
    await rig.write('typed.txt', '80 names the right city\n101\ns\nb\nn the answer stops too early\nq\n');
    for (const columns of widths) {
      // Each rater has rated nothing yet.
      const words = `review pipeline.yaml after --rater rater-${100 + columns} < typed.txt`;
      const screen = await screenOf(rig.folder, { words, columns });
      expect({ columns, broken: screen.broken }).toEqual({ columns, broken: [] });
      await expect(steady(screen.lines)).toMatchFileSnapshot(`../fixtures/screens/review-${columns}.txt`);
    }
  });

  test('no command prints a line that is wider than the terminal', async () => {
    const broken: string[] = [];
    for (const [index, words] of others.entries()) {
      const columns = widths[index % widths.length] ?? 80;
      for (const each of new Set([80, columns])) {
        const screen = await screenOf(rig.folder, { words, columns: each });
        broken.push(...screen.broken.map((line) => `${words} at ${each}: ${line}`));
      }
    }
    expect(broken).toEqual([]);
  });

  test('no command breaks a line inside a word or a number', async () => {
    const pieces: string[] = [];
    for (const words of [...Object.values(screens), ...others].filter(
      (each) => !/^(run|doctor|init)/.test(each),
    )) {
      const narrow = await screenOf(rig.folder, { words, columns: 80 });
      const wide = wordsOf(await screenOf(rig.folder, { words, columns: 1000 }));
      for (const word of wordsOf(narrow, leftOut)) if (!isWhole(word, wide)) pieces.push(`${words}: ${word}`);
    }
    expect(pieces).toEqual([]);
  });
});

/** What only a narrow screen says: how much of a list or a line of a file it leaves out. */
const leftOut = / and \d+ more|\S*\.\.\.\S*|not shown for lack of room.*/g;

const wordsOf = ({ lines }: Screen, except?: RegExp): ReadonlySet<string> =>
  new Set(
    lines
      .flatMap((line) => (except === undefined ? line : line.replaceAll(except, '')).split(/\s+/))
      .map((word) => word.replace(/[,;]$/, ''))
      .filter((word) => /\w/.test(word)),
  );

/** A word of the wide screen, or the beginning of one that is cut and says so. */
const isWhole = (word: string, wide: ReadonlySet<string>): boolean =>
  wide.has(word) || (word.endsWith('…') && [...wide].some((each) => each.startsWith(word.slice(0, -1))));
