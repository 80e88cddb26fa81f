import * as tf from '@tensorflow/tfjs-core';

/** Changes a variable's values on the host: in place where the backend hands out its own memory, else through a copy. */
export function rewriteValues(variable: tf.Variable, change: (values: Float32Array) => void): void {
  const values = variable.dataSync<'float32'>();
  change(values);
  if (variable.dataSync() === values) return;
  const changed = tf.tensor(values, variable.shape);
  variable.assign(changed);
  changed.dispose();
}
