import type { Store } from '../../runtime/index.ts';
import { portCodecs } from '../../stages/ports/port-codecs.ts';
import type { HistoryEntry } from '../../training/history-entry.ts';
import { type NamedOutput, readOutput } from './finished-outputs.ts';
import type { LossCourse, StageLosses } from './run-summary.ts';

/** The course of the losses of every training among the outputs. */
export async function collectLosses(
  store: Store,
  outputs: readonly NamedOutput[],
): Promise<readonly StageLosses[]> {
  const histories = outputs.filter(({ type }) => type === 'history');
  return await Promise.all(
    histories.map(({ node, digest }) =>
      readOutput({ store, digest }, async (path) => lossesOf(node.id, portCodecs.history.read(path))),
    ),
  );
}

async function lossesOf(stage: string, history: AsyncIterable<HistoryEntry>): Promise<StageLosses> {
  const train: Measured[] = [];
  const validation: Measured[] = [];
  for await (const entry of history) {
    if (entry.type !== 'evaluation') continue;
    train.push({ step: entry.step, loss: entry.train_loss });
    if (entry.validation_loss !== undefined)
      validation.push({ step: entry.step, loss: entry.validation_loss });
  }
  const [trainCourse, validationCourse] = [courseOf(train), courseOf(validation)];
  return {
    stage,
    ...(trainCourse && { train: trainCourse }),
    ...(validationCourse && { validation: validationCourse }),
  };
}

interface Measured {
  readonly step: number;
  readonly loss: number;
}

function courseOf(measured: readonly Measured[]): LossCourse | undefined {
  const [first, last] = [measured[0], measured.at(-1)];
  if (!first || !last) return undefined;
  const best = measured.reduce((low, next) => (next.loss < low.loss ? next : low));
  return { first: first.loss, last: last.loss, best: best.loss, best_step: best.step };
}
