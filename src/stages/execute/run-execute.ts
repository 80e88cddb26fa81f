import { availableParallelism } from 'node:os';
import pMap from 'p-map';
import { RecordProblems, UserError } from '../../core/index.ts';
import type { ExecuteConfig } from '../../generated/execute-config.ts';
import { type DataRecord, jinjaTemplate, parseResponse, type ResponseRecord } from '../../text/index.ts';
import { implementStage } from '../implement-stage.ts';
import { readAll } from '../ports/port-contents.ts';
import { openSandbox, runProgram } from './sandbox.ts';

export const { run } = implementStage<ExecuteConfig>()({
  inputs: { responses: 'records', problems: 'records?' },
  outputs: { responses: 'responses' },
  async run({ config, inputs, outputs, resources, host }) {
    const write = jinjaTemplate({ prompt: config.program, header: '', response: '' });
    const answers = await readAll(inputs.responses);
    const asked = inputs.problems && (await readAll(inputs.problems));
    const problems = new RecordProblems('make no program');
    const tasks = answersToRun({ answers, problems: asked }).flatMap((response) => {
      const { id, prompt, expected, fields } = response;
      const row = { ...fields, prompt, expected, response: response.response ?? '' };
      const segments = problems.collect({ id }, () => write(row));
      return segments === undefined ? [] : [{ response, source: segments[0]?.text ?? '' }];
    });
    problems.throwIfAny();
    const sandbox = await openSandbox({
      python: config.python,
      timeoutSeconds: config.timeout_seconds,
      memoryMegabytes: config.memory_megabytes,
      processes: config.processes,
    });
    let done = 0;
    const ended = await pMap(
      tasks,
      async ({ response, source }) => {
        const outcome = await runProgram(sandbox, { source, signal: host.signal });
        done += 1;
        host.report({ type: 'progress', unit: 'program', done, total: tasks.length });
        return { ...response, passed: outcome === 'passed', outcome };
      },
      { concurrency: config.concurrency ?? resources.threads ?? availableParallelism() },
    );
    for (const response of ended) await outputs.responses.write(response);
    return { programs: ended.length, python: sandbox.pythonVersion };
  },
});

interface Given {
  /** What generate wrote; with problems, lines {task_id, completion} of any program. */
  readonly answers: readonly DataRecord[];
  readonly problems: readonly DataRecord[] | undefined;
}

/** The responses to run. Samples are joined with their problems, each of which has to have one. */
function answersToRun({ answers, problems }: Given): readonly ResponseRecord[] {
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
