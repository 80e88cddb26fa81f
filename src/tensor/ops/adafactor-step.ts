import { CHUNK, stepKernels } from './step-kernels.ts';
import { sumsOfSquaresOnHost } from './sums-of-squares.ts';

interface MatrixArrays {
  /** [..., rows, columns], updated in place. */
  readonly parameter: Float32Array;
  readonly gradient: Float32Array;
  /** Running means of the squared gradient, updated in place: [..., rows] and [..., columns]. */
  readonly rowMean: Float32Array;
  readonly columnMean: Float32Array;
  /** [..., rows, columns], updated in place; absent without momentum. */
  readonly momentum?: Float32Array | undefined;
}

interface VectorArrays {
  readonly parameter: Float32Array;
  readonly gradient: Float32Array;
  readonly meanSquare: Float32Array;
  readonly momentum?: Float32Array | undefined;
}

export interface AdafactorSettings {
  readonly learningRate: number;
  readonly weightDecay: number;
  /** Multiplies the gradient first. */
  readonly gradientScale: number;
  /** The share that a running mean keeps of itself. */
  readonly beta2: number;
  /** The momentum; 0 without. */
  readonly beta1: number;
  /** Added to the squared gradient; the least root mean square of a parameter that the learning rate is scaled by. */
  readonly epsilon: readonly [number, number];
  readonly clipThreshold: number;
  readonly scaleParameter: boolean;
}

/**
 * One step of Adafactor in place (Shazeer and Stern 2018, arXiv:1804.04235, algorithm 4), as transformers has it, for matrices
 * of `columns` columns. Elements in float32; means in double precision, rounded to float32 where they are kept.
 */
export function adafactorMatrixStep(
  arrays: MatrixArrays & { readonly rows: number; readonly columns: number },
  settings: AdafactorSettings,
): void {
  const { parameter, rowMean, columnMean, rows, columns } = arrays;
  const { gradientScale, beta1 } = settings;
  const size = rows * columns;
  const matrices = Array.from({ length: size === 0 ? 0 : parameter.length / size }, (_, index) => ({
    parameter: parameter.subarray(index * size, (index + 1) * size),
    gradient: arrays.gradient.subarray(index * size, (index + 1) * size),
    momentum: arrays.momentum?.subarray(index * size, (index + 1) * size),
    rowMean: rowMean.subarray(index * rows, (index + 1) * rows),
    columnMean: columnMean.subarray(index * columns, (index + 1) * columns),
    ...{ rows, columns },
  }));
  const factored = matrices.map((matrix) => {
    updateMeans(matrix, settings);
    return { ...matrix, ...factorsOf(matrix) };
  });
  const { rate, stepSize } = stepSizes(parameter, {
    squares: factored.reduce((sum, matrix) => sum + squaredUpdates(matrix, gradientScale), 0),
    settings,
  });
  const decay = 1 - rate * settings.weightDecay;
  const kernels = stepKernels();
  for (const matrix of factored)
    forEachTile(matrix, (tile) => {
      loadFactors(matrix, tile);
      copyIn(kernels.gradient, matrix.gradient, tile);
      copyIn(kernels.parameter, matrix.parameter, tile);
      if (matrix.momentum) copyIn(kernels.firstState, matrix.momentum, tile);
      else kernels.firstState.fill(0);
      kernels.adafactor(tile.rows, tile.stride, gradientScale, decay, stepSize, beta1, 1 - beta1);
      copyOut(matrix.parameter, kernels.parameter, tile);
      if (matrix.momentum) copyOut(matrix.momentum, kernels.firstState, tile);
    });
}

/** The same for a vector, of whose squared gradient every mean is kept. */
export function adafactorVectorStep(
  { parameter, gradient, meanSquare, momentum }: VectorArrays,
  settings: AdafactorSettings,
): void {
  const { gradientScale, beta1, beta2, epsilon } = settings;
  const update = gradient.map((value, i) => {
    const scaled = value * gradientScale;
    const mean = beta2 * (meanSquare[i] ?? 0) + (1 - beta2) * (scaled * scaled + epsilon[0]);
    meanSquare[i] = mean;
    return scaled / Math.sqrt(mean);
  });
  const { rate, stepSize } = stepSizes(parameter, { squares: sumOfSquaresOf(update), settings });
  const decay = 1 - rate * settings.weightDecay;
  for (const [i, value] of update.entries()) {
    let change = value * stepSize;
    if (momentum) {
      change = beta1 * (momentum[i] ?? 0) + (1 - beta1) * change;
      momentum[i] = change;
    }
    parameter[i] = decay * (parameter[i] ?? 0) - change;
  }
}

/** The learning rate of a tensor, and the same over what its update, of which `squares` is the sum of squares, is clipped by. */
function stepSizes(
  parameter: Float32Array,
  { squares, settings }: { readonly squares: number; readonly settings: AdafactorSettings },
): { readonly rate: number; readonly stepSize: number } {
  const { learningRate, scaleParameter, epsilon, clipThreshold } = settings;
  const rootMean = (sum: number) => Math.sqrt(sum / parameter.length);
  const rate = scaleParameter
    ? Math.max(rootMean(sumOfSquaresOf(parameter)), epsilon[1]) * learningRate
    : learningRate;
  return { rate, stepSize: rate / Math.max(rootMean(squares) / clipThreshold, 1) };
}

