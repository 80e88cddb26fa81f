import { isObject, UserError } from '../../core/index.ts';
import type { Benchmark, BenchmarkRow, BenchmarkSource } from '../benchmark.ts';
import { type BenchmarkFile, readText } from '../benchmark-file.ts';
import { scoresOf } from '../benchmark-scores.ts';
import {
  fieldOf,
  itemsOf,
  type Located,
  placeOf,
  readJson,
  readJsonLines,
  textOf,
  unfit,
} from '../located.ts';
import type { Battle, Battles } from './ratings.ts';
import { scoreBattles } from './score-battles.ts';

/** Chatbot Arena (Chiang et al. 2024). */
export const arena: Benchmark = {
  name: 'arena',
  layout: { records: 'battles, JSON or JSONL', fields: "the battle's fields" },
  read: readRows,
  metrics: {
    arena: {
      better: 'varies',
      reads: 'row',
      measures:
        'Bradley-Terry and Elo ratings of models, the best first, with bootstrap intervals; and ranks with their bounds.',
      source: 'Chatbot Arena',
      scoreAll: (responses, { bootstrap }) => {
        const rows = responses.map(({ response: { id, fields } }) => ({
          value: fields,
          file: `the battle ${id}`,
          path: '',
        }));
        return { metrics: scoresOf(scoreBattles(battlesOf(rows), bootstrap)), values: new Map() };
      },
    },
  },
  scorers: {
    arena: {
      summary: 'Bradley-Terry and Elo ratings of models',
      data: { file: 'the battles in their order (JSON or JSONL)', example: 'battles.json' },
      score: async ({ data, resampling }) => scoreBattles(await readBattles(data), resampling),
    },
  },
};

/** A row for each battle, in their order. */
async function* readRows({ path }: BenchmarkSource): AsyncGenerator<BenchmarkRow> {
  const file = { path, name: path };
  const isList = (await readText(file)).trimStart().startsWith('[');
  const battles = isList ? itemsOf(await readJson(file)) : await readJsonLines(file);
  for (const [index, battle] of battles.entries()) {
    for (const name of ['model_a', 'model_b', 'winner']) textOf(fieldOf(battle, name));
    yield { id: `arena/${index}`, row: isObject(battle.value) ? battle.value : {} };
  }
}

/** Reads battles {model_a, model_b, winner}, as a list or one per line; other fields are ignored. */
async function readBattles(file: BenchmarkFile): Promise<Battles> {
  return battlesOf(
    /\.jsonl(\.gz)?$/i.test(file.name) ? await readJsonLines(file) : itemsOf(await readJson(file)),
  );
}

/** The battles of rows, in their order. */
function battlesOf(rows: readonly Located[]): Battles {
  const models = new Map<string, number>();
  const numberOf = (name: string): number => {
    const known = models.get(name) ?? models.size;
    models.set(name, known);
    return known;
  };
  const battles = rows.map((row) => readBattle(row, numberOf));
  return { models: [...models.keys()], battles };
}

function readBattle(row: Located, numberOf: (name: string) => number): Battle {
  const a = numberOf(textOf(fieldOf(row, 'model_a')));
  const b = numberOf(textOf(fieldOf(row, 'model_b')));
  if (a === b)
    throw new UserError({
      code: 'battle-with-itself',
      message: `${placeOf(row)}: model_a and model_b are both ${JSON.stringify(fieldOf(row, 'model_a').value)}`,
    });
  return { a, b, outcome: outcomeOf(fieldOf(row, 'winner')) };
}

function outcomeOf(winner: Located): number {
  switch (winner.value) {
    case 'model_a':
      return 1;
    case 'model_b':
      return 0;
    case 'tie':
    case 'tie (bothbad)':
      return 0.5;
    default:
      throw unfit(winner, 'model_a, model_b, tie or tie (bothbad)');
  }
}
