import type { EvaluateConfig } from '../../generated/evaluate-config.ts';
import type { DataRecord } from '../../text/record.ts';
import { parseResponse } from '../ports/parse-response.ts';
import type { ResponseRecord } from '../ports/response-record.ts';

interface Rated {
  readonly config: EvaluateConfig;
  readonly place: string;
}

/** A row of the port `responses`: a response, or with `arena` a battle. */
export function ratedRecord(row: DataRecord, { config, place }: Rated): ResponseRecord {
  const isBattle = config.metrics.includes('arena') && row.winner !== undefined;
  if (!isBattle) return parseResponse(row, place);
  const { id, ...fields } = row;
  return { id, prompt: '', expected: '', fields };
}
