import type { KnownPortType } from '../../stages/ports/port-contents.ts';
import { showBatches } from './show-batches.ts';
import { showFile } from './show-file.ts';
import { showHistory } from './show-history.ts';
import { showModel } from './show-model.ts';
import { showRecords } from './show-records.ts';
import { showResponses } from './show-responses.ts';
import { showScores } from './show-scores.ts';
import { showTokenizer } from './show-tokenizer.ts';
import { showTokens } from './show-tokens.ts';
import type { Shown, ShowSource } from './shown.ts';

const showers: { readonly [Type in KnownPortType]: (source: ShowSource) => Promise<Shown> } = {
  records: showRecords,
  responses: showResponses,
  tokens: showTokens,
  batches: showBatches,
  model: showModel,
  tokenizer: showTokenizer,
  history: showHistory,
  scores: showScores,
  file: showFile,
};

/** Makes an artifact readable by its port type; one of an unknown type is shown as a file. */
export function showArtifact(type: string, source: ShowSource): Promise<Shown> {
  const show = isKnown(type) ? showers[type] : showFile;
  return show(source);
}

const isKnown = (type: string): type is KnownPortType => Object.hasOwn(showers, type);
