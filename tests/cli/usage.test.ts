import { readdir } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { dataProject, openCliRig } from './rig.ts';

test('`tuneloom` without arguments shows the commands in groups and the first step', async () => {
  await using rig = await openCliRig();
  expect(await rig.tuneloom()).toMatchInlineSnapshot(`
    {
      "exitCode": 0,
      "stderr": "",
      "stdout": "Usage: tuneloom <command> [options]

    Instruction fine-tuning as a cached pipeline: edit the YAML, rerun only what
    changed.

    Options:
      --version   print the version
      -h, --help  show help

    Run a pipeline:
      run         Run the stages whose inputs changed, and reuse the rest
      plan        Show what a run would do and why, and change nothing
      explain     Show field by field how a stage differs from its nearest past run
      update      Resolve remote sources again and update the lock

    Look at it and at its results:
      show        Print a result: records, answers, tokens, batches, a model, a
                  history or scores
      ui          Open pages to follow runs, browse results, review, compare and
                  chat, on this machine only
      review      Rate a stage's answers one by one, and keep the ratings in a CSV
                  file
      runs        Compare past runs in a table, or show what one of them did
      diff        Compare two runs: params, fields, metrics and answers
      plot        Draw the losses, the sweep or the scores of runs
      report      Write what runs did, and what came of it, as one HTML file or as
                  Markdown
      track       Write the histories and scores of runs for TensorBoard or MLflow
      graph       Draw the stages of a pipeline and what flows between them
      chat        Chat with a model from a stage, a folder, a GGUF file or the hub
      serve       Serve a model to programs that speak OpenAI's API
      export      Write a model for transformers, PEFT, llama.cpp or Ollama, and
                  push it to the hub
      score       Score a file of predictions as a benchmark's official tool does

    Share results:
      push        Send results to a remote, and only what it lacks
      pull        Fetch the files of results from the remotes that have them
      remote      Add a remote to the settings, list them, or check that they can be
                  used
      key         Show the key that signs what you push
      bundle      Write a finished run with its definition as one archive, an
                  RO-Crate
      open        Unpack a pipeline that someone else made, and say which code it
                  would run

    Start and check:
      init        Write a small working pipeline to start from, or another program's
                  training as one
      schema      Print the JSON Schema of pipeline files, of settings, or of one
                  stage's fields
      verify      Check everything in the store against its digest
      gc          Remove results that have not been used for a long time
      doctor      Show what this machine offers, and what is missing
      setup       Install an engine that is not part of the package
      completion  Print a script that completes commands, options, stages, params
                  and runs

    Start here:
      npx tuneloom init my-project
      cd my-project
      npm install
      npx tuneloom run",
    }
  `);
});

test('the help of a command has a sentence, its options and examples', async () => {
  await using rig = await openCliRig();
  expect((await rig.tuneloom('run', '--help')).stdout).toMatchInlineSnapshot(`
    "Usage: tuneloom run [file] [stage...] [options]

    Run the stages whose inputs changed, and reuse the rest.

    Options:
      -j, --jobs <number>       how many stages may run at once (default: one for
                                each core)
      --force <stage>           run this stage even if nothing changed; repeatable
      --keep-going              after a failure, still run what does not depend on
                                it
      --locked                  fail if a source or a stage differs from the lock
      --no-remote               look for results in this machine's stores alone
      --rerun                   run cached stages again in a scratch store and
                                compare the results
      -y, --yes                 approve the code of a pipeline that \`tuneloom open\`
                                fetched, without asking
      --executor <name>         run the stages on this machine or cluster of the
                                settings
      --shards <number>         divide the prompts of \`generate\` among this many
                                jobs
      --backend <name>          where tensors are computed (choices: "auto", "onnx",
                                "webgpu", "cuda", "tensorflow", "cpu")
      --watch                   run again whenever the pipeline, its data or its
                                code changes
      --track <tool=place>      also write losses and scores to tensorboard=FOLDER
                                or mlflow=ADDRESS while it runs; repeatable
      -p, --param <name=value>  give one of the pipeline's params another value;
                                repeatable
      --set <path=value>        give any field another value, as
                                stages.train.with.epochs=3; repeatable
      --store <folder>          keep results in this folder instead of the project's
                                artifacts/ (TUNELOOM_STORE does the same)
      --json                    print JSON for programs instead of text for people
      -h, --help                show help

    Examples:
      tuneloom run
          run the pipeline of this folder
      tuneloom run pipelines/quickstart.yaml train
          run \`train\` and what it needs
      tuneloom run -p learning_rate=1e-4
          try another value without an edit"
  `);
});

test('every command has help', async () => {
  await using rig = await openCliRig();
  const names = [
    'run',
    'plan',
    'explain',
    'show',
    'runs',
    'graph',
    'init',
    'schema',
    'verify',
    'doctor',
    'setup',
  ];
  for (const name of names) {
    const { stdout, exitCode } = await rig.tuneloom(name, '--help');
    expect([
      exitCode,
      stdout.startsWith(`Usage: tuneloom ${name} `),
      stdout.includes('\nExamples:\n'),
    ]).toEqual([0, true, true]);
  }
});

