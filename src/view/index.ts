export { type CurvePoint, type Curves, curvesOf, type Overfitting } from './curves.ts';
export { historyPlot, type NamedCurves } from './plots/history-plot.ts';
export { type PlotSpec, plotColors } from './plots/plot-style.ts';
export { plotCss, renderSvg } from './plots/render-svg.ts';
export { type PlottedScore, scoresPlot } from './plots/scores-plot.ts';
export { type PlottedPoint, sweepPlot } from './plots/sweep-plot.ts';
