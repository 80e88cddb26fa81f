import { availableParallelism } from 'node:os';
import type { ExecuteConfig } from '../../generated/execute-config.ts';
import { jinjaTemplate } from '../../text/template/jinja-template.ts';
import { implementStage } from '../implement-stage.ts';
import { readAll } from '../ports/read-all.ts';
import { RecordProblems } from '../record-problems.ts';
import { answersToRun } from './answers-to-run.ts';
import { inParallel } from './in-parallel.ts';
import { openSandbox } from './sandbox/open-sandbox.ts';
import { runProgram } from './sandbox/run-program.ts';

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
    const ended = await inParallel(tasks, {
      limit: config.concurrency ?? resources.threads ?? availableParallelism(),
      work: async ({ response, source }) => {
        const outcome = await runProgram(sandbox, { source, signal: host.signal });
        done += 1;
        host.report({ type: 'progress', unit: 'program', done, total: tasks.length });
        return { ...response, passed: outcome === 'passed', outcome };
      },
    });
    for (const response of ended) await outputs.responses.write(response);
    return { programs: ended.length, python: sandbox.pythonVersion };
  },
});
