import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isObject } from '../../core/index.ts';
import { parseSealed, sealJson } from './sealed-json.ts';
import type { Store } from './store.ts';
import { writeAtomically } from './store-file.ts';
import { storeLayout } from './store-layout.ts';
import { storageFailureOf } from './system-error.ts';

/** The modules of a stage's code, valid while everything `watched` is unchanged. */
export interface KnownModules {
  /** Absolute path of a file -> its content's digest, of a folder -> that of its entries; empty where there is none. */
  readonly watched: Readonly<Record<string, string>>;
  readonly modules: Readonly<Record<string, string>>;
}

/** By the absolute path of a stage's entry module. It only saves work, as the stat cache does. */
export type ModuleCache = Readonly<Record<string, KnownModules>>;

export function readModuleCache({ root }: Store): ModuleCache {
  try {
    const value = parseSealed(readFileSync(join(root, storeLayout.moduleCache), 'utf8'));
    return isObject(value) ? Object.fromEntries(Object.entries(value).filter(isEntry)) : {};
  } catch {
    return {};
  }
}

/** Does not create a store. A store that is full or read-only keeps its old cache. */
export async function saveModuleCache({ root }: Store, cache: ModuleCache): Promise<void> {
  if (!existsSync(root)) return;
  const path = join(root, storeLayout.moduleCache);
  try {
    await writeAtomically({ root, path, content: sealJson(JSON.stringify(cache, null, 1)), durable: false });
  } catch (error) {
    if (storageFailureOf(error) === undefined) throw error;
  }
}

/** Drops what is remembered of a stage's code. */
export async function forgetModules(store: Store, entry: string): Promise<void> {
  const { [entry]: _, ...others } = readModuleCache(store);
  await saveModuleCache(store, others);
}

const isEntry = (entry: [string, unknown]): entry is [string, KnownModules] => {
  const { watched, modules } = Object(entry[1]);
  return isTexts(watched) && isTexts(modules);
};

const isTexts = (value: unknown): boolean =>
  isObject(value) && Object.values(value).every((text) => typeof text === 'string');
