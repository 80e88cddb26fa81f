import { type LiveEvent, type RunRecord, readLiveEvents, type Store } from '../runtime/index.ts';
import {
  type CurvePoint,
  type Curves,
  historyPlot,
  type NamedCurves,
  renderSvg,
  viewTrainings,
} from '../view/index.ts';

/** A drawing for a page. */
export interface Drawing {
  readonly title: string;
  readonly svg: string;
}

const width = 680;

/** The losses of a run's trainings: of those that have ended, and of one that goes on as far as it is. */
export async function drawRun(store: Store, run: RunRecord): Promise<readonly Drawing[]> {
  const ended = (await viewTrainings(store, run)).map(({ stage, curves }) => ({ name: stage, ...curves }));
  const live = Object.keys(run.stages).length === 0 ? await liveCurves(store, run.run) : [];
  return Promise.all([...ended, ...live].map((curves) => draw([curves])));
}

/** The losses of several runs in one drawing. */
export async function drawRuns(store: Store, runs: readonly RunRecord[]): Promise<readonly Drawing[]> {
  const names = namesOf(runs);
  const all: NamedCurves[] = [];
  for (const [index, run] of runs.entries()) {
    const trainings = await viewTrainings(store, run);
    for (const { stage, curves } of trainings) {
      const own = names[index] ?? run.run;
      all.push({ name: trainings.length === 1 ? own : `${stage}, ${own}`, ...curves });
    }
  }
  return all.length === 0 ? [] : [await draw(all)];
}

/** What tells runs apart: the params that differ, or else when they began. */
function namesOf(runs: readonly RunRecord[]): readonly string[] {
  const params = [...new Set(runs.flatMap(({ params }) => Object.keys(params)))].filter(
    (name) => new Set(runs.map((run) => JSON.stringify(run.params[name]))).size > 1,
  );
  const named = runs.map((run) =>
    params.map((name) => `${name} ${JSON.stringify(run.params[name])}`).join(', '),
  );
  if (params.length > 0 && new Set(named).size === runs.length) return named;
  return runs.map(({ run }, index) =>
    [run.slice(0, 19).replace('T', ' '), named[index]].filter((part) => part !== '').join(', '),
  );
}

async function draw(curves: readonly NamedCurves[]): Promise<Drawing> {
  const spec = historyPlot(curves, { width });
  return { title: spec.title, svg: await renderSvg(spec) };
}

async function liveCurves(store: Store, run: string): Promise<readonly NamedCurves[]> {
  const stages = new Map<string, { readonly loss: CurvePoint[]; readonly validation: CurvePoint[] }>();
  for (let from = 0; ; ) {
    const page = await readLiveEvents(store, { run, from });
    if (page === undefined || page.next === from) break;
    for (const event of page.events) addPoint(stages, event);
    from = page.next;
  }
  return [...stages].map(
    ([name, { loss, validation }]): NamedCurves => ({ name, ...emptyCurves, train: loss, validation }),
  );
}

const emptyCurves: Curves = {
  loss: [],
  train: [],
  validation: [],
  learning_rate: [],
  gradient_norm: [],
  spikes: [],
};

/** Of a training's progress; a user's stage may report figures of any name. */
function addPoint(
  stages: Map<string, { readonly loss: CurvePoint[]; readonly validation: CurvePoint[] }>,
  event: LiveEvent,
): void {
  if (event.type !== 'stage-report' || event.report.type !== 'progress' || event.report.unit !== 'step')
    return;
  const { done, figures } = event.report;
  const { loss, validation_loss: validation } = figures ?? {};
  if (typeof loss !== 'number' || typeof done !== 'number') return;
  const curves = stages.get(event.stage) ?? { loss: [], validation: [] };
  stages.set(event.stage, curves);
  curves.loss.push({ step: done, epoch: 0, value: loss });
  if (typeof validation === 'number' && curves.validation.at(-1)?.value !== validation)
    curves.validation.push({ step: done, epoch: 0, value: validation });
}