/** In quarters, which are summed side by side. */
function sumOfSquaresOf(values: Float32Array): number {
  const length = Math.ceil(values.length / 4);
  const quarters = [0, 1, 2, 3].map((i) => values.subarray(i * length, (i + 1) * length));
  return sumsOfSquaresOnHost(quarters).reduce((total, sum) => total + sum, 0);
}

interface Matrix extends MatrixArrays {
  readonly rows: number;
  readonly columns: number;
}

function updateMeans(matrix: Matrix, { beta2, epsilon, gradientScale }: AdafactorSettings): void {
  const { rows, columns, rowMean, columnMean } = matrix;
  const [rowSums, columnSums] = [new Float64Array(rows), new Float64Array(columns)];
  const kernels = stepKernels();
  forEachTile(matrix, (tile) => {
    kernels.columnFactors.fill(0, 0, tile.stride);
    copyIn(kernels.gradient, matrix.gradient, tile);
    kernels.addSquares(tile.rows, tile.stride, gradientScale);
    for (let i = 0; i < tile.rows; i++)
      rowSums[tile.row + i] = (rowSums[tile.row + i] ?? 0) + (kernels.rowFactors[i] ?? 0);
    for (let i = 0; i < tile.columns; i++)
      columnSums[tile.column + i] = (columnSums[tile.column + i] ?? 0) + (kernels.columnFactors[i] ?? 0);
  });
  const average = (means: Float32Array, sums: Float64Array, count: number) => {
    for (const [i, sum] of sums.entries())
      means[i] = beta2 * (means[i] ?? 0) + (1 - beta2) * (sum / count + epsilon[0]);
  };
  average(rowMean, rowSums, columns);
  average(columnMean, columnSums, rows);
}

interface Factors {
  /** Their outer product is 1 / sqrt of the estimated mean squared gradient. */
  readonly rowFactors: Float32Array;
  readonly columnFactors: Float32Array;
}

function factorsOf({ rowMean, columnMean }: Matrix): Factors {
  const mean = rowMean.reduce((sum, value) => sum + value, 0) / rowMean.length;
  return {
    rowFactors: rowMean.map((value) => 1 / Math.sqrt(value / mean)),
    columnFactors: columnMean.map((value) => 1 / Math.sqrt(value)),
  };
}

function squaredUpdates(matrix: Matrix & Factors, gradientScale: number): number {
  const kernels = stepKernels();
  let sum = 0;
  forEachTile(matrix, (tile) => {
    loadFactors(matrix, tile);
    copyIn(kernels.gradient, matrix.gradient, tile);
    sum += kernels.squaredUpdates(tile.rows, tile.stride, gradientScale);
  });
  return sum;
}

function loadFactors({ rowFactors, columnFactors }: Factors, tile: Tile): void {
  const kernels = stepKernels();
  kernels.rowFactors.set(rowFactors.subarray(tile.row, tile.row + tile.rows));
  kernels.columnFactors.set(columnFactors.subarray(tile.column, tile.column + tile.columns));
  kernels.columnFactors.fill(0, tile.columns, tile.stride);
}

/** A part of a matrix that fits into the kernels' arrays, where a row has `stride` elements. */
interface Tile {
  readonly row: number;
  readonly rows: number;
  readonly column: number;
  readonly columns: number;
  readonly stride: number;
  /** Columns of the whole matrix. */
  readonly width: number;
}

function forEachTile({ rows, columns }: Matrix, visit: (tile: Tile) => void): void {
  for (let column = 0; column < columns; column += CHUNK) {
    const taken = Math.min(CHUNK, columns - column);
    const stride = 4 * Math.ceil(taken / 4);
    const most = Math.floor(CHUNK / stride);
    for (let row = 0; row < rows; row += most)
      visit({ row, rows: Math.min(most, rows - row), column, columns: taken, stride, width: columns });
  }
}

/** Rows with zeros up to the stride. */
function copyIn(room: Float32Array, values: Float32Array, tile: Tile): void {
  const { row, rows, column, columns, stride, width } = tile;
  const start = row * width + column;
  if (stride === width) {
    room.set(values.subarray(start, start + rows * stride));
    return;
  }
  for (let i = 0; i < rows; i++) {
    room.set(values.subarray(start + i * width, start + i * width + columns), i * stride);
    room.fill(0, i * stride + columns, (i + 1) * stride);
  }
}

function copyOut(values: Float32Array, room: Float32Array, tile: Tile): void {
  const { row, rows, column, columns, stride, width } = tile;
  const start = row * width + column;
  if (stride === width) values.set(room.subarray(0, rows * stride), start);
  else
    for (let i = 0; i < rows; i++)
      values.set(room.subarray(i * stride, i * stride + columns), start + i * width);
}
