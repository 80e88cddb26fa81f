import { untiedModel } from '../../model/folder/untied-model.ts';
import { writeModelFolder } from '../../model/folder/write-model-folder.ts';
import { openGgufModel } from '../../model/gguf/open-gguf-model.ts';
import { writeGgufTokenizer } from '../../text/tokenizer/gguf-tokenizer.ts';
import { copyTokenizer } from '../../text/tokenizer/open-tokenizer.ts';
import { checkVocabulary } from './check-vocabulary.ts';
import type { ModelToLoad } from './model-to-load.ts';

/** Converts a GGUF file to a folder in Hugging Face's layout, its weights to float32. */
export async function loadGguf({ source, untieHead, model, tokenizer }: ModelToLoad): Promise<void> {
  await using gguf = await openGgufModel(source);
  await writeGgufTokenizer(model.path, gguf);
  await checkVocabulary({
    source,
    tokenizerFolder: model.path,
    vocabularySize: gguf.config.vocabularySize,
  });
  if (tokenizer) await copyTokenizer({ from: model.path, to: tokenizer.path });
  await writeModelFolder(model.path, untieHead && gguf.config.tied ? untiedModel(gguf) : gguf);
}