test('a command or an option that does not exist ends with 2 and a suggestion', async () => {
  await using rig = await openCliRig();
  expect([
    await rig.tuneloom('rnu'),
    await rig.tuneloom('run', '--jbos', '2'),
    await rig.tuneloom('run', '-j', 'many'),
  ]).toMatchInlineSnapshot(`
    [
      {
        "exitCode": 2,
        "stderr": "error: unknown command 'rnu'
    (Did you mean run?)",
        "stdout": "",
      },
      {
        "exitCode": 2,
        "stderr": "error: unknown option '--jbos'
    (Did you mean --jobs?)",
        "stdout": "",
      },
      {
        "exitCode": 2,
        "stderr": "error: option '-j, --jobs <number>' argument 'many' is invalid. It takes a whole number of at least 1.",
        "stdout": "",
      },
    ]
  `);
});

test('without a pipeline a run says how to get one', async () => {
  await using rig = await openCliRig({ 'compose.yaml': 'services: {}\n' });
  expect(await rig.tuneloom('run')).toMatchInlineSnapshot(`
    {
      "exitCode": 2,
      "stderr": "error: there is no pipeline in this folder or in its \`pipelines/\`
      help: name a file, as in \`tuneloom run path/to/pipeline.yaml\`, or write a first pipeline with \`tuneloom init\`",
      "stdout": "",
    }
  `);
});

test('with several pipelines one has to be named', async () => {
  await using rig = await openCliRig({
    'a.yaml': 'stages: {}\n',
    'a.lock.yaml': 'stages: {}\n',
    'pipelines/b.yml': 'stages: {}\n',
  });
  expect(await rig.tuneloom('plan')).toMatchInlineSnapshot(`
    {
      "exitCode": 2,
      "stderr": "error: there are several pipelines here: a.yaml and pipelines/b.yml
      help: name one of them first, as in \`tuneloom run a.yaml\`",
      "stdout": "",
    }
  `);
});

test('with several pipelines, pipeline.yaml is the one that is meant', async () => {
  await using rig = await openCliRig({
    'a.yaml': 'stages: {}\n',
    'pipeline.yaml': 'name: usual\nstages: { rows: { uses: load, with: { records: rows.jsonl } } }\n',
    'rows.jsonl': '{"text":"a"}\n',
    'pipelines/pipeline.yaml': 'stages: {}\n',
  });
  expect(await rig.tuneloom('plan')).toEqual({
    exitCode: 0,
    stdout: 'usual: 1 stage would run\n  rows  runs: it has not run before',
    stderr: '',
  });
});

test.each(['run', 'plan', 'runs', 'gc', 'verify', 'doctor'])(
  '%s refuses an address as a store, which it would take for the name of a folder',
  async (command) => {
    await using rig = await openCliRig(dataProject);
    expect(await rig.tuneloom(command, '--store', 's3://bucket/store')).toEqual({
      exitCode: 2,
      stdout: '',
      stderr: `error: --store names a \`s3:\` address, and a store is a folder on this machine
  help: name a folder; an address is the \`url\` of a remote, in .tuneloom/settings.yaml`,
    });
    expect((await readdir(rig.folder)).sort()).toEqual(Object.keys(dataProject).sort());
  },
);

test('with --json an invalid command line gives JSON', async () => {
  await using rig = await openCliRig();
  const { exitCode, stdout, stderr } = await rig.tuneloom('plan', '--json');
  expect([exitCode, stderr, JSON.parse(stdout).errors[0].code]).toEqual([2, '', 'bad-usage']);
});

test('all mistakes of a pipeline are shown together, and nothing runs', async () => {
  await using rig = await openCliRig(dataProject);
  await rig.write(
    'data.yaml',
    dataProject['data.yaml'].replace('batch_size', 'batchsize').replace('from: format', 'from: fromat'),
  );
  expect(await rig.tuneloom('run')).toMatchInlineSnapshot(`
    {
      "exitCode": 2,
      "stderr": "data.yaml:11:11 error[unknown-reference] the pipeline has no stage \`fromat\`
      11 |     from: fromat
         |           ^^^^^^
      help: did you mean \`format\`?
    data.yaml:18:13 error[unknown-field] stage \`collate\` has no field \`batchsize\`
      18 |     with: { batchsize: 2, max_length: "\${params.length}", train_on:...
         |             ^^^^^^^^^
      help: did you mean \`batch_size\`?
    2 errors. Nothing ran.",
      "stdout": "",
    }
  `);
  const { stdout, exitCode } = await rig.tuneloom('run', '--json');
  expect([exitCode, JSON.parse(stdout).errors.length]).toEqual([2, 2]);
});

test('an unknown stage is rejected with a suggestion', async () => {
  await using rig = await openCliRig(dataProject);
  expect(await rig.tuneloom('run', 'tokenise')).toMatchInlineSnapshot(`
    {
      "exitCode": 2,
      "stderr": "error[unknown-stage] the pipeline data has no stage \`tokenise\`
      help: did you mean \`tokenize\`?
    1 error. Nothing ran.",
      "stdout": "",
    }
  `);
});
