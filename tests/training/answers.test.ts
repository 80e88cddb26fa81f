import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { HistoryEntry } from '../../src/training/history.ts';
import type { TrainingProgress, TrainingTask } from '../../src/training/training-task.ts';
import { countingAnswers, evaluateWith } from './tiny-answers.ts';
import { countingExamples, plainConfig, TinyTraining, tinyBatches } from './tiny-training.ts';

const settings = { metrics: ['chrf', 'exact_match'], rows: 4, max_new_tokens: 2, batch_size: 2 };

async function taskOf(given: Partial<TrainingTask['config']> = {}): Promise<Partial<TrainingTask>> {
  const evaluate = evaluateWith(settings);
  const optimizer = { ...plainConfig.optimizer, learning_rate: 2e-2 };
  return {
    config: { ...plainConfig, optimizer, evaluate, ...given },
    batches: await tinyBatches({ examples: countingExamples(10) }),
    answers: await countingAnswers(given.evaluate ?? evaluate),
  };
}

const placesOf = (history: readonly HistoryEntry[], type: HistoryEntry['type']) =>
  history.filter((entry) => entry.type === type).map(({ step }) => step);

describe('a training that scores answers', () => {
  it('does so before it, at the end of each epoch and at the end, and changes nothing by it', async () => {
    await using scored = await TinyTraining.create();
    await using plain = await TinyTraining.create();
    const { history, weights } = await scored.run(await taskOf());
    const without = await plain.run({ ...(await taskOf()), answers: undefined });
    expect(placesOf(history, 'generation')).toEqual([0, 3, 6]);
    expect(history.find(({ type }) => type === 'generation')).toEqual({
      ...{ type: 'generation', step: 0, epoch: 0, rows: 4 },
      tokens: expect.any(Number),
      metrics: { chrf: expect.any(Number), exact_match: 0 },
    });
    expect(history.filter(({ type }) => type !== 'generation')).toEqual(without.history);
    expect(weights).toEqual(without.weights);
  });

  it('does so every N steps, and after the last one', async () => {
    await using training = await TinyTraining.create();
    const { history } = await training.run(
      await taskOf({ evaluate: evaluateWith({ ...settings, every: 4 }) }),
    );
    expect(placesOf(history, 'generation')).toEqual([0, 4, 6]);
  });

  it('keeps the weights with the best score, though the loss still falls, and stops when none is better', async () => {
    await using training = await TinyTraining.create();
    const config = {
      epochs: 30,
      keep: 'best',
      metric_for_best_model: 'chrf',
      early_stop: { patience: 3, min_delta: 0 },
    } as const;
    const { history } = await training.run(await taskOf(config));
    const scores = history.flatMap((entry) =>
      entry.type === 'generation' ? [{ step: entry.step, score: entry.metrics.chrf ?? 0 }] : [],
    );
    const highest = Math.max(...scores.map(({ score }) => score));
    const best = scores.find(({ score }) => score === highest)?.step;
    expect(history.at(-1)).toMatchObject({
      type: 'end',
      reason: 'early_stop',
      best_step: best,
      best_by: 'chrf',
    });
    expect(scores.at(-4)?.step).toBe(best);
  });

  it('answers the same prompts each time, drawn by the seed', async () => {
    const drawn = async (seed: number) => {
      const scoring = await countingAnswers(evaluateWith({ ...settings, seed, rows: 2 }));
      await using training = await TinyTraining.create();
      const { history } = await training.run({ ...(await taskOf()), answers: scoring });
      return history.filter(({ type }) => type === 'generation');
    };
    expect(await drawn(1)).toEqual(await drawn(1));
    expect(await drawn(1)).not.toEqual(await drawn(4));
  });

  it.each([
    [0, 1],
    [3, 2],
    [6, 3],
  ])('and is interrupted while answering after step %i comes to the same bytes', async (step, least) => {
    await using whole = await TinyTraining.create('onnx');
    await using training = await TinyTraining.create('onnx');
    const task = { ...(await taskOf()), answers: await countingAnswers(evaluateWith(settings), 'onnx') };
    const controller = new AbortController();
    const onProgress = (progress: TrainingProgress) => {
      if (progress.step === step && (progress.answering?.done ?? 0) >= least) controller.abort();
    };
    const interrupted = training.run({ ...task, signal: controller.signal, onProgress });
    await expect(interrupted).rejects.toMatchObject({ name: 'AbortError' });
    const notes: string[] = [];
    const resumed = await training.run({ ...task, onNote: (note) => void notes.push(note) });
    expect(resumed).toEqual(await whole.run(task));
    expect(notes).toContain(`resumes after step ${step}, where an earlier attempt saved its state`);
  });

  it('continues one of fewer epochs to the same bytes', async () => {
    const checkpointPath = await mkdtemp(join(tmpdir(), 'tiny-epochs-'));
    await using short = await TinyTraining.create();
    await using long = await TinyTraining.create();
    await using whole = await TinyTraining.create();
    await short.run({ ...(await taskOf({ epochs: 1 })), checkpointPath });
    expect(await long.run({ ...(await taskOf()), checkpointPath })).toEqual(await whole.run(await taskOf()));
    await rm(checkpointPath, { recursive: true });
  });
});

describe('a training with several validation sets', () => {
  const validationSets = async () =>
    new Map([
      ['easy', await tinyBatches({ examples: countingExamples(4) })],
      ['hard', await tinyBatches({ examples: countingExamples(6).slice(4) })],
    ]);

  it('measures each, and keeps the best by the one that is named', async () => {
    const config = { ...plainConfig, keep: 'best', metric_for_best_model: 'validation_loss/hard' } as const;
    await using training = await TinyTraining.create();
    const { history } = await training.run({ config, validationSets: await validationSets() });
    const losses = history.flatMap((entry) => (entry.type === 'evaluation' ? [entry] : []));
    for (const [name, examples] of await validationSets()) {
      await using alone = await TinyTraining.create();
      const { history } = await alone.run({ validation: examples });
      const due = history.flatMap((entry) => (entry.type === 'evaluation' ? [entry.validation_loss] : []));
      expect(losses.map(({ validation_losses }) => validation_losses?.[name])).toEqual(due);
    }
    expect(history.at(-1)).toMatchObject({ best_by: 'validation_loss/hard', best_step: 6 });
  });

  it('names what can be watched if what is to be watched is not measured', async () => {
    await using training = await TinyTraining.create();
    const config = { ...plainConfig, keep: 'best', metric_for_best_model: 'validation_loss' } as const;
    await expect(training.run({ config, validationSets: await validationSets() })).rejects.toMatchObject({
      code: 'not-measured',
      help: '`metric_for_best_model` can be `validation_loss/easy`, `validation_loss/hard`',
    });
  });
});
