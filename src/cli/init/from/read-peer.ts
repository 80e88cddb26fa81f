import { readFileSync, statSync } from 'node:fs';
import { basename } from 'node:path';
import { parse } from 'yaml';
import { isList, isObject, type Json, type JsonObject } from '../../../core/index.ts';
import { UsageError } from '../../exit-code.ts';
import { readAxolotl } from './axolotl.ts';
import type { Places } from './data-place.ts';
import type { ImportedRun } from './imported-run.ts';
import { readLlamaFactory } from './llama-factory.ts';

const mostBytes = 2 ** 20;

/** The run that a file of axolotl or LLaMA-Factory describes. It is read as data: nothing that it names is executed. */
export function readPeerFile(path: string, places: Places): ImportedRun {
  const config = parsed(path);
  const has = (field: string): boolean => config[field] !== undefined && config[field] !== null;
  if (has('base_model')) return readAxolotl(config, places);
  if (has('model_name_or_path') && isLlamaFactory(has)) return readLlamaFactory(config, places);
  if (has('train_dataset') && has('model'))
    throw new UsageError({
      message: `${basename(path)} is LLaMA-Factory's, in the words of its version 1, which is not read`,
      help: 'write it with `model_name_or_path`, `stage` and `dataset`, or see docs/coming-from.md',
    });
  throw new UsageError({
    message: `${basename(path)} is neither axolotl's nor LLaMA-Factory's: ${has('model_name_or_path') ? 'it has no `stage`, `finetuning_type`, `dataset` or `template`' : 'it has no `base_model` and no `model_name_or_path`'}`,
    help: 'for files of other programs, docs/coming-from.md has their words and ours side by side',
  });
}

const isLlamaFactory = (has: (field: string) => boolean): boolean =>
  ['stage', 'finetuning_type', 'dataset', 'template', 'dataset_dir', 'export_dir'].some(has);

/** YAML 1.1, as both programs read it: `yes` is true. */
function parsed(path: string): JsonObject {
  const name = basename(path);
  let value: unknown;
  try {
    if (statSync(path).size > mostBytes) throw new RangeError(`it has more than ${mostBytes} bytes`);
    value = parse(readFileSync(path, 'utf8'), {
      version: '1.1',
      maxAliasCount: 100,
      uniqueKeys: true,
      logLevel: 'error',
    });
  } catch (error) {
    const why = error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error);
    throw new UsageError({ message: `${name} cannot be read: ${why}`, help: 'give the path of a YAML file' });
  }
  const json = plain(value, 0);
  if (isObject(json)) return json;
  throw new UsageError({
    message: `${name} is no map of fields`,
    help: "give axolotl's or LLaMA-Factory's YAML file",
  });
}

const mostDepth = 32;

/** Dates, numbers without an end and the like as text. */
function plain(value: unknown, depth: number): Json {
  if (value === null || value === undefined) return null;
  if (typeof value === 'string' || typeof value === 'boolean') return value;
  if (typeof value === 'number') return Number.isFinite(value) ? value : String(value);
  if (depth > mostDepth) return null;
  if (Array.isArray(value)) return value.map((item: unknown) => plain(item, depth + 1));
  if (Object.getPrototypeOf(value) === Object.prototype)
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plain(item, depth + 1)]));
  return isList(value as Json) ? null : String(value);
}
