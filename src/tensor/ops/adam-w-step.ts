export interface AdamWArrays {
  /** Updated in place. */
  readonly parameter: Float32Array;
  readonly gradient: Float32Array;
  /** Running mean of the gradient; updated in place. */
  readonly firstMoment: Float32Array;
  /** Running mean of the squared gradient; updated in place. */
  readonly secondMoment: Float32Array;
}

export interface AdamWSettings {
  readonly learningRate: number;
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  readonly weightDecay: number;
  /** Number of this step, from 1. */
  readonly step: number;
  /** The gradient is multiplied by this on the way in, such as a clipping factor; 1 where absent. */
  readonly gradientScale?: number | undefined;
}

/**
 * One AdamW step in place (Loshchilov and Hutter 2019, arXiv:1711.05101), as torch.optim.AdamW orders it:
 * θ -= lr wd θ; m, v updated; θ -= lr / (1 - β1^t) m / (sqrt(v) / sqrt(1 - β2^t) + ε).
 */
export function adamWStep(arrays: AdamWArrays, settings: AdamWSettings): void {
  const { parameter, gradient, firstMoment, secondMoment } = arrays;
  const { learningRate, beta1, beta2, epsilon, weightDecay, step, gradientScale = 1 } = settings;
  const decay = 1 - learningRate * weightDecay;
  const stepSize = learningRate / (1 - beta1 ** step);
  const inverseRootCorrection = 1 / Math.sqrt(1 - beta2 ** step);
  const mix1 = 1 - beta1;
  const mix2 = 1 - beta2;
  for (let i = 0; i < parameter.length; i++) {
    const g = (gradient[i] ?? 0) * gradientScale;
    const m = Math.fround(beta1 * (firstMoment[i] ?? 0) + mix1 * g);
    const v = Math.fround(beta2 * (secondMoment[i] ?? 0) + mix2 * g * g);
    firstMoment[i] = m;
    secondMoment[i] = v;
    parameter[i] =
      decay * (parameter[i] ?? 0) - (stepSize * m) / (Math.sqrt(v) * inverseRootCorrection + epsilon);
  }
}
