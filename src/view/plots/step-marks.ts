import type { Curves } from '../curves.ts';
import { colorOf, widthOfText } from './plot-style.ts';

/** The horizontal axis of a plot over steps. */
export const stepAxis = (width: number) => ({
  field: 'step',
  type: 'quantitative',
  title: 'step',
  axis: { grid: false, tickMinStep: 1, tickCount: Math.round(width / 80) },
});

/** Below this width, in pixels, a label with its step fits on neither side of its line. */
const NARROW = 420;

/** Shades the steps from where overfitting begins. */
export function overfittingMarks({ overfitting, loss, validation }: Curves): readonly object[] {
  if (overfitting === undefined) return [];
  const end = Math.max(loss.at(-1)?.step ?? 0, validation.at(-1)?.step ?? 0);
  return [
    {
      data: { values: [{ from: overfitting.step, to: end }] },
      mark: { type: 'rect', color: colorOf('overfitting'), opacity: 0.09 },
      encoding: { x: { field: 'from', type: 'quantitative' }, x2: { field: 'to' } },
    },
  ];
}

/** Lines at the kept step and where overfitting begins, each with a word at the top; one line where they are the same. */
export function keptMarks(curves: Curves, width: number): readonly object[] {
  const x = stepAxis(width);
  const { kept_step: kept, overfitting } = curves;
  const last = Math.max(curves.loss.at(-1)?.step ?? 0, curves.validation.at(-1)?.step ?? 0);
  const isOne = kept === overfitting?.step;
  const marks = [
    ...(overfitting === undefined
      ? []
      : [
          {
            step: overfitting.step,
            text: isOne ? 'kept; overfitting begins' : 'overfitting begins',
            color: isOne ? colorOf('kept') : colorOf('overfitting'),
          },
        ]),
    ...(kept === undefined || isOne ? [] : [{ step: kept, text: 'kept', color: colorOf('kept') }]),
  ];
  return marks.flatMap(({ step, text, color }, index) => {
    const label = width < NARROW ? text : `${text}, step ${step}`;
    const isRight = (step / last) * width + widthOfText(label) > width;
    const words = { type: 'text', color, align: isRight ? 'right' : 'left', dx: isRight ? -6 : 6 };
    const data = { values: [{ step, text: label }] };
    return [
      { data, mark: { type: 'rule', color, strokeWidth: 1.5, strokeDash: [5, 3] }, encoding: { x } },
      {
        data,
        mark: { ...words, fontWeight: 600, baseline: 'top' },
        encoding: { x, y: { value: 4 + 18 * index }, text: { field: 'text' } },
      },
    ];
  });
}
