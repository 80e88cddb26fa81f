import { compile } from 'vega-lite';
import { describe, expect, it } from 'vitest';
import {
  type Curves,
  historyPlot,
  type PlottedScore,
  plotColors,
  plotCss,
  renderSvg,
  scoresPlot,
  sweepPlot,
} from '../../src/view/index.ts';

const points = (...values: readonly number[]) =>
  values.map((value, index) => ({ step: 10 * index, epoch: 1, value }));

const curves: Curves = {
  loss: points(3, 2.5, 1.9, 1.6, 1.1, 0.4),
  train: points(3, 2, 1.5, 1.2, 1, 0.5),
  validation: points(3, 2, 1.5, 1.8, 2, 2.5),
  learning_rate: points(0, 1e-4, 1e-4, 1e-4, 1e-4, 1e-4),
  gradient_norm: points(2, 1, 1, 1, 1, 1),
  spikes: [],
  best_step: 20,
  kept_step: 50,
  overfitting: { step: 20, epoch: 1, validation_loss: 1.5, last_validation_loss: 2.5 },
};

/** The texts that a picture shows, in order. */
const textsIn = (svg: string): readonly string[] =>
  [...svg.matchAll(/<(text|tspan)[^>]*>([^<]+)</g)].map(([, , text = '']) => text);

describe('the plot of a history', () => {
  it('says in words what it shows: the course of the losses, where overfitting begins, what was kept', () => {
    expect(historyPlot([{ name: 'train', ...curves }]).description).toBe(
      'train: training loss from 3 at step 0 to 0.5 at step 50; validation loss from 3 at step 0 to 2.5 at step 50, lowest at step 20 with 1.5; overfitting begins at step 20; the weights of step 50 were kept.',
    );
  });

  it('marks the kept step and the beginning of overfitting, with one line where they are the same', async () => {
    const last = await renderSvg(historyPlot([{ name: 'train', ...curves }]));
    expect(textsIn(last)).toEqual(
      expect.arrayContaining(['overfitting begins, step 20', 'kept, step 50', 'training', 'validation']),
    );
    const best = await renderSvg(historyPlot([{ name: 'train', ...curves, kept_step: 20 }]));
    expect(textsIn(best).filter((text) => text.includes('kept'))).toEqual([
      'kept; overfitting begins, step 20',
    ]);
  });

  it('of several trainings names each, and dashes the validation losses', async () => {
    const svg = await renderSvg(
      historyPlot([
        { name: 'full', ...curves },
        { name: 'lora', ...curves },
      ]),
    );
    expect(textsIn(svg)).toEqual(expect.arrayContaining(['full', 'lora', 'training', 'validation']));
    expect(svg.match(/stroke-dasharray="5,3"/g)?.length).toBeGreaterThanOrEqual(2);
  });

  it('of 100,000 steps has a thousand points, and its highest and lowest loss among them', () => {
    const loss = Array.from({ length: 100_000 }, (_, step) => ({ step, epoch: 1, value: Math.sin(step) }));
    loss[54_321] = { step: 54_321, epoch: 1, value: 50 };
    const spec = JSON.stringify(historyPlot([{ name: 'train', ...curves, loss }]));
    expect(spec).toContain('{"step":54321,"epoch":1,"value":50}');
    expect(spec.length).toBeLessThan(100_000);
  });
});

describe('the plot of a sweep', () => {
  const point = (learning_rate: number, value: number, template = 'alpaca') => ({
    name: `learning_rate=${learning_rate}`,
    params: { learning_rate, template, seed: 1 },
    scores: [{ name: 'evaluate loss', value, higher_is_better: false }],
  });

  it('has an axis for each param that differs and for each score, and names the best point', () => {
    const spec = sweepPlot([point(1e-5, 3), point(1e-4, 1), point(1e-3, 2, 'chat')]);
    expect(spec.description).toBe(
      '3 points over learning_rate, template, evaluate loss. Best by evaluate loss: learning_rate=0.0001 with 1.',
    );
  });

  it('spreads powers evenly, and puts the better end of a score at the top', async () => {
    const spec = JSON.parse(JSON.stringify(sweepPlot([point(1e-5, 3), point(1e-4, 1), point(1e-3, 2)])));
    const lines = [spec.layer[1], spec.layer[2]].flatMap(({ data }) => data.values);
    expect(lines.map(({ name, at, height }) => ({ name, at, height: Number(height.toFixed(6)) }))).toEqual([
      { name: 'learning_rate=0.00001', at: 0, height: 0 },
      { name: 'learning_rate=0.00001', at: 1, height: 0 },
      { name: 'learning_rate=0.001', at: 0, height: 1 },
      { name: 'learning_rate=0.001', at: 1, height: 0.5 },
      { name: 'learning_rate=0.0001', at: 0, height: 0.5 },
      { name: 'learning_rate=0.0001', at: 1, height: 1 },
    ]);
    expect(textsIn(await renderSvg(spec))).toEqual(expect.arrayContaining(['1e-5', '1e-4', '0.001']));
  });
});

