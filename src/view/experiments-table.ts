import { canonicalJson, type Json, type JsonObject, own } from '../core/index.ts';
import { isLoss } from './curves.ts';
import type { Experiment } from './experiments.ts';
import { mainScores, scoreName } from './scores.ts';

/** Experiments as a table: what distinguishes them, and how well they did. */
export interface ExperimentsTable {
  readonly experiments: readonly Experiment[];
  /** The params and the fields that differ, then all losses and scores. */
  readonly columns: readonly ExperimentColumn[];
}

/** A param, a field, a loss or a score of every experiment. */
export interface ExperimentColumn {
  readonly kind: 'param' | 'field' | 'loss' | 'score';
  /** Without its stage where that is the only one with such a figure. */
  readonly name: string;
  /** `params.epochs`, `train.optimizer.learning_rate`, `evaluate.exact_match`. */
  readonly fullName: string;
  /** Of losses and scores. */
  readonly higherIsBetter?: boolean;
  /** In the order of the experiments; undefined where an experiment has none. */
  readonly cells: readonly (ExperimentCell | undefined)[];
}

export interface ExperimentCell {
  readonly value: Json;
  readonly standard_error?: number;
  /** A bootstrap interval that holds 95 % of the rounds. */
  readonly interval?: { readonly low: number; readonly high: number };
}

/** The columns that tell experiments apart, and all their figures. */
export function experimentsTable(experiments: readonly Experiment[]): ExperimentsTable {
  const columns = experimentColumns(experiments);
  const params = columns.filter((column) => column.kind === 'param' && distinct(column.cells) > 1);
  const fields = columns.filter(
    (column) =>
      column.kind === 'field' &&
      fieldDiffers(column, experiments) &&
      !params.some((param) => fills(param, column)),
  );
  const figures = columns.filter(({ kind }) => kind === 'loss' || kind === 'score');
  return { experiments, columns: [...params, ...fields, ...figures] };
}

/** Every param, field, loss and score that at least one of the experiments has. */
export function experimentColumns(experiments: readonly Experiment[]): readonly ExperimentColumn[] {
  const settings = (kind: 'param' | 'field') => {
    const maps = experiments.map(({ params, fields }) => (kind === 'param' ? params : fields));
    return namesIn(maps).map((name): ExperimentColumn => {
      const cells = maps.map((map) => cellOf(own(map, name)));
      return { kind, name, fullName: kind === 'param' ? `params.${name}` : name, cells };
    });
  };
  return withShortNames([
    ...settings('param'),
    ...settings('field'),
    ...figureColumns('loss', experiments.map(lossFigures)),
    ...figureColumns('score', experiments.map(scoreFigures)),
  ]);
}

/** A loss or a score of one experiment. */
interface Figure {
  readonly stage: string;
  readonly name: string;
  readonly higherIsBetter: boolean;
  readonly cell: ExperimentCell;
}

/** The validation loss where it was measured, else the training loss. */
const lossFigures = ({ losses }: Experiment): readonly Figure[] =>
  losses.flatMap(({ stage, train_loss, validation_loss, measures = {} }) => {
    const value = validation_loss ?? train_loss;
    const name = validation_loss === undefined ? 'train_loss' : 'validation_loss';
    const others = Object.entries(measures).map(([name, value]) => ({
      ...{ stage, name, higherIsBetter: !isLoss(name), cell: { value } },
    }));
    const own = value === undefined ? [] : [{ stage, name, higherIsBetter: false, cell: { value } }];
    return [...own, ...others];
  });

function scoreFigures({ scores }: Experiment): readonly Figure[] {
  const stages = [...new Set(scores.map(({ stage }) => stage))];
  return stages
    .flatMap((stage) => mainScores(scores.filter((score) => score.stage === stage)))
    .map((score) => {
      const { stage, value, higher_is_better, standard_error, interval } = score;
      const cell = {
        value,
        ...(standard_error === undefined ? {} : { standard_error }),
        ...(interval === undefined ? {} : { interval }),
      };
      return { stage, name: scoreName(score), higherIsBetter: higher_is_better, cell };
    });
}

function figureColumns(
  kind: 'loss' | 'score',
  figures: readonly (readonly Figure[])[],
): readonly ExperimentColumn[] {
  const named = new Map(
    figures.flat().map((figure) => [JSON.stringify([figure.stage, figure.name]), figure] as const),
  );
  return [...named.values()].map(({ stage, name, higherIsBetter }) => ({
    ...{ kind, name, fullName: `${stage}.${name}`, higherIsBetter },
    cells: figures.map((own) => own.find((figure) => figure.stage === stage && figure.name === name)?.cell),
  }));
}

/** Names that a row has besides its columns. */
export const rowNames = [
  'run',
  'point',
  'pipeline',
  'started',
  'duration',
  'state',
  'ran',
  'reused',
] as const;

/** The full name wherever the short one would stand for two columns, or for a row's own name. */
function withShortNames(columns: readonly ExperimentColumn[]): readonly ExperimentColumn[] {
  const uses = new Map<string, number>(rowNames.map((name) => [name, 1]));
  for (const { name } of columns) uses.set(name, (uses.get(name) ?? 0) + 1);
  return columns.map((column) =>
    uses.get(column.name) === 1 ? column : { ...column, name: column.fullName },
  );
}

const namesIn = (maps: readonly JsonObject[]): readonly string[] => [
  ...new Set(maps.flatMap((map) => Object.keys(map))),
];

const cellOf = (value: Json | undefined): ExperimentCell | undefined =>
  value === undefined ? undefined : { value };

const spelled = (cell: ExperimentCell | undefined): string =>
  cell === undefined ? '' : canonicalJson(cell.value);

const distinct = (cells: ExperimentColumn['cells']): number => new Set(cells.map(spelled)).size;

/** Whether a field's values differ among the experiments that have the stage. */
function fieldDiffers({ name, cells }: ExperimentColumn, experiments: readonly Experiment[]): boolean {
  const stage = name.slice(0, name.indexOf('.') + 1);
  const reached = cells.filter(
    (cell, index) =>
      cell !== undefined ||
      Object.keys(experiments[index]?.fields ?? {}).some((field) => field.startsWith(stage)),
  );
  return distinct(reached) > 1;
}

/** Whether a param says all that a field says: it fills it, as `${params.epochs}` does. */
const fills = (param: ExperimentColumn, field: ExperimentColumn): boolean =>
  field.cells.every((cell, index) => cell === undefined || spelled(cell) === spelled(param.cells[index]));

/** The best value of a loss or a score; undefined if fewer than two experiments have it, or all are equal. */
export function bestValue({ cells, higherIsBetter }: ExperimentColumn): number | undefined {
  if (higherIsBetter === undefined) return undefined;
  const values = cells.flatMap((cell) =>
    typeof cell?.value === 'number' && Number.isFinite(cell.value) ? [cell.value] : [],
  );
  const [low, high] = [Math.min(...values), Math.max(...values)];
  if (values.length < 2 || low === high) return undefined;
  return higherIsBetter ? high : low;
}
