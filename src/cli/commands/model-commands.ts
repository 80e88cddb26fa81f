import { Option } from 'commander';
import { exportFormats, exportTypes } from '../export/export-options.ts';
import type { CommandDeclaration } from './command-declaration.ts';
import { numberFrom, pipelineOptions, portNumber, repeatable, wholeNumber } from './options.ts';

/** What can be done with a model. */
export const modelCommands: readonly CommandDeclaration[] = [
  {
    name: 'chat',
    usage: '[file] <stage|model>',
    summary: 'Chat with a model from a stage, a folder, a GGUF file or the hub',
    options: [
      repeatable(
        '--adapter <[name=]folder|stage>',
        'a LoRA adapter of the model; several share it, and /adapter <name> chooses one',
      ),
      new Option('--template <name>', "a template instead of the model's own: alpaca, chatml, llama3, ..."),
      new Option('--system <text>', 'the system message'),
      new Option('--max-new-tokens <number>', 'the most tokens in an answer')
        .argParser(wholeNumber(1))
        .default(256),
      new Option('--temperature <number>', '0 takes the likeliest token each time')
        .argParser(numberFrom(0))
        .default(0),
      new Option('--top-k <number>', 'sample from this many of the likeliest tokens').argParser(
        wholeNumber(1),
      ),
      new Option('--top-p <share>', 'sample from the likeliest tokens that add up to this probability')
        .argParser(numberFrom(0))
        .default(1),
      new Option(
        '--min-p <share>',
        "sample from tokens with at least this share of the likeliest one's probability",
      )
        .argParser(numberFrom(0))
        .default(0),
      new Option('--repetition-penalty <number>', 'above 1 makes repeated tokens less likely')
        .argParser(numberFrom(0))
        .default(1),
      new Option('--seed <number>', 'the seed of the sampling').argParser(wholeNumber(0)).default(0),
      ...pipelineOptions,
    ],
    examples: [
      { line: 'tuneloom chat train', does: 'chat with the model of the stage `train`' },
      { line: 'tuneloom chat models/smollm2.gguf', does: 'chat with a model file' },
      { line: 'tuneloom chat base --adapter train', does: 'a model with the adapter that a stage trained' },
      { line: 'tuneloom chat train --json < questions.txt', does: 'one question a line' },
    ],
    load: async () => (await import('../chat/chat.ts')).chatCommand,
  },
  {
    name: 'serve',
    usage: '[file] <stage|model>',
    summary: "Serve a model to programs that speak OpenAI's API",
    options: [
      repeatable(
        '--adapter <[name=]folder|stage>',
        'also serve the model with this LoRA adapter, as a model of its own name; repeatable',
      ),
      new Option('--name <name>', "the model's name for clients (default: its stage, folder or file)"),
      new Option('--template <name>', "a template instead of the model's own: alpaca, chatml, llama3, ..."),
      new Option(
        '--host <address>',
        'the address to listen on; any but this machine needs an API key',
      ).default('127.0.0.1'),
      new Option('--port <number>', 'the port to listen on; 0 for any free one')
        .argParser(portNumber)
        .default(8000),
      new Option(
        '--api-key-file <file>',
        'a file that holds the key that clients have to send (TUNELOOM_API_KEY does the same)',
      ),
      repeatable(
        '--allow-origin <origin>',
        'let pages of this origin use the server from a browser; repeatable',
      ),
      new Option('--batch-size <number>', 'how many answers are written at a time')
        .argParser(wholeNumber(1))
        .default(8),
      new Option(
        '--context-length <number>',
        "the most tokens of a text (default: the model's, or what the memory holds)",
      ).argParser(wholeNumber(1)),
      new Option(
        '--precision <name>',
        "int8, int4: weights in 8 or 4 bits, a GGUF file's in its own; faster, with different numbers",
      )
        .choices(['float32', 'int8', 'int4'])
        .default('float32'),
      new Option(
        '--backend <name>',
        'where tensors are computed (default: the best of this machine)',
      ).choices([...['onnx', 'webgpu', 'cuda', 'tensorflow', 'cpu']]),
      new Option('--max-requests <number>', 'how many requests may be open; more are refused with 429')
        .argParser(wholeNumber(1))
        .default(64),
      new Option('--timeout <seconds>', 'how long one request may take')
        .argParser(numberFrom(1))
        .default(600),
      new Option('--max-body <bytes>', 'the most bytes of a request')
        .argParser(wholeNumber(1))
        .default(8388608),
      new Option('--verbose', 'print a line for each request'),
      ...pipelineOptions,
    ],
    examples: [
      { line: 'tuneloom serve train', does: 'the model of the stage `train`, at http://127.0.0.1:8000/v1' },
      {
        line: 'tuneloom serve hf:HuggingFaceTB/SmolLM2-135M-Instruct',
        does: 'a model of the Hugging Face hub',
      },
      { line: 'tuneloom serve models/smollm2.gguf --port 9000', does: 'a model file' },
      { line: 'tuneloom serve train --host 0.0.0.0 --api-key-file key.txt', does: 'for other machines' },
    ],
    load: async () => (await import('../serve/serve.ts')).serveCommand,
  },
  {
    name: 'export',
    usage: '[file] <stage[.output] | ./folder> --to <folder>',
    summary: 'Write a model for transformers, PEFT, llama.cpp or Ollama, and push it to the hub',
    options: [
      new Option('--to <folder>', 'a new or empty folder to write to'),
      new Option(
        '--push <address>',
        'also upload the files, as hf:owner/name; a new repository is private; the token comes from HF_TOKEN',
      ),
      new Option('--public', 'with --push: a new repository is public'),
      new Option(
        '--format <name>',
        'hf: the whole model; merged: the same, of a LoRA training; peft: its adapter; gguf: a file for llama.cpp; gguf-lora: the adapter for it; ollama, ollama-lora: the same with a Modelfile',
      )
        .choices(exportFormats)
        .default('hf'),
      new Option('--dtype <name>', 'the type of the weights; the last three for gguf and ollama')
        .choices(exportTypes)
        .default('float32'),
      new Option('--max-shard-size <size>', 'the largest size of one file of weights').default('5GB'),
      new Option('--base <name>', "the adapter's base model, as adapter_config.json or Ollama names it"),
      new Option('--force', 'replace the folder of an earlier export'),
      ...pipelineOptions,
    ],
    examples: [
      { line: 'tuneloom export train --to my-model', does: 'a folder that transformers loads' },
      { line: 'tuneloom export train --to small --dtype bfloat16', does: 'half the size' },
      { line: 'tuneloom export train --to adapter --format peft', does: 'a LoRA adapter for PEFT' },
      {
        line: 'tuneloom export train --to local --format ollama --dtype q4_k_m',
        does: 'a small model for Ollama',
      },
      { line: 'tuneloom export train --push hf:me/my-model', does: 'the same files in a repository' },
    ],
    load: async () => (await import('../export/export.ts')).exportCommand,
  },
];
