import { lossAndGradients } from '../../src/training/gradients.ts';

/** The loss of a batch, and its gradients as numbers. */
export async function gradientsOnHost(...batch: Parameters<typeof lossAndGradients>) {
  const { loss, gradients } = await lossAndGradients(...batch);
  const values = new Map<string, Float32Array>();
  for (const [name, gradient] of gradients) {
    values.set(name, gradient.dataSync<'float32'>());
    gradient.dispose();
  }
  return { loss, gradients: values };
}
