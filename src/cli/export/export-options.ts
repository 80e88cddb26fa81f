import type { GgufType } from '../../model/index.ts';
import type { PipelineOptions } from '../commands/options.ts';

export const exportFormats = ['hf', 'merged', 'peft', 'gguf', 'gguf-lora', 'ollama', 'ollama-lora'] as const;

type ExportFormat = (typeof exportFormats)[number];

/** Types of weights -> llama.cpp's names; other programs than llama.cpp and Ollama know the first three only. */
const types = {
  float32: 'F32',
  float16: 'F16',
  bfloat16: 'BF16',
  q8_0: 'Q8_0',
  q4_0: 'Q4_0',
  q4_k_m: 'Q4_K_M',
} as const satisfies Readonly<Record<string, GgufType>>;

type ExportType = keyof typeof types;

export const exportTypes = Object.keys(types) as readonly ExportType[]; // a literal's keys

export interface ExportOptions extends PipelineOptions {
  readonly to?: string;
  readonly push?: string;
  readonly public?: boolean;
  readonly format: ExportFormat;
  readonly dtype: ExportType;
  readonly maxShardSize: string;
  readonly base?: string;
  readonly force?: boolean;
}

/** The formats that are GGUF files. */
export const isGguf = (format: ExportFormat): boolean =>
  format === 'gguf' || format === 'ollama' || isGgufAdapter(format);

/** The formats whose GGUF file is an adapter. */
export const isGgufAdapter = (format: ExportFormat): boolean =>
  format === 'gguf-lora' || format === 'ollama-lora';

export const ggufType = ({ dtype }: ExportOptions): GgufType => types[dtype];

/** The name of the GGUF file; programs find the type of its weights there. */
export const ggufFile = (options: ExportOptions): string =>
  isGgufAdapter(options.format) ? 'adapter.gguf' : `model-${ggufType(options)}.gguf`;

/** The type of weights in other files than GGUF. */
export const plainType = ({ dtype }: ExportOptions): 'float32' | 'float16' | 'bfloat16' | undefined =>
  dtype === 'float32' || dtype === 'float16' || dtype === 'bfloat16' ? dtype : undefined;
