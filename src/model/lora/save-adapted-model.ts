import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { writeModelFolder } from '../folder/write-model-folder.ts';
import { type TensorToWrite, writeSafetensors } from '../safetensors/write-safetensors.ts';
import type { AdaptedModel } from './adapted-model.ts';
import { targetModules } from './lora-targets.ts';
import { mergedWeight } from './merged-weight.ts';

/** Writes the merged model into a folder, and the adapters alone into `adapter` in it, as PEFT lays them out. */
export async function saveAdaptedModel(folder: string, model: AdaptedModel): Promise<void> {
  await writeModelFolder(folder, { config: model.config, read: (name) => mergedWeight(model, name) });
  await writeAdapter(join(folder, 'adapter'), model);
}

async function writeAdapter(folder: string, model: AdaptedModel): Promise<void> {
  await mkdir(folder, { recursive: true });
  await writeFile(
    join(folder, 'adapter_config.json'),
    `${JSON.stringify(adapterConfig(model), undefined, 2)}\n`,
  );
  const tensors = [...model.adapters.variables].map(
    ([name, variable]): TensorToWrite => ({
      name: `base_model.model.${name}`,
      dtype: 'F32',
      shape: variable.shape,
      read: () => variable.data<'float32'>(),
    }),
  );
  await writeSafetensors(join(folder, 'adapter_model.safetensors'), { tensors, metadata: { format: 'pt' } });
}

/** PEFT's LoraConfig; its fields that are not here have their defaults. The base is the caller's to name: it is no path of anyone else's. */
function adapterConfig({ config, adapters }: AdaptedModel): Readonly<Record<string, unknown>> {
  const { settings, targets } = adapters;
  return {
    peft_type: 'LORA',
    task_type: 'CAUSAL_LM',
    base_model_name_or_path: null,
    inference_mode: true,
    r: settings.rank,
    lora_alpha: settings.alpha,
    lora_dropout: settings.dropout,
    use_rslora: settings.rankStabilized,
    target_modules: targetModules(config, targets),
    fan_in_fan_out: [...targets.values()].some(({ inputFirst }) => inputFirst),
    bias: 'none',
  };
}
