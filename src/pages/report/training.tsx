import { formatCount, formatFigure } from '../../core/index.ts';
import type { EvaluationRow, TrainingPage } from '../../view/index.ts';
import { Note } from '../components/layout.tsx';
import { Plot } from '../components/plot.tsx';
import { Table, type TableColumn } from '../components/table.tsx';
import { LongText } from '../components/text.tsx';

/** A training: its losses, where overfitting begins, and the step that was kept. */
export function Training({ training, name }: { readonly training: TrainingPage; readonly name: string }) {
  const { plot, evaluations, evaluation_count, samples } = training;
  return (
    <div class="block">
      <Verdict training={training} />
      <Plot title={`Plot of the losses of ${name}`} svg={plot} />
      {evaluations.length > 0 && (
        <details>
          <summary>
            Evaluations{' '}
            <span class="soft small">
              {evaluations.length < evaluation_count
                ? `${evaluations.length} of ${formatCount(evaluation_count)}, evenly chosen`
                : evaluation_count}
            </span>
          </summary>
          <div class="details-body">
            <Table<EvaluationRow>
              label={`Evaluations of ${name}`}
              rows={evaluations}
              rowKey={({ step }) => `${step}`}
              columns={[
                { title: 'step', kind: 'number', cell: ({ step }) => formatCount(step) },
                { title: 'epoch', kind: 'number', cell: ({ epoch }) => formatFigure(epoch) },
                { title: 'training loss', kind: 'number', cell: ({ train }) => figure(train) },
                ...(evaluations.some(({ validation }) => validation !== undefined) ? [validationColumn] : []),
                ...measureColumns(evaluations),
                { title: 'note', cell: ({ step }) => marksOf(step, training) },
              ]}
            />
          </div>
        </details>
      )}
      {samples.length > 0 && (
        <details>
          <summary>
            Samples <span class="soft small">{samples.length}</span>
          </summary>
          <ol class="answers">
            {samples.map(({ step, epoch, prompt, response }) => (
              <li class="answer" key={step}>
                <span class="soft small">
                  step {formatCount(step)}, epoch {formatFigure(epoch)}
                </span>
                <LongText text={prompt.trim().slice(-200)} />
                <div>
                  <LongText text={response} />
                </div>
              </li>
            ))}
          </ol>
        </details>
      )}
    </div>
  );
}

const validationColumn: TableColumn<EvaluationRow> = {
  title: 'validation loss',
  kind: 'number',
  cell: ({ validation }) => figure(validation),
};

/** Of several validation sets, and of scores of answers. */
function measureColumns(rows: readonly EvaluationRow[]): readonly TableColumn<EvaluationRow>[] {
  const names = [...new Set(rows.flatMap(({ measures = {} }) => Object.keys(measures)))];
  return names.map((name) => ({
    title: name.replace('validation_loss/', 'validation loss, '),
    kind: 'number',
    cell: ({ measures }) => figure(measures?.[name]),
  }));
}

const figure = (value: number | undefined): string => (value === undefined ? '' : formatFigure(value));

function marksOf(step: number, { kept_step, best_step, best_by, overfitting }: TrainingPage): string {
  return [
    ...(step === kept_step ? ['kept'] : []),
    ...(step === best_step ? [best_by === undefined ? 'lowest validation loss' : `best ${best_by}`] : []),
    ...(step === overfitting?.step ? ['overfitting begins'] : []),
  ].join(', ');
}

/** What the curves say, in words. */
function Verdict({
  training: { overfitting, kept_step, best_step, end },
}: {
  readonly training: TrainingPage;
}) {
  const kept = kept_step === undefined ? '' : `The weights of step ${formatCount(kept_step)} were kept.`;
  const stopped =
    end?.reason === 'early_stop'
      ? ` It stopped early at step ${formatCount(end.step)}.`
      : end?.reason === 'loss_spike'
        ? ` A loss spike stopped it at step ${formatCount(end.step)}.`
        : '';
  if (overfitting === undefined)
    return (
      <p>
        {kept}
        {stopped}{' '}
        {best_step === undefined ? '' : 'No overfitting: the validation loss does not rise for long.'}
      </p>
    );
  const { step, validation_loss, last_validation_loss } = overfitting;
  const isKept = kept_step !== undefined && kept_step > step;
  return (
    <Note tone={isKept ? 'bad' : 'good'}>
      <p>
        <strong>Overfitting begins at step {formatCount(step)}.</strong> From there the training loss falls
        while the validation loss rises, from {formatFigure(validation_loss)} to{' '}
        {formatFigure(last_validation_loss)}. {kept}
        {stopped}
        {isKept && (
          <>
            {' '}
            <code>keep: best</code> would keep step {formatCount(step)}.
          </>
        )}
      </p>
    </Note>
  );
}
