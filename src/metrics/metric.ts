import type { Json } from '../core/index.ts';
import type { EvaluateConfig } from '../generated/evaluate-config.ts';
import type { ResponseRecord } from '../text/index.ts';
import type { Rating } from './ratings.ts';
import type { Score } from './scores.ts';
import type { WeightedValue } from './statistics.ts';

export type MetricName = EvaluateConfig['metrics'][number];

/** Metrics by the names that `metrics` of evaluate takes. */
export type Metrics = Readonly<Partial<Record<MetricName, Metric>>>;

export type Metric = MeanMetric | SetMetric;

/** What a metric says about itself: its row in docs/stages/evaluate.md. */
interface MetricDescription {
  /** What it measures, in one sentence. */
  readonly measures: string;
  readonly reads: ResponseContent;
  /** The tool, paper or experiment that defines it. */
  readonly source: string;
}

/** The mean over responses of what each one scores by itself. Evaluate adds the standard error, `by` and `worst_of`. */
export interface MeanMetric extends MetricDescription {
  readonly better: 'higher' | 'lower';
  /** Undefined if the metric cannot use the response. */
  readonly scoreOne: (one: ScoredResponse, config: EvaluateConfig) => WeightedValue | undefined;
  /** Why `scoreOne` may return undefined. */
  readonly leftOutReason?: (config: EvaluateConfig) => string;
  /** `exp`: the score is e to the power of the mean. */
  readonly transform?: 'exp';
}

/** A metric that is no mean over responses: it looks at all of them together. Evaluate adds `by`. */
export interface SetMetric extends MetricDescription {
  /** `varies`: its figures differ in their direction. */
  readonly better: 'higher' | 'lower' | 'varies';
  /** Gets at least one response. */
  readonly scoreAll: (responses: readonly ScoredResponse[], config: EvaluateConfig) => SetScores;
}

export interface SetScores {
  /** One or more figures; the metric gives each its name, even if there is only one. */
  readonly metrics: readonly Score[];
  /** Response id -> what that response scored; empty if the metric scores no single response. */
  readonly values: ReadonlyMap<string, Json>;
}

/** A response beside the answers that would be right: one, or several, of which the best match counts. */
export interface ScoredResponse {
  readonly response: ResponseRecord;
  readonly expected: readonly string[];
  /** People's ratings of it, if there are any. */
  readonly ratings?: readonly Rating[];
  /** A second judge's response to the same prompt. */
  readonly secondJudge?: ResponseRecord;
}

/** What a metric reads of a response: evaluate refuses responses without it before the metric sees them. */
export type ResponseContent = keyof typeof responseContents;

interface Content {
  /** As the documentation names it. */
  readonly name: string;
  /** A response must have one of these. */
  readonly fields: readonly (keyof ResponseRecord)[];
  /** Continues "3 of 4 responses ..." where they have none of the fields. */
  readonly lack: string;
  readonly help: string;
}

const modeHelp = (mode: string) => `set \`mode: ${mode}\` in the generate stage, or choose other metrics`;

export const responseContents = {
  text: {
    name: '`mode: text`',
    fields: ['response'],
    lack: 'were scored, not generated',
    help: modeHelp('text'),
  },
  score: {
    name: '`mode: score`',
    fields: ['log_likelihood'],
    lack: 'were generated, not scored',
    help: modeHelp('score'),
  },
  choices: {
    name: '`mode: choices`',
    fields: ['choices'],
    lack: 'were not chosen from candidates',
    help: modeHelp('choices'),
  },
  rolling: {
    name: '`mode: rolling`',
    fields: ['words'],
    lack: 'have no log-likelihood of a whole text',
    help: modeHelp('rolling'),
  },
  verdict: {
    name: "a judge's `mode: choices` or `text`",
    fields: ['response', 'choices'],
    lack: 'hold no verdict',
    help: modeHelp('choices'),
  },
  program: {
    name: 'the outcomes of [execute](execute.md)',
    fields: ['passed'],
    lack: 'were never run',
    help: 'let the stage `execute` run them first',
  },
  row: { name: 'records', fields: ['fields'], lack: 'have no row', help: 'give the metric records' },
} satisfies Readonly<Record<string, Content>>;
