import { Hono } from 'hono';
import { isNumber, isText, type JsonCheck, UserError } from '../core/index.ts';
import { RatingsFile, ratingsBeside } from '../judging/index.ts';
import { answerKey } from '../metrics/index.ts';
import { bodyOf, notFound, numberOf } from './answers.ts';
import { answersOf } from './answers-of-run.ts';
import type { Project } from './project.ts';

interface RatingBody {
  readonly run: string;
  readonly stage: string;
  readonly rater: string;
  readonly index: number;
  /** Null for a note alone. */
  readonly score: number | null;
  readonly note: string;
}

const longestNote = 10_000;
const isScore: JsonCheck = (value) => value === null || (typeof value === 'number' && Number.isFinite(value));
const isNote: JsonCheck = (value) => typeof value === 'string' && value.length <= longestNote;

/** Review: answers one at a time with one person's ratings, kept in the file of `tuneloom review`. */
export function reviewRoutes(project: Project): Hono {
  const routes = new Hono();
  routes.get('/', async (context) => {
    const { run = '', stage = '', rater = '' } = context.req.query();
    const { ratings, answers } = await open({ run, stage });
    const rated = answers.map(({ key }) => ratings.find({ rater, key }));
    const firstOpen = rated.findIndex((row) => !row?.score);
    const index = Math.min(numberOf(context, 'index', firstOpen < 0 ? 0 : firstOpen), answers.length - 1);
    const answer = answers[index];
    if (answer === undefined) throw notFound('answer to review');
    const { key: _, ...shown } = answer;
    return context.json({
      file: ratings.path,
      index,
      total: answers.length,
      rated: rated.filter((row) => row?.score).length,
      /** The first answer without a score; the number of answers if there is none. */
      firstOpen: firstOpen < 0 ? answers.length : firstOpen,
      answer: shown,
      before: rated[index] === undefined ? null : { score: rated[index].score, note: rated[index].note },
    });
  });
  routes.put('/', async (context) => {
    const body = await bodyOf<RatingBody>(context, {
      ...{ run: isText, stage: isText, rater: isText, index: isNumber },
      ...{ score: isScore, note: isNote },
    });
    const { score, note, rater, index } = body;
    if (rater.trim() === '') throw new UserError({ code: 'bad-request', message: 'a rating needs a rater' });
    const { ratings, answers } = await open(body);
    const answer = answers[index];
    if (answer === undefined) throw notFound(`answer ${index}`);
    const { key, prompt, response } = answer;
    await ratings.put({ key, rater, score: score === null ? '' : `${score}`, note, prompt, response });
    return context.json({ saved: true });
  });
  return routes;

  async function open(of: { readonly run: string; readonly stage: string }) {
    const { run, responses, stage } = await answersOf(project, of);
    const ratings = await RatingsFile.open(ratingsBeside(await project.fileOf(run), stage));
    const answers = responses.map(({ id, prompt, expected, response = '', finish_reason }) => ({
      ...{ id, prompt, expected, response },
      key: answerKey({ prompt, response }),
      finishReason: finish_reason,
    }));
    return { ratings, answers };
  }
}
