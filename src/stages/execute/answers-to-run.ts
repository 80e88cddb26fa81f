import type { DataRecord } from '../../text/record.ts';
import { UserError } from '../../user-error.ts';
import { parseResponse } from '../ports/parse-response.ts';
import type { ResponseRecord } from '../ports/response-record.ts';
import { RecordProblems } from '../record-problems.ts';

interface Given {
  /** What generate wrote; with problems, lines {task_id, completion} of any program. */
  readonly answers: readonly DataRecord[];
  readonly problems: readonly DataRecord[] | undefined;
}

/** The responses to run. Samples are joined with their problems, each of which has to have one. */
export function answersToRun({ answers, problems }: Given): readonly ResponseRecord[] {
  if (problems === undefined)
    return answers.map((record, index) => parseResponse(record, `responses:${index + 1}`));
  const byId = new Map(problems.map((problem) => [problem.id, problem]));
  const faults = new RecordProblems('are no samples of the problems');
  const joined = answers.flatMap(
    (sample) => faults.collect({ id: sample.id }, () => responseOf(sample, byId)) ?? [],
  );
  faults.throwIfAny();
  checkAttempted(problems, joined);
  return joined;
}

function responseOf(sample: DataRecord, problems: ReadonlyMap<string, DataRecord>): ResponseRecord {
  const { task_id: task, completion } = sample;
  if (typeof task !== 'string' || typeof completion !== 'string')
    throw new UserError({
      code: 'bad-sample',
      message: 'it lacks the text `task_id` or `completion`',
      help: 'a sample is {"task_id": "HumanEval/0", "completion": "..."}',
    });
  const problem = problems.get(task);
  if (problem === undefined)
    throw new UserError({ code: 'unknown-problem', message: `there is no problem \`${task}\`` });
  const { id: _, prompt, ...fields } = problem;
  return {
    id: sample.id,
    prompt: typeof prompt === 'string' ? prompt : '',
    expected: '',
    fields: { ...fields, task_id: task },
    response: completion,
  };
}

function checkAttempted(problems: readonly DataRecord[], joined: readonly ResponseRecord[]): void {
  const attempted = new Set(joined.map(({ fields }) => fields.task_id));
  const missed = problems.filter(({ id }) => !attempted.has(id)).map(({ id }) => id);
  if (missed.length > 0)
    throw new UserError({
      code: 'not-attempted',
      message: `${missed.length} of ${problems.length} problems have no sample: ${missed.slice(0, 5).join(', ')}${missed.length > 5 ? ', ...' : ''}`,
      help: 'pass@k is defined over all problems: try each at least once, or load fewer of them with `limit`',
    });
}
