import { UserError } from '../../../../user-error.ts';
import type { BenchmarkFile } from '../files/benchmark-file.ts';
import { fieldOf, itemsOf, type Located, placeOf, textOf, unfit } from '../files/located.ts';
import { readJson, readJsonLines } from '../files/read-json.ts';
import type { Battle, Battles } from './battle.ts';

/** Reads battles {model_a, model_b, winner}, a list or one a line; other fields are passed over. */
export async function readBattles(file: BenchmarkFile): Promise<Battles> {
  return battlesOf(
    /\.jsonl(\.gz)?$/i.test(file.name) ? await readJsonLines(file) : itemsOf(await readJson(file)),
  );
}

/** The battles of rows, in their order. */
export function battlesOf(rows: readonly Located[]): Battles {
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
