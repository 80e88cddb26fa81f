import type { Json } from '../../json.ts';
import { positionOf } from '../../runtime/diagnostic/position.ts';
import {
  describeRun,
  describeWaiting,
  type ExplainedDifference,
  type Explanation,
} from '../../runtime/index.ts';
import { fieldOf } from './field-of.ts';

/** A stage's decision and what led to it, for people and programs. */
export interface ExplanationView {
  readonly stage: string;
  readonly decision: Explanation['decision']['kind'];
  readonly key?: string;
  /** Why it runs where no field differs, or what it waits for. */
  readonly reason?: string;
  readonly compared_with?: { readonly run: string; readonly stage: string; readonly started_at: string };
  readonly differences: readonly DifferenceView[];
}

export interface DifferenceView {
  /** `with.optimizer.learning_rate`, `input train`, `version`. */
  readonly field: string;
  readonly kind: ExplainedDifference['kind'];
  readonly before?: Json;
  readonly after?: Json;
  readonly file: string;
  /** Counted from 1. */
  readonly line: number;
}

export function explanationView({
  stage,
  decision,
  comparedWith,
  differences,
}: Explanation): ExplanationView {
  return {
    stage,
    decision: decision.kind,
    ...because(decision),
    ...(comparedWith && {
      compared_with: {
        run: comparedWith.provenance.run,
        stage: comparedWith.provenance.stage,
        started_at: comparedWith.provenance.startedAt,
      },
    }),
    differences: differences.map(differenceView),
  };
}

function because(decision: Explanation['decision']): Partial<ExplanationView> {
  switch (decision.kind) {
    case 'reuse':
      return { key: decision.key };
    case 'run':
      return { key: decision.key, reason: describeRun(decision) };
    case 'undecided':
      return { reason: describeWaiting(decision) };
    default:
      return decision satisfies never;
  }
}

function differenceView(difference: ExplainedDifference): DifferenceView {
  const { kind, before, after, span } = difference;
  return {
    field: fieldOf(difference),
    kind,
    ...(before === undefined ? {} : { before }),
    ...(after === undefined ? {} : { after }),
    file: span.file.displayPath,
    line: positionOf(span.file, span.start).line,
  };
}
