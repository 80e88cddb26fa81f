import { openLanguageModel, quantizeWeights } from '../../src/model/language-model.ts';
import { openTensorBackend, type TensorBackendName } from '../../src/tensor/index.ts';
import { type DecodingWork, greedyAnswers } from './greedy-answers.ts';
import { serve } from './serve.ts';

// Writes greedy answers of given lengths with a GPT-2 folder: `node decode.mjs FOLDER float32|int8 [BACKEND]`.
const [folder = '', precision = 'float32', backend = 'onnx'] = process.argv.slice(2);
await openTensorBackend({ backend: backend as TensorBackendName, threads: 2 });
const model = await openLanguageModel(folder);
quantizeWeights(model, precision === 'int8' ? 'int8' : 'float32');

await serve((work: DecodingWork) => greedyAnswers(model, work));
