import { existsSync } from 'node:fs';
import { basename, dirname, extname, join } from 'node:path';
import { Hono } from 'hono';
import { type BenchmarkScores, scorers } from '../benchmarks/index.ts';
import { isNumber, isText, type JsonCheck, UserError } from '../core/index.ts';
import {
  type AnswerPair,
  type Battle,
  battleName,
  pairAnswers,
  putBattle,
  readBattles,
} from '../judging/index.ts';
import { bodyOf, notFound, numberOf } from './answers.ts';
import { answersOf } from './answers-of-run.ts';
import type { Project } from './project.ts';

/** Which two stages are compared, by whom, in which order. */
interface ArenaRequest {
  readonly run: string;
  readonly first: string;
  /** May be of another run than the first. */
  readonly secondRun: string;
  readonly second: string;
  readonly seed: number;
  readonly judge: string;
}

const votes = ['left', 'right', 'tie', 'both_bad'] as const;
type Vote = (typeof votes)[number];
const isVote: JsonCheck = (value) => votes.some((vote) => vote === value);

const winnerOf = {
  left: 'model_a',
  right: 'model_b',
  tie: 'tie',
  both_bad: 'tie (bothbad)',
} as const satisfies Record<Vote, Battle['winner']>;

/** Rounds of the board's bootstrap: as many as the arena pipeline has. */
const rounds = 100;

/** Arena: two answers without their models; the battles are those that the arena benchmark rates. */
export function arenaRoutes(project: Project): Hono {
  const routes = new Hono();
  routes.get('/', async (context) => {
    const { run = '', first = '', second = '', judge = '', secondRun = run } = context.req.query();
    const arena = await open({ run, first, second, judge, secondRun, seed: numberOf(context, 'seed', 0) });
    const { pairs, leftOut, votesBy, file } = arena;
    const voted = pairs.map((pair) => votesBy.get(arena.nameOf(pair)));
    const firstOpen = voted.indexOf(undefined);
    const index = Math.min(
      numberOf(context, 'index', firstOpen < 0 ? 0 : firstOpen),
      Math.max(0, pairs.length - 1),
    );
    const pair = pairs[index];
    return context.json({
      file,
      index,
      total: pairs.length,
      leftOut,
      voted: voted.filter((vote) => vote !== undefined).length,
      firstOpen: firstOpen < 0 ? pairs.length : firstOpen,
      // The page is not told who answered before the vote: what it does not have, it cannot show.
      pair:
        pair === undefined
          ? null
          : { prompt: pair.prompt, expected: pair.expected, left: pair.left.text, right: pair.right.text },
      before: voted[index] ?? null,
    });
  });
  routes.put('/', async (context) => {
    const body = await bodyOf<ArenaRequest & { index: number; vote: Vote }>(context, {
      ...{ run: isText, first: isText, secondRun: isText, second: isText, judge: isText },
      ...{ seed: isNumber, index: isNumber, vote: isVote },
    });
    if (body.judge.trim() === '')
      throw new UserError({ code: 'bad-request', message: 'a vote needs the name of its judge' });
    const arena = await open(body);
    const pair = arena.pairs[body.index];
    if (pair === undefined) throw notFound(`pair ${body.index}`);
    const battle = { ...arena.battleOf(pair), winner: winnerOf[body.vote] };
    await putBattle(arena.file, battle);
    return context.json({ left: arena.labelOf(battle.a), right: arena.labelOf(battle.b) });
  });
  routes.get('/board', async (context) => {
    const run = await project.run(context.req.query('run') ?? '');
    return context.json(await boardOf(battlesBeside(await project.fileOf(run))));
  });
  return routes;

  async function open(of: ArenaRequest) {
    const [one, other] = [
      await answersOf(project, { run: of.run, stage: of.first }),
      await answersOf(project, { run: of.secondRun, stage: of.second }),
    ];
    if (one.version === other.version && one.stage === other.stage)
      throw new UserError({
        code: 'same-answerer',
        message: 'both sides are the answers of the same model',
        help: 'choose another stage, or a run with other weights',
      });
    const { pairs, leftOut } = pairAnswers({ first: one.responses, second: other.responses, seed: of.seed });
    const file = battlesBeside(await project.fileOf(one.run));
    const sides = { first: one, second: other };
    const contestant = ({ of: side, key }: AnswerPair['left']) => ({
      stage: sides[side].stage,
      version: sides[side].version,
      answer: key,
    });
    const battleOf = ({ id, left, right }: AnswerPair) => ({
      judge: of.judge,
      question: id,
      a: contestant(left),
      b: contestant(right),
    });
    const nameOf = (pair: AnswerPair): string => battleName(battleOf(pair));
    const battles = new Map((await readBattles(file)).map((battle) => [battleName(battle), battle]));
    const votesBy = new Map(
      pairs.flatMap((pair) => {
        const battle = battles.get(nameOf(pair));
        return battle === undefined ? [] : [[nameOf(pair), voteOf(battle, battleOf(pair))] as const];
      }),
    );
    const labelOf = ({ stage, version }: Battle['a']): string =>
      one.stage === other.stage ? `${stage} of ${version === one.version ? of.run : of.secondRun}` : stage;
    return { pairs, leftOut, file, battleOf, nameOf, votesBy, labelOf };
  }
}

/** An earlier choice as the page shows the pair now: another seed may have swapped the sides. */
function voteOf({ winner, a }: Battle, shown: Omit<Battle, 'winner'>): Vote {
  if (winner === 'tie') return 'tie';
  if (winner === 'tie (bothbad)') return 'both_bad';
  const isSwapped = a.stage !== shown.a.stage || a.version !== shown.a.version;
  return (winner === 'model_a') !== isSwapped ? 'left' : 'right';
}

/** The battles of a pipeline's stages. */
const battlesBeside = (file: string): string =>
  join(dirname(file), `${basename(file, extname(file))}.battles.jsonl`);

/** The ratings of all models of a battles file, as `tuneloom score arena` computes them. */
async function boardOf(file: string): Promise<BenchmarkScores & { readonly file: string }> {
  if (!existsSync(file)) return { file, metrics: [], remarks: [] };
  const data = { path: file, name: basename(file) };
  const scores = await scorers
    .get('arena')
    ?.score({ data, predictions: data, resampling: { rounds, seed: 0 } });
  return { file, ...(scores ?? { metrics: [], remarks: [] }) };
}
