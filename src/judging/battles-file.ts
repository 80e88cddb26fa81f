import { existsSync } from 'node:fs';
import { isObject, UserError } from '../core/index.ts';
import { readJsonl } from '../formats/index.ts';
import { changeFile } from './change-file.ts';

const winners = ['model_a', 'model_b', 'tie', 'tie (bothbad)'] as const;

/** One of the two that a person chose between. */
export interface Contestant {
  /** The stage that answered. */
  readonly stage: string;
  /** Who answered: equal for the same model, settings and version of the stage. */
  readonly version: string;
  /** A hash of the answer, as ratings have it. */
  readonly answer: string;
}

/** A person's choice between two answers to one prompt; `a` was on the left. */
export interface Battle {
  readonly judge: string;
  /** The prompt's record. */
  readonly question: string;
  readonly a: Contestant;
  readonly b: Contestant;
  readonly winner: (typeof winners)[number];
}

/** A line of the file, with the fields that the arena benchmark reads under the names that Chatbot Arena gave them. */
interface BattleLine {
  readonly question_id: string;
  readonly judge: string;
  readonly model_a: string;
  readonly model_b: string;
  readonly winner: Battle['winner'];
  readonly stages: readonly [string, string];
  readonly versions: readonly [string, string];
  readonly answers: readonly [string, string];
}

/** The battles that people chose with this program. The file may hold others, which count on the board too. */
export async function readBattles(path: string): Promise<readonly Battle[]> {
  if (!existsSync(path)) return [];
  const battles: Battle[] = [];
  for await (const { number, value } of readJsonl(path)) {
    if (!isObject(value) || ['model_a', 'model_b', 'winner'].some((name) => typeof value[name] !== 'string'))
      throw new UserError({
        code: 'no-battle',
        message: `${path}:${number}: the line is no battle`,
        help: 'a battle is {"model_a": "...", "model_b": "...", "winner": "model_a"}, one on each line; the file is unchanged',
      });
    if (isLine(value)) battles.push(battleOf(value));
  }
  return battles;
}

/**
 * Adds a battle. It replaces the same person's earlier choice between the same two answers. A model is named for its
 * stage; where the file has battles of another version of that stage, it becomes `train (2)`, `train (3)` and so on,
 * so that answers of different weights are never rated as one model's.
 */
export async function putBattle(path: string, battle: Battle): Promise<void> {
  const name = battleName(battle);
  await changeFile(path, (text) => {
    const lines = text.split('\n').filter((line) => line !== '');
    const earlier = lines.map(parsedLine);
    const names = modelNames(
      earlier.flatMap((line) => line ?? []),
      lines.flatMap(namedModels),
    );
    const line: BattleLine = {
      question_id: battle.question,
      judge: battle.judge,
      model_a: names(battle.a),
      model_b: names(battle.b),
      winner: battle.winner,
      stages: [battle.a.stage, battle.b.stage],
      versions: [battle.a.version, battle.b.version],
      answers: [battle.a.answer, battle.b.answer],
    };
    const at = earlier.findIndex((one) => one !== undefined && battleName(battleOf(one)) === name);
    const changed = lines.toSpliced(at < 0 ? lines.length : at, 1, JSON.stringify(line));
    return `${changed.join('\n')}\n`;
  });
}

/** Equal for battles that one person can decide only once: the same prompt and answers, on either side. */
export const battleName = ({ judge, question, a, b }: Omit<Battle, 'winner'>): string =>
  JSON.stringify([
    judge,
    question,
    ...[a, b].map((one) => JSON.stringify([one.stage, one.version, one.answer])).sort(),
  ]);

/** The names of models; each new version gets the next free one. `others` are taken by battles from elsewhere. */
function modelNames(
  lines: readonly BattleLine[],
  others: readonly string[],
): (contestant: Contestant) => string {
  const known = new Map<string, string>();
  const keyOf = (stage: string | undefined, version: string | undefined) => JSON.stringify([stage, version]);
  for (const { stages, versions, model_a, model_b } of lines) {
    known.set(keyOf(stages[0], versions[0]), model_a);
    known.set(keyOf(stages[1], versions[1]), model_b);
  }
  const taken = new Set([...known.values(), ...others]);
  return ({ stage, version }) => {
    const found = known.get(keyOf(stage, version));
    if (found !== undefined) return found;
    let name = stage;
    for (let number = 2; taken.has(name); number += 1) name = `${stage} (${number})`;
    known.set(keyOf(stage, version), name);
    taken.add(name);
    return name;
  };
}

function parsedLine(line: string): BattleLine | undefined {
  const value = parsed(line);
  return isLine(value) ? value : undefined;
}

/** The models of any battle. */
function namedModels(line: string): readonly string[] {
  const value = parsed(line);
  if (!isObject(value)) return [];
  return [value.model_a, value.model_b].filter((name) => typeof name === 'string');
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

const battleOf = ({ question_id, judge, winner, stages, versions, answers }: BattleLine): Battle => ({
  judge,
  question: question_id,
  winner,
  a: { stage: stages[0], version: versions[0], answer: answers[0] },
  b: { stage: stages[1], version: versions[1], answer: answers[1] },
});

const isPair = (value: unknown): boolean =>
  Array.isArray(value) && value.length === 2 && value.every((one) => typeof one === 'string');

function isLine(value: unknown): value is BattleLine {
  if (!isObject(value)) return false;
  const fields: Readonly<Record<string, unknown>> = value;
  return (
    ['question_id', 'judge', 'model_a', 'model_b'].every((name) => typeof fields[name] === 'string') &&
    ['stages', 'versions', 'answers'].every((name) => isPair(fields[name])) &&
    winners.some((winner) => winner === fields.winner)
  );
}
