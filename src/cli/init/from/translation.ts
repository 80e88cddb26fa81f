import { canonicalJson, isObject, type Json, type JsonObject } from '../../../core/index.ts';
import { stageSchemas } from '../../../generated/stage-schemas.ts';
import { adviceFor } from './advice.ts';

/** A field that has become one of ours. */
export interface TakenField {
  readonly field: string;
  /** Ours, as `train.epochs: 3`. */
  readonly becomes: string;
  /** What is not quite the same. */
  readonly remark?: string;
}

/** A field that no result here depends on, and why. */
export interface NeedlessField {
  readonly field: string;
  readonly why: string;
}

/** A field that has not: what it says, and what to do. */
export interface LeftField {
  readonly field: string;
  readonly value: Json;
  readonly advice: string;
}

/** The stages whose fields are translated one by one. */
export type SettingStage = 'load' | 'train' | 'collate' | 'format';

/**
 * Another program's configuration while it is translated. It remembers which fields have been dealt with, so that none is
 * lost; a setting is taken only if our schema accepts it.
 */
export class Translation {
  readonly #config: JsonObject;
  readonly #seen = new Set<string>();
  readonly #settings: Record<SettingStage, JsonObject> = {
    load: {},
    train: {},
    collate: {},
    format: {},
  };
  readonly taken: TakenField[] = [];
  readonly left: LeftField[] = [];
  readonly needless: NeedlessField[] = [];

  constructor(config: JsonObject) {
    this.#config = config;
  }

  /** The value of a field, which from now on counts as dealt with; undefined if it is absent or null. */
  take(field: string): Json | undefined {
    this.#seen.add(field);
    const value = Object.hasOwn(this.#config, field) ? this.#config[field] : undefined;
    return value === null ? undefined : value;
  }

  /** The value without dealing with the field. */
  peek(field: string): Json | undefined {
    const value = Object.hasOwn(this.#config, field) ? this.#config[field] : undefined;
    return value === null ? undefined : value;
  }

  /** Says that a field has become something. */
  note(field: string, becomes: string, remark?: string): void {
    this.taken.push({ field, becomes, ...(remark === undefined ? {} : { remark }) });
  }

  /** Says that there is nothing to do for a field, if it is on. */
  skip(field: string, why: string): void {
    const value = this.take(field);
    if (value !== undefined && !isOff(value)) this.needless.push({ field, why });
  }

  /** Says that a field has not been taken over. */
  leave(field: string, advice: string, value = this.peek(field) ?? null): void {
    this.left.push({ field, value, advice });
  }

  /**
   * Sets one of our fields if the schema has it with such a value. `from`: the other program's field, for the report;
   * undefined for its default.
   */
  set(
    place: `${SettingStage}.${string}`,
    value: Json,
    from?: { readonly field: string; readonly remark?: string },
  ): boolean {
    const [stage, ...path] = place.split('.') as [SettingStage, ...string[]]; // as the type says
    const before = this.#settings[stage];
    const after = withValue(before, { path, value });
    if (!isValid(stage, after)) return false;
    this.#settings[stage] = after;
    if (from !== undefined) this.note(from.field, `${place}: ${canonicalJson(value)}`, from.remark);
    return true;
  }

  settings(stage: SettingStage): JsonObject {
    return this.#settings[stage];
  }

  /** Tells of every field of which nothing has been said; one that is off or empty says nothing. */
  leaveOthers(): void {
    const told = new Set(
      [...this.taken, ...this.left, ...this.needless].map(({ field }) => field.replace(/[[.:].*$/, '')),
    );
    for (const [field, value] of Object.entries(this.#config)) {
      if (told.has(field) || isOff(value)) continue;
      if (this.#seen.has(field)) {
        this.needless.push({ field, why: 'it is read together with another field' });
        continue;
      }
      const advice = adviceFor(field);
      if (advice.isNothingToDo) this.needless.push({ field, why: advice.text });
      else this.leave(field, advice.text);
    }
  }
}

const isOff = (value: Json): boolean =>
  value === null || value === false || value === '' || (Array.isArray(value) && value.length === 0);

function withValue(
  object: JsonObject,
  { path, value }: { readonly path: readonly string[]; readonly value: Json },
): JsonObject {
  const [name = '', ...rest] = path;
  if (rest.length === 0) return { ...object, [name]: value };
  const inner = object[name];
  return { ...object, [name]: withValue(isObject(inner) ? inner : {}, { path: rest, value }) };
}

/** What a stage needs besides: a model, and a template that the data chooses. */
const needed: Partial<Record<SettingStage, JsonObject>> = {
  load: { model: 'model' },
  format: { template: 'chat' },
};

const isValid = (stage: SettingStage, settings: JsonObject): boolean =>
  stageSchemas[stage].validate({ ...needed[stage], ...settings });
