import type { Store } from '../../runtime/index.ts';
import { portCodecs, readAll } from '../../stages/index.ts';
import { type CurvePoint, type Curves, curvesOf, isLoss } from '../../view/index.ts';
import { formatCount, formatFigure } from '../terminal/format-number.ts';
import { type ChartLine, lineChart } from '../terminal/line-chart.ts';
import type { Terminal } from '../terminal/terminal.ts';
import { wrapText } from '../terminal/wrap-text.ts';
import { type NamedOutput, readOutput } from './outputs.ts';

/** The losses of one training. */
export interface StageLosses {
  readonly stage: string;
  readonly train?: LossCourse;
  readonly validation?: LossCourse;
  /** Losses of several validation sets and scores of answers, by their names. */
  readonly measures?: Readonly<Record<string, LossCourse>>;
  /** The step whose weights became the output. */
  readonly kept_step?: number;
  /** The step from which on the training loss falls and the validation loss rises. */
  readonly overfits_from?: number;
}

export interface LossCourse {
  readonly first: number;
  readonly last: number;
  readonly best: number;
  readonly best_step: number;
}

/** A training's curves, and the stage that it is of. */
export interface Training {
  readonly stage: string;
  readonly curves: Curves;
}

/** The curves of every training among the outputs. */
export async function collectTrainings(
  store: Store,
  outputs: readonly (NamedOutput & { readonly keep?: unknown })[],
): Promise<readonly Training[]> {
  const histories = outputs.filter(({ type }) => type === 'history');
  return await Promise.all(
    histories.map(({ node, digest, keep }) =>
      readOutput({ store, digest }, async (path) => {
        const history = await readAll(portCodecs.history.read(path));
        return { stage: node.id, curves: curvesOf(history, keep === 'best' ? 'best' : 'last') };
      }),
    ),
  );
}

/** First, last and best losses of a training. */
export function lossesOf({ stage, curves }: Training): StageLosses {
  const { measures = {} } = curves;
  const train = courseOf(curves.train);
  const validation = curves.validation_set === undefined ? courseOf(curves.validation) : undefined;
  const others = Object.entries(measures).flatMap(([name, points]) => {
    const course = courseOf(points, isLoss(name) ? 1 : -1);
    return course === undefined ? [] : [[name, course] as const];
  });
  return {
    stage,
    ...(train && { train }),
    ...(validation && { validation }),
    ...(others.length > 0 && { measures: Object.fromEntries(others) }),
    ...(curves.kept_step === undefined ? {} : { kept_step: curves.kept_step }),
    ...(curves.overfitting && { overfits_from: curves.overfitting.step }),
  };
}

/** `sign` is -1 where higher values are better. */
function courseOf(points: readonly CurvePoint[], sign: 1 | -1 = 1): LossCourse | undefined {
  const [first, last] = [points[0], points.at(-1)];
  if (!first || !last) return undefined;
  const best = points.reduce((low, next) => (sign * next.value < sign * low.value ? next : low));
  return { first: first.value, last: last.value, best: best.value, best_step: best.step };
}

/** A training's losses as a chart, then which weights were kept and where overfitting begins. */
export function trainingText({ curves }: Training, terminal: Terminal): string {
  const { green, yellow } = terminal.colors;
  // Few evaluations show less than the losses of the steps.
  const training = curves.train.length >= LEAST_POINTS ? curves.train : curves.loss;
  const lines: readonly ChartLine[] = [
    { label: 'training', points: training.map(pointOf), color: green },
    {
      label: ['validation', curves.validation_set].filter(Boolean).join(' '),
      points: curves.validation.map(pointOf),
      color: yellow,
    },
  ].filter(({ points }) => points.length > 1);
  const { best_step: best } = curves;
  const isLast = best === undefined || best === lastStep(curves);
  const mark = isLast ? {} : { mark: { x: best, label: `${bestLabel(curves)}, step ${formatCount(best)}` } };
  const chart = lineChart(lines, { columns: terminal.columns, unit: 'step', ...mark });
  const sentences = [...keptSentence(curves), ...overfittingSentence(curves)];
  return [
    ...(chart === '' ? [] : [chart]),
    ...sentences.map((text) => wrapText(text, { columns: terminal.columns, indent: '  ' })),
  ].join('\n');
}

const LEAST_POINTS = 3;

const pointOf = ({ step, value }: CurvePoint) => ({ x: step, y: value });

const lastStep = ({ validation, measures = {}, best_by }: Curves): number | undefined =>
  (best_by === undefined ? validation : measures[best_by])?.at(-1)?.step;

const bestLabel = ({ best_by }: Curves): string =>
  best_by === undefined ? 'lowest validation loss' : `best ${best_by}`;

function keptSentence(curves: Curves): readonly string[] {
  const { kept_step: kept, best_step: best, best_by } = curves;
  if (kept === undefined) return [];
  const isLast = kept !== best || kept === lastStep(curves);
  const what = isLast ? `the last step, ${formatCount(kept)}` : `step ${formatCount(kept)}`;
  if (best === undefined) return [`Kept the weights of ${what}.`];
  return [
    kept === best
      ? `Kept the weights of ${what}, where ${best_by === undefined ? 'the validation loss is lowest' : `\`${best_by}\` is best`}.`
      : `Kept the weights of ${what}. ${best_by === undefined ? 'The validation loss is lowest' : `\`${best_by}\` is best`} at step ${formatCount(best)}, whose weights \`keep: best\` keeps.`,
  ];
}

function overfittingSentence({ overfitting, train }: Curves): readonly string[] {
  if (overfitting === undefined) return [];
  const { step, validation_loss: best, last_validation_loss: last } = overfitting;
  const [before, after] = [train.find((point) => point.step === step)?.value, train.at(-1)?.value];
  const fell =
    before === undefined || after === undefined
      ? ''
      : `, while the training loss fell from ${formatFigure(before)} to ${formatFigure(after)}`;
  return [
    `Overfitting begins at step ${formatCount(step)}: from there the validation loss rose from ${formatFigure(best)} to ${formatFigure(last)}${fell}.`,
  ];
}
