# Answers each line of JSON on standard input: greedy answers with llama.cpp, several sequences in each llama_decode.
# decode_llama_cpp.py MODEL.gguf
import ctypes, json, resource, sys, time
import llama_cpp as llama
import numpy as np

llama.llama_backend_init()
silent = llama.llama_log_callback(lambda level, text, data: None)
llama.llama_log_set(silent, ctypes.c_void_p(0))
model = llama.llama_model_load_from_file(sys.argv[1].encode(), llama.llama_model_default_params())
vocabulary = llama.llama_vocab_n_tokens(llama.llama_model_get_vocab(model))
most_tokens = 2048


def open_context(batch, slots):
    settings = llama.llama_context_default_params()
    settings.n_ctx = batch * slots
    settings.n_seq_max = batch
    settings.n_batch = settings.n_ubatch = most_tokens
    settings.n_threads = settings.n_threads_batch = 2
    return llama.llama_init_from_model(model, settings)


def answer(context, prompts, batch, ends):
    tokens = llama.llama_batch_init(most_tokens, 0, 1)
    memory = llama.llama_get_memory(context)
    llama.llama_memory_clear(memory, True)
    written = [[] for _ in prompts]
    waiting = list(range(len(prompts)))[::-1]
    rows = {}  # sequence -> [prompt, tokens read]

    def add(sequence, token, position, is_last):
        i = tokens.n_tokens
        tokens.token[i], tokens.pos[i] = token, position
        tokens.n_seq_id[i], tokens.seq_id[i][0] = 1, sequence
        tokens.logits[i] = is_last
        tokens.n_tokens = i + 1

    while waiting or rows:
        tokens.n_tokens = 0
        asked = []
        for sequence, (prompt, read) in rows.items():
            add(sequence, written[prompt][-1], read, True)
            asked.append((sequence, tokens.n_tokens - 1))
        # Prompts of rows that begin are read in the step in which the others go on.
        for sequence in range(batch):
            if sequence in rows or not waiting:
                continue
            given = prompts[waiting[-1]]["tokens"]
            if tokens.n_tokens + len(given) > most_tokens:
                break
            llama.llama_memory_seq_rm(memory, sequence, -1, -1)
            for position, token in enumerate(given):
                add(sequence, token, position, position == len(given) - 1)
            rows[sequence] = [waiting.pop(), len(given) - 1]
            asked.append((sequence, tokens.n_tokens - 1))
        if llama.llama_decode(context, tokens) != 0:
            raise RuntimeError("llama_decode failed")
        for sequence, place in asked:
            logits = np.ctypeslib.as_array(llama.llama_get_logits_ith(context, place), (vocabulary,))
            token = int(logits.argmax())
            prompt = rows[sequence][0]
            rows[sequence][1] += 1
            written[prompt].append(token)
            if token in ends or len(written[prompt]) == prompts[prompt]["newTokens"]:
                del rows[sequence]
    llama.llama_batch_free(tokens)
    return written


contexts = {}
for line in sys.stdin:
    request = json.loads(line)
    batch, slots = request["batch"], request["slots"]
    context = contexts.get((batch, slots)) or open_context(batch, slots)
    contexts[(batch, slots)] = context
    start = time.perf_counter()
    written = answer(context, request["prompts"], batch, set(request.get("ends", [])))
    seconds = time.perf_counter() - start
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(json.dumps({"seconds": seconds, "memory": memory, "written": written}), flush=True)
