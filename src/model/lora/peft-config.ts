import { isList, isObject, type Json, type JsonObject, UserError, withinTime } from '../../core/index.ts';
import { type ModelConfig, parameterLayout } from '../model-config.ts';
import type { LoraSettings, ValuePattern } from './adapter-layout.ts';
import { adaptableModules, headName, targetModules } from './lora-targets.ts';
import { pythonPattern } from './python-pattern.ts';
import { isTrainedTokens, readTrainedTokens } from './trained-tokens.ts';

/**
 * Reads PEFT's adapter_config.json for a model: patterns become the names of the modules that PEFT would find. Throws a
 * UserError if it is not supported.
 */
export function parsePeftConfig(
  path: string,
  { json, model }: { readonly json: JsonObject; readonly model: ModelConfig },
): LoraSettings {
  checkPeftConfig(path, json);
  const done = withinTime(patience, () => settingsOf(json, model));
  if (done !== undefined) return done.value;
  throw new UserError({
    code: 'endless-pattern',
    message: `the patterns of ${path} take more than ${patience / 1000} s to match the names of the modules`,
  });
}

/** Throws a UserError that lists every field whose value is not supported, whichever the model is. */
export function checkPeftConfig(path: string, json: JsonObject): void {
  const problems = [...unsupportedFields(json), ...malformedFields(json)];
  if (problems.length === 0) return;
  throw new UserError({
    code: 'unsupported-adapter',
    message: `the adapter of ${path} cannot be used: ${problems.join('; ')}`,
    help: 'LoRA adapters as PEFT writes them are supported: rank and alpha patterns, rsLoRA, DoRA, embeddings, `modules_to_save` and biases',
  });
}

/** For regular expressions of strangers, in milliseconds. */
const patience = 2000;

/** Fields that change what an adapter computes -> whether a value leaves it as it is. */
const limited: Readonly<Record<string, (value: Json) => boolean>> = {
  peft_type: (value) => value === 'LORA',
  task_type: (value) => value === 'CAUSAL_LM',
  // Other initializations change the base's weights, or train a part of the adapter only.
  init_lora_weights: (value) => [true, false, 'gaussian', 'eva', 'orthogonal'].includes(value as string),
  bias: (value) => ['none', 'all', 'lora_only'].includes(value as string),
};

/** Fields that are read below. */
const heeded = new Set([
  ...['r', 'lora_alpha', 'lora_dropout', 'use_rslora', 'use_dora', 'ensure_weight_tying', 'modules_to_save'],
  ...['target_modules', 'exclude_modules', 'layers_to_transform', 'layers_pattern'],
  ...['rank_pattern', 'alpha_pattern', 'trainable_token_indices'],
]);

/** Fields about an adapter's origin, its initialization or features that other fields turn on. */
const ignored =
  /^(_.*|auto_mapping|base_model_.*|revision|inference_mode|peft_version|fan_in_fan_out|megatron_core|runtime_config|qalora_group_size|(loftq|eva|corda|lora_ga)_config)$/;

function unsupportedFields(json: JsonObject): readonly string[] {
  return Object.entries(json).flatMap(([field, value]) => {
    if (heeded.has(field) || ignored.test(field) || isOff(value)) return [];
    const isSupported = limited[field];
    if (isSupported?.(value) === true) return [];
    return [
      isSupported === undefined
        ? `\`${field}\` is not supported`
        : `\`${field}: ${JSON.stringify(value)}\` is not supported`,
    ];
  });
}

const isOff = (value: Json): boolean =>
  value === null ||
  value === false ||
  (isList(value) && value.length === 0) ||
  (isObject(value) && Object.keys(value).length === 0);

const isPositive = (value: Json | undefined): value is number => typeof value === 'number' && value > 0;
const isRank = (value: Json | undefined): value is number => isPositive(value) && Number.isInteger(value);
const isTexts = (value: Json | undefined): boolean =>
  isList(value) && value.every((item) => typeof item === 'string');
