import type { Json } from '../core/index.ts';
import type { ResponseRecord } from '../text/index.ts';

export const answer = ({ response = '' }: ResponseRecord): string => response;

export const texts = (value: Json | undefined): readonly string[] =>
  Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [];
