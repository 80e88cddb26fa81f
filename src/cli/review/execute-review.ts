import { userInfo } from 'node:os';
import { basename, dirname, extname, join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { portCodecs } from '../../stages/ports/port-codecs.ts';
import { readAll } from '../../stages/ports/read-all.ts';
import type { ResponseRecord } from '../../stages/ports/response-record.ts';
import { openArtifact } from '../artifact/open-artifact.ts';
import type { ArtifactReference } from '../artifact/parse-reference.ts';
import type { CommandCall } from '../commands/command-declaration.ts';
import type { ReviewOptions } from '../commands/review-command.ts';
import { type ExitCode, exitCode } from '../exit-code.ts';
import { UsageError } from '../usage-error.ts';
import { RatingsFile } from './ratings-file.ts';
import { reviewAnswers } from './review-answers.ts';
import { reviewCard } from './review-card.ts';

/** `tuneloom review`: lets a person rate the answers of a stage, one after the other. */
export async function execute(call: CommandCall<ReviewOptions>): Promise<ExitCode> {
  const { options, context } = call;
  const artifact = await openArtifact(call, {
    type: 'responses',
    use: 'be rated',
    help: 'name a generate stage',
  });
  if (artifact === undefined) return exitCode.badUsage;
  await using opened = artifact;
  const { dag, reference } = opened;
  const responses = await answersAt(opened.path, reference);
  const beside = `${basename(dag.file, extname(dag.file))}.${reference.node.id.replaceAll('/', '.')}.ratings.csv`;
  const ratings = await RatingsFile.open(
    options.to === undefined
      ? join(dirname(dag.file), beside)
      : resolve(context.workingDirectory, options.to),
  );
  const { terminal } = context;
  using reader = disposableReader(context.input);
  const { lowest, highest } = options.scale;
  if (!options.json)
    terminal.print(
      `A score from ${lowest} to ${highest}, with a note behind it if you like; n and a note alone;\ns skips, b goes back, q ends.`,
    );
  const rated = await reviewAnswers({
    responses,
    ratings,
    rater: options.rater ?? userInfo().username,
    scale: options.scale,
    show: (card) => terminal.print(options.json ? JSON.stringify(card) : reviewCard(card, terminal)),
    ask: async () => (await reader.lines.next()).value,
    complain: (problem) => terminal.complain(problem),
  });
  const summary = { file: ratings.path, rated, answers: responses.length };
  terminal.print(options.json ? JSON.stringify(summary) : `\n${summaryText(summary)}`);
  return exitCode.success;
}

/** Lines as they come; the input is let go of in the end, so that the process can end too. */
function disposableReader(input: NodeJS.ReadableStream) {
  const reader = createInterface({ input });
  return { lines: reader[Symbol.asyncIterator](), [Symbol.dispose]: () => reader.close() };
}

/** Answers that somebody gave; texts that were rated have nothing to review. */
async function answersAt(path: string, { node }: ArtifactReference): Promise<readonly ResponseRecord[]> {
  const responses = await readAll(portCodecs.responses.read(path));
  if (responses.every(({ response }) => response === undefined))
    throw new UsageError({
      message: `\`${node.id}\` rates texts and answers nothing, so that there is nothing to review`,
    });
  return responses;
}

const summaryText = ({ file, rated, answers }: { file: string; rated: number; answers: number }): string =>
  rated === 0
    ? `Nothing was rated; there are ${answers} answers.`
    : `${rated} ${rated === 1 ? 'rating' : 'ratings'} in ${file}\nLoad it as records and bind it to the port \`ratings\` of evaluate, with the metric human_rating.`;