const isMapOf = (isValue: (value: Json) => boolean) => (value: Json | undefined) =>
  isObject(value) && Object.values(value).every(isValue);
const isFlag = (value: Json | undefined): boolean => typeof value === 'boolean';
const isShare = (value: Json | undefined): boolean => typeof value === 'number' && value >= 0 && value < 1;
const isTextOrTexts = (value: Json | undefined): boolean => typeof value === 'string' || isTexts(value);
const isLayer = (value: Json | undefined): boolean => Number.isInteger(value);
const isLayers = (value: Json | undefined): boolean =>
  isLayer(value) || (isList(value) && value.every(isLayer));

/** Field -> whether its value has the right type, and what it should be. */
const types: Readonly<Record<string, readonly [(value: Json | undefined) => boolean, string]>> = {
  r: [isRank, 'a whole number above 0'],
  lora_alpha: [isPositive, 'a number above 0'],
  lora_dropout: [isShare, 'a number from 0 to below 1'],
  use_rslora: [isFlag, 'true or false'],
  use_dora: [isFlag, 'true or false'],
  ensure_weight_tying: [isFlag, 'true or false'],
  target_modules: [isTextOrTexts, 'a list of names or a regular expression'],
  exclude_modules: [isTextOrTexts, 'a list of names or a regular expression'],
  layers_to_transform: [isLayers, 'a layer or a list of layers'],
  layers_pattern: [isTextOrTexts, 'a name or a list of names'],
  modules_to_save: [isTexts, 'a list of names'],
  rank_pattern: [isMapOf(isRank), 'a map from patterns to whole numbers above 0'],
  alpha_pattern: [isMapOf(isPositive), 'a map from patterns to numbers above 0'],
  trainable_token_indices: [isTrainedTokens, 'a list of different ids, or a map of such lists'],
};

const required = ['r', 'lora_alpha', 'target_modules'];

function malformedFields(json: JsonObject): readonly string[] {
  return Object.entries(types).flatMap(([field, [isValid, what]]) => {
    const value = json[field] ?? undefined;
    if (value === undefined) return required.includes(field) ? [`it has no \`${field}\``] : [];
    return isValid(value) ? [] : [`\`${field}\` must be ${what}, and is ${shortText(value)}`];
  });
}

const shortText = (value: Json): string => JSON.stringify(value).slice(0, 80);

/** For a configuration whose fields have the right types. */
function settingsOf(json: JsonObject, model: ModelConfig): LoraSettings {
  return {
    rank: json.r as number,
    alpha: json.lora_alpha as number,
    dropout: (json.lora_dropout ?? 0) as number,
    targets: targetsOf(json, model),
    rankStabilized: json.use_rslora === true,
    rankPattern: patternsOf(json.rank_pattern, model),
    alphaPattern: patternsOf(json.alpha_pattern, model),
    dora: json.use_dora === true,
    modulesToSave: savedModules(textsOf(json.modules_to_save), model),
    bias: (json.bias ?? 'none') as LoraSettings['bias'],
    keepsTie: json.ensure_weight_tying === true,
    tokens: readTrainedTokens(json.trainable_token_indices, model),
  };
}

const textsOf = (value: Json | undefined): readonly string[] =>
  typeof value === 'string' ? [value] : isList(value) ? (value as readonly string[]) : [];

/** A pattern matches a whole name, or its end after a dot. All matching is done here, where its time is limited. */
const patternsOf = (value: Json | undefined, model: ModelConfig): readonly ValuePattern[] =>
  Object.entries(isObject(value) ? value : {}).map(([source, one]) => {
    const expression = pythonPattern(`(.*\\.)?(${source})`);
    const found = new Set([...adaptableModules(model).keys()].filter((name) => expression.test(name)));
    return { source, matches: (module) => found.has(module), value: one as number };
  });

