import type { Store } from '../../runtime/index.ts';
import type { Score } from '../../stages/ports/scores.ts';
import { scoreName } from '../summary/score-name.ts';
import { type RunPair, stagesOf } from './compare-runs.ts';
import { scoresOf } from './read-result.ts';
import type { MetricChange } from './run-difference.ts';

/** Every metric of the stages that rate, before and after. */
export async function compareMetrics(store: Store, pair: RunPair): Promise<readonly MetricChange[]> {
  const changes: MetricChange[] = [];
  for (const stage of stagesOf(pair)) {
    const [before, after] = [
      (await scoresOf(store, { run: pair.before, stage }))?.metrics ?? [],
      (await scoresOf(store, { run: pair.after, stage }))?.metrics ?? [],
    ];
    for (const name of new Set([...after, ...before].map(scoreName))) {
      const [old, current] = [before, after].map((scores) =>
        scores.find((score) => scoreName(score) === name),
      );
      changes.push(...metricChange(stage, { old, current }));
    }
  }
  return changes;
}

function metricChange(
  stage: string,
  { old, current }: { readonly old: Score | undefined; readonly current: Score | undefined },
): readonly MetricChange[] {
  const either = current ?? old;
  if (either === undefined) return [];
  const { metric, of, higher_is_better } = either;
  const delta = old === undefined || current === undefined ? undefined : current.value - old.value;
  return [
    {
      stage,
      metric,
      ...(of === undefined ? {} : { of }),
      ...(old === undefined ? {} : { before: old.value }),
      ...(current === undefined ? {} : { after: current.value }),
      ...(delta === undefined ? {} : { delta }),
      ...(delta === undefined || delta === 0 ? {} : { better: delta > 0 === higher_is_better }),
    },
  ];
}
