export { type BundlePart, bundleParts, type BundledRun, runsCode } from './contents.ts';
export type { Publication } from './crate/crate.ts';
export { type WrittenBundle, writeBundle } from './write-bundle.ts';