/** The modules that PEFT would adapt (tuners_utils.check_target_module_exists). */
function targetsOf(json: JsonObject, model: ModelConfig): readonly string[] {
  const { target_modules: targets = null, exclude_modules: excluded = null } = json;
  const head = headName(model);
  const isAll = typeof targets === 'string' && targets.toLowerCase() === 'all-linear';
  const isExcluded = excluded === null ? () => false : selection(excluded);
  const isListed = selection(targets);
  const isInLayer = layerSelection(json);
  return [...adaptableModules(model)]
    .filter(([name, { kind }]) => {
      if (isExcluded(name)) return false;
      if (isAll) return kind === 'projection' && name !== head;
      if (isList(targets) && targets.includes(name)) return true;
      return isListed(name) && isInLayer(name);
    })
    .map(([name]) => name);
}

/** A regular expression for the whole name, or a list of names and of their ends after a dot. */
function selection(value: Json): (name: string) => boolean {
  if (typeof value !== 'string') {
    const ends = textsOf(value);
    return (name) => ends.some((end) => name === end || name.endsWith(`.${end}`));
  }
  const expression = pythonPattern(value);
  return (name) => expression.test(name);
}

/** `layers_to_transform`: the first number in a name is its layer, or the one after a name of `layers_pattern`. */
function layerSelection(json: JsonObject): (name: string) => boolean {
  const layers = [json.layers_to_transform ?? []].flat();
  if (layers.length === 0) return () => true;
  const names = textsOf(json.layers_pattern);
  const expressions =
    names.length === 0
      ? [/^.*?\.[^.]*\.(\d+)\./]
      : names.map((name) => pythonPattern(`(?:^|.*?\\.)${name}\\.(\\d+)\\..*`));
  return (name) => {
    const found = expressions.map((expression) => expression.exec(name)).find((match) => match !== null);
    return found !== undefined && layers.includes(Number(found[1]));
  };
}

/** PEFT saves the modules whose names end with one of these, also in the middle of a word. */
function savedModules(ends: readonly string[], model: ModelConfig): readonly string[] {
  if (ends.length === 0) return [];
  const modules = new Set([headName(model)]);
  for (const parameter of parameterLayout(model).keys()) {
    const parts = parameter.split('.').slice(0, -1);
    for (let length = 1; length <= parts.length; length++) modules.add(parts.slice(0, length).join('.'));
  }
  return [...modules].filter((name) => ends.some((end) => name.endsWith(end)));
}

/** PEFT's LoraConfig; absent fields have their defaults. The base is null, because its local path means nothing on another machine. */
export function peftConfig(
  settings: LoraSettings,
  {
    targets,
    saved,
    inputFirst,
    model,
  }: {
    readonly targets: readonly string[];
    /** The modules that are trained whole. */
    readonly saved: readonly string[];
    readonly inputFirst: boolean;
    readonly model: ModelConfig;
  },
): JsonObject {
  const { rankPattern, alphaPattern, dora, bias, keepsTie } = settings;
  const mapOf = (patterns: readonly ValuePattern[]) =>
    Object.fromEntries(patterns.map(({ source, value }) => [source, value]));
  return {
    peft_type: 'LORA',
    task_type: 'CAUSAL_LM',
    base_model_name_or_path: null,
    inference_mode: true,
    r: settings.rank,
    lora_alpha: settings.alpha,
    lora_dropout: settings.dropout,
    use_rslora: settings.rankStabilized,
    target_modules: targetModules(model, targets),
    fan_in_fan_out: inputFirst,
    bias,
    ...(rankPattern.length > 0 && { rank_pattern: mapOf(rankPattern) }),
    ...(alphaPattern.length > 0 && { alpha_pattern: mapOf(alphaPattern) }),
    ...(dora && { use_dora: true }),
    ...(saved.length > 0 && { modules_to_save: saved }),
    ...(keepsTie && { ensure_weight_tying: true }),
    ...(settings.tokens.size > 0 && { trainable_token_indices: Object.fromEntries(settings.tokens) }),
  };
}
