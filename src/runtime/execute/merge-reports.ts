import type { StageReport } from '../stage/stage-definition.ts';

type Report = (report: StageReport) => void;
type Progress = Extract<StageReport, { type: 'progress' }>;

/**
 * Makes one stream of reports of those of several jobs that share a stage's work: their counts are added, and what all of
 * them say is said once.
 */
export function mergeReports(jobs: number, report: Report): { readonly of: (job: number) => Report } {
  const progress = new Map<number, Progress>();
  const said = new Set<string>();
  return {
    of: (job) => (each) => {
      if (each.type === 'progress') {
        progress.set(job, each);
        report(sumOf([...progress.values()], { unit: each.unit, isWhole: progress.size === jobs }));
        return;
      }
      const text = JSON.stringify(each);
      if (!said.has(text)) report(each);
      said.add(text);
    },
  };
}

/** The total is known once every job has reported its own. */
function sumOf(all: readonly Progress[], { unit, isWhole }: { unit: string; isWhole: boolean }): Progress {
  const totals = all.flatMap(({ total }) => (total === undefined ? [] : [total]));
  const figures: Record<string, number> = {};
  for (const each of all)
    for (const [name, value] of Object.entries(each.figures ?? {}))
      figures[name] = (figures[name] ?? 0) + value;
  return {
    type: 'progress',
    unit,
    done: all.reduce((sum, { done }) => sum + done, 0),
    ...(isWhole && totals.length === all.length && { total: totals.reduce((sum, total) => sum + total, 0) }),
    figures,
  };
}
