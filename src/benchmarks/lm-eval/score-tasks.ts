import { isList, type Json, RecordProblems, UserError } from '../../core/index.ts';
import type { EvaluateConfig } from '../../generated/evaluate-config.ts';
import { errorField, grouped, type Score, type ScoredResponse, type SetScores } from '../../metrics/index.ts';
import type { ResponseRecord } from '../../text/index.ts';
import { aggregate } from './aggregate.ts';
import { pipelineOf } from './filter-list.ts';
import { type NotedValue, notedValues } from './noted-values.ts';
import { type Scoring, scoringOf } from './row.ts';
import { scoreGroups, type TaskFigures } from './score-groups.ts';

/** The figures of tasks and their groups, under lm-evaluation-harness's names: `exact_match,flexible-extract`. */
export function scoreTasks(
  responses: readonly ScoredResponse[],
  { bootstrap: resampling }: Pick<EvaluateConfig, 'bootstrap'>,
): SetScores {
  const problems = new RecordProblems('cannot be scored');
  const read = responses.flatMap(({ response }) => {
    const found = problems.collect({ id: response.id }, () => scoringOf(response.fields));
    return found === undefined ? [] : [{ response, ...found }];
  });
  problems.throwIfAny();
  const values = new Map<string, Json>();
  const tasks = [...grouped(read, ({ task }) => task)].flatMap(([task, own]) => {
    const [first] = own;
    if (first === undefined) return [];
    const { scoring } = first;
    const questions = grouped(
      own.map(({ response }) => response),
      ({ id, sample_of: question }) => question ?? id,
    );
    return { task, scoring, figures: taskFigures(questions, { scoring, resampling, values }) };
  });
  // A single task's figures are about all responses.
  const scores = tasks.flatMap(({ task, figures }) =>
    figures.map((figure) => (tasks.length === 1 ? figure : { ...figure, of: task })),
  );
  const [head, ...others] = [...scores, ...scoreGroups(tasks)];
  if (head === undefined)
    throw new UserError({ code: 'nothing-to-score', message: 'the tasks have no metrics' });
  return { metrics: [{ ...head, remark: remark(tasks) }, ...others], values };
}

type Questions = ReadonlyMap<string, readonly ResponseRecord[]>;

/** Also notes in `values` what each response scored in the task's first metric. */
function taskFigures(
  questions: Questions,
  {
    scoring,
    resampling,
    values,
  }: {
    readonly scoring: Scoring;
    readonly resampling: EvaluateConfig['bootstrap'];
    readonly values: Map<string, Json>;
  },
): readonly Score[] {
  const { metrics, filters } = scoring;
  const problems = new RecordProblems('cannot be scored');
  const figures = filters.flatMap((pipeline) => {
    const filter = pipelineOf(pipeline);
    const noted = [...questions].flatMap(([id, answers]) => {
      const [response] = answers;
      if (response === undefined) return [];
      const found = problems.collect({ id }, () => {
        const { fields } = response;
        const answer =
          scoring.output_type === 'generate_until'
            ? filter(answerTexts(answers, scoring), docOf(fields))
            : null;
        return notedValues({ fields, response, answer }, scoring);
      });
      if (found === undefined) return [];
      const [first] = found.values();
      for (const { id: own } of answers) if (!values.has(own)) values.set(own, shownValue(first));
      return [found];
    });
    problems.throwIfAny();
    return metrics.map(({ metric, aggregation, higher_is_better }): Score => {
      const own = noted.flatMap((one) => one.get(metric) ?? []);
      const { value, standardError } = aggregate(own, { aggregation, resampling });
      const name = pipeline.name === 'none' ? metric : `${metric},${pipeline.name}`;
      return { metric: name, value, higher_is_better, count: own.length, ...errorField(standardError) };
    });
  });
  return figures;
}

/** The answers to a question; without sampling one stands for all that the task asks for. */
function answerTexts(answers: readonly ResponseRecord[], { repeats }: Scoring): readonly string[] {
  const texts = answers.map(({ response }) => {
    if (response !== undefined) return response;
    throw new UserError({
      code: 'wrong-mode',
      message: 'it was scored, not answered',
      help: 'set `mode: task` in the generate stage, which answers each question as its task says',
    });
  });
  if (texts.length === repeats) return texts;
  if (texts.length === 1) return Array.from({ length: repeats }, () => texts[0] ?? '');
  throw new UserError({
    code: 'wrong-samples',
    message: `it has ${texts.length} answers; its task asks for ${repeats}`,
  });
}

const docOf = ({ doc }: ResponseRecord['fields']): ResponseRecord['fields'] =>
  typeof doc === 'object' && doc !== null && !isList(doc) ? (doc as ResponseRecord['fields']) : {};

/** What is shown of a single question. */
function shownValue(noted: NotedValue | undefined): Json {
  if (noted === undefined || noted.kind === 'probabilities' || noted.kind === 'counts') return null;
  return noted.kind === 'labels' ? Number(noted.gold === noted.predicted) : noted.value;
}

/** The versions and numbers of examples, which lm-evaluation-harness prints beside figures. */
function remark(tasks: readonly TaskFigures[]): string {
  const groups = grouped(tasks, ({ scoring: { version, shots } }) =>
    [version === null ? 'no version' : `version ${version}`, `${shots} shots`].join(', '),
  );
  return [...groups]
    .map(([facts, own]) => {
      const names = own.slice(0, 3).map(({ task }) => task);
      const more = own.length > names.length ? ` and ${own.length - names.length} more` : '';
      return `${names.join(', ')}${more}: ${facts}`;
    })
    .join('; ');
}
