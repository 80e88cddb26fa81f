/** The backends that a test runs on: the two of the package, or TensorFlow where the suite is run once more for it. */
export const backendsUnderTest =
  process.env.TENSOR_BACKEND === 'tensorflow' ? (['tensorflow'] as const) : (['cpu', 'onnx'] as const);