describe('the plot of scores', () => {
  const score = (series: string, metric: string, value: number): PlottedScore => ({
    ...{ series, metric, value, higher_is_better: metric !== 'perplexity' },
  });

  it('puts shares in one panel from 0 to 1, and every other metric in its own', () => {
    const spec = JSON.parse(
      JSON.stringify(
        scoresPlot([
          { ...score('before', 'exact_match', 0.5), interval: { low: 0.4, high: 0.6 } },
          { ...score('before', 'token_f1', 0.98), standard_error: 0.02 },
          { ...score('before', 'perplexity', 20), standard_error: 1 },
          score('after', 'perplexity', Number.NaN),
        ]),
      ),
    );
    const rowsOf = ({ data }: { data: { values: readonly Record<string, unknown>[] } }) =>
      data.values.map(({ metric, low, high }) => ({ metric, low, high }));
    expect(spec.vconcat.map(rowsOf)).toEqual([
      [
        { metric: 'exact_match', low: 0.4, high: 0.6 },
        { metric: 'token_f1', low: 0.98 - 1.96 * 0.02, high: 1 },
      ],
      [{ metric: 'perplexity', low: 20 - 1.96, high: 20 + 1.96 }],
    ]);
    expect(spec.description).toContain('before, exact_match: 0.5 (95 % from 0.4 to 0.6)');
  });
});

describe('a rendered plot', () => {
  const hostile = '</text><script>alert(1)</script>\u0000\ud800 & "quoted"';
  const spec = historyPlot([{ name: hostile, ...curves }]);

  it('is labeled for a screen reader, and text in it stays text', async () => {
    const svg = await renderSvg(spec);
    expect(/<svg[^>]*role="img"[^>]*><title>(.*?)<\/title><desc>.*?<\/desc>/.exec(svg)?.[1]).toBe(
      'Losses of &lt;/text&gt;&lt;script&gt;alert(1)&lt;/script&gt;\ufffd\ufffd &amp; "quoted"',
    );
    expect(svg).not.toContain('<script');
  });

  it('in a page takes its colors from the page: no text has a fixed color', async () => {
    const svg = await renderSvg(spec);
    for (const { light } of Object.values(plotColors)) expect(svg).not.toContain(`"${light}"`);
    const used = [...svg.matchAll(/var\((--plot-[a-z]+)/g)].map(([, name = '']) => name);
    for (const name of new Set(used)) expect(plotCss()).toContain(`${name}:`);
  });

  it('alone has its colors for programs without CSS, and others in dark mode', async () => {
    const svg = await renderSvg(spec, 'file');
    expect(svg).not.toContain('var(');
    expect(svg).toContain(`[stroke="${plotColors.train.light}"]{stroke:${plotColors.train.dark}}`);
  });

  it('comes from a specification that Vega-Lite has no warning about', () => {
    const warnings: unknown[] = [];
    const quiet = () => logger;
    const logger = {
      ...{ level: quiet as never, error: quiet, info: quiet, debug: quiet },
      warn: (...warning: readonly unknown[]) => {
        warnings.push(...warning);
        return logger;
      },
    };
    const two = [
      { name: 'full', ...curves },
      { name: 'lora', ...curves },
    ];
    const score = { series: 'a', metric: 'm', value: 0.5, higher_is_better: true };
    const points = [1, 2].map((epochs) => ({
      ...{
        name: `epochs=${epochs}`,
        params: { epochs },
        scores: [{ name: 'm', value: epochs, higher_is_better: true }],
      },
    }));
    for (const each of [
      historyPlot(two.slice(1), { detail: true }),
      historyPlot(two, { detail: true }),
      historyPlot([]),
      sweepPlot(points),
      scoresPlot([score, { ...score, series: 'b' }, { ...score, metric: 'n', value: 7 }]),
      scoresPlot(Array.from({ length: 9 }, (_, index) => ({ ...score, series: `s${index}` }))),
    ])
      compile(each, { logger });
    expect(warnings).toEqual([]);
  });

  it('refers to nothing outside itself', async () => {
    const addresses = (await renderSvg(spec, 'file')).match(/https?:[^"' )]+/g);
    expect(addresses).toEqual(['http://www.w3.org/2000/svg']);
  });
});

/** The relative luminance of WCAG 2. */
function luminance(hex: string): number {
  const [r = 0, g = 0, b = 0] = [1, 3, 5].map((at) => {
    const share = Number.parseInt(hex.slice(at, at + 2), 16) / 255;
    return share <= 0.03928 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

it.each(['light', 'dark'] as const)(
  'every color but the grid has a contrast of 4.5 with a %s page',
  (mode) => {
    const page = luminance(plotColors.page[mode]);
    const faint = Object.entries(plotColors).filter(([role, colors]) => {
      const [low = 0, high = 0] = [page, luminance(colors[mode])].sort((a, b) => a - b);
      return role !== 'page' && role !== 'grid' && (high + 0.05) / (low + 0.05) < 4.5;
    });
    expect(faint.map(([role]) => role)).toEqual([]);
  },
);
