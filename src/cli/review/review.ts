import { userInfo } from 'node:os';
import { resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { jsonText } from '../../core/index.ts';
import { type RatingRow, RatingsFile, ratingsBeside } from '../../judging/index.ts';
import { answerKey } from '../../metrics/index.ts';
import { portCodecs, readAll } from '../../stages/index.ts';
import type { ResponseRecord } from '../../text/index.ts';
import type { CommandCall } from '../commands/command-declaration.ts';
import type { PipelineOptions } from '../commands/options.ts';
import { type ExitCode, exitCode, UsageError } from '../exit-code.ts';
import { type ArtifactReference, openArtifact } from '../open-artifact.ts';
import { labeledText } from '../terminal/layout.ts';
import { safeText } from '../terminal/safe-text.ts';
import type { Terminal } from '../terminal/terminal.ts';
import { wrapText } from '../terminal/wrap-text.ts';
import type { Scale } from './scale.ts';

/** `tuneloom review`: lets a person rate the answers of a stage one by one. */
export async function reviewCommand(call: CommandCall<ReviewOptions>): Promise<ExitCode> {
  const { options, context } = call;
  const artifact = await openArtifact(call, {
    types: ['responses'],
    use: 'be rated',
    help: 'name a generate stage',
  });
  if (artifact === undefined) return exitCode.badUsage;
  await using opened = artifact;
  const { dag, reference } = opened;
  const responses = await answersAt(opened.path, reference);
  const ratings = await RatingsFile.open(
    options.to === undefined
      ? ratingsBeside(dag.file, reference.node.id)
      : resolve(context.workingDirectory, options.to),
  );
  const { terminal } = context;
  using reader = disposableReader(context.input);
  const { lowest, highest } = options.scale;
  if (!options.json)
    terminal.print(
      wrapText(
        `Type a score from ${lowest} to ${highest}, followed by a note if you like, or n and a note alone; s skips, b goes back, q quits.`,
        terminal,
      ),
    );
  const rated = await reviewAnswers({
    responses,
    ratings,
    rater: options.rater ?? userInfo().username,
    scale: options.scale,
    show: (card) => terminal.print(options.json ? jsonText(card) : reviewCard(card, terminal)),
    ask: async () => (await reader.lines.next()).value,
    complain: (problem) => terminal.complain(problem),
  });
  const summary = { file: ratings.path, rated, answers: responses.length };
  terminal.print(options.json ? JSON.stringify(summary) : `\n${summaryText(summary)}`);
  return exitCode.success;
}

interface ReviewOptions extends PipelineOptions {
  readonly to?: string;
  readonly rater?: string;
  readonly scale: Scale;
}

/** Reads lines, and closes the input when disposed of, so that the process can exit. */
function disposableReader(input: NodeJS.ReadableStream) {
  const reader = createInterface({ input });
  return { lines: reader[Symbol.asyncIterator](), [Symbol.dispose]: () => reader.close() };
}

/** The answers of a stage; one that only scores texts has none. */
async function answersAt(path: string, { node }: ArtifactReference): Promise<readonly ResponseRecord[]> {
  const responses = await readAll(portCodecs.responses.read(path));
  if (responses.every(({ response }) => response === undefined))
    throw new UsageError({
      message: `\`${node.id}\` scores texts and has no answers to review`,
    });
  return responses;
}

const summaryText = ({ file, rated, answers }: { file: string; rated: number; answers: number }): string =>
  rated === 0
    ? `No answer was rated; there are ${answers} answers.`
    : `${rated} ${rated === 1 ? 'rating' : 'ratings'} in ${file}\nLoad it as records and bind it to the port \`ratings\` of evaluate, with the metric human_rating.`;

interface Review {
  readonly responses: readonly ResponseRecord[];
  readonly ratings: RatingsFile;
  readonly rater: string;
  readonly scale: Scale;
  readonly show: (card: Card) => void;
  /** The next line of input; undefined at its end. */
  readonly ask: () => Promise<string | undefined>;
  readonly complain: (problem: string) => void;
}

/** Goes through the answers from the first that the rater has not rated; returns the number of new ratings. */
async function reviewAnswers(review: Review): Promise<number> {
  const { responses, ratings, rater, scale } = review;
  const answers = responses.map((response) => {
    const answer = { prompt: response.prompt, response: response.response ?? '' };
    return { response, about: { key: answerKey(answer), rater, ...answer } };
  });
  const firstOpen = answers.findIndex(({ about }) => !ratings.find(about)?.score);
  let index = firstOpen < 0 ? answers.length : firstOpen;
  let rated = 0;
  for (;;) {
    const answer = answers[index];
    if (answer === undefined) return rated;
    const { response, about } = answer;
    const before = ratings.find(about);
    review.show({ response, before, place: `${index + 1} of ${responses.length}` });
    const reply = parseReply((await review.ask()) ?? 'quit', scale);
    switch (reply.type) {
      case 'rate':
        await ratings.put({ ...about, score: `${reply.score}`, note: reply.note ?? before?.note ?? '' });
        rated += 1;
        index += 1;
        break;
      case 'note':
        await ratings.put({ ...about, score: before?.score ?? '', note: reply.note });
        break;
      case 'skip':
        index += 1;
        break;
      case 'back':
        index = Math.max(0, index - 1);
        break;
      case 'quit':
        return rated;
      case 'unclear':
        review.complain(reply.problem);
        break;
      default:
        return reply satisfies never;
    }
  }
}

interface Card {
  readonly response: ResponseRecord;
  /** The rater's earlier rating. */
  readonly before: RatingRow | undefined;
  readonly place: string;
}

/** One answer, for a person to rate. */
function reviewCard({ response, before, place }: Card, terminal: Terminal): string {
  const { prompt, expected, response: given = '' } = response;
  const rated = before && [before.score, before.note].filter((text) => text !== '').join(' · ');
  const lines = [
    { label: 'instruction', text: safeText(prompt.trim()) },
    ...(expected.trim() === '' ? [] : [{ label: 'expected', text: safeText(expected.trim()) }]),
    { label: 'given', text: safeText(given) || '(nothing)' },
    ...(rated ? [{ label: 'your rating', text: safeText(rated) }] : []),
  ];
  return `\n${terminal.colors.bold(place)}\n${labeledText(lines, { terminal })}`;
}

/** A person's reply to an answer. */
type Reply =
  | { readonly type: 'rate'; readonly score: number; readonly note: string | undefined }
  | { readonly type: 'note'; readonly note: string }
  | { readonly type: 'skip' | 'back' | 'quit' }
  | { readonly type: 'unclear'; readonly problem: string };

/** Reads a line: a score, optionally with a note; `n` and a note; `s` or nothing; `b`; `q`. */
export function parseReply(line: string, { lowest, highest }: Scale): Reply {
  const text = line.trim();
  const [, number, note = ''] = /^(-?\d+(?:\.\d+)?)(?:\s+(.*))?$/.exec(text) ?? [];
  if (number !== undefined) {
    const score = Number(number);
    if (score >= lowest && score <= highest)
      return { type: 'rate', score, note: note === '' ? undefined : note };
    return { type: 'unclear', problem: `${number} is not between ${lowest} and ${highest}` };
  }
  if (/^(s|skip|)$/i.test(text)) return { type: 'skip' };
  if (/^(b|back)$/i.test(text)) return { type: 'back' };
  if (/^(q|quit)$/i.test(text)) return { type: 'quit' };
  const [, written] = /^(?:n|note)\s+(.+)$/i.exec(text) ?? [];
  if (written !== undefined) return { type: 'note', note: written };
  return {
    type: 'unclear',
    problem: `type a number from ${lowest} to ${highest}, n and a note, s, b or q`,
  };
}
