import * as tf from '@tensorflow/tfjs-core';
import { openTensorBackend } from '../../src/tensor/index.ts';

// A program: opens the onnx backend, computes (1 2) + 1, and prints the notes that it got.
const notes: string[] = [];
const { engine } = await openTensorBackend({
  backend: 'onnx',
  threads: 1,
  onNote: (note) => notes.push(note),
});
const values = [...(await tf.add([1, 2], 1).data())];
console.log(JSON.stringify({ notes, usesApi: engine.includes('C API'), values }));
