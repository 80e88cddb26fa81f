import { copiedValues } from './copied-values.ts';
import { remoteObjects } from './remote-objects.ts';

/**
 * The Python program that runs in a sandbox. It splits into two processes before it reads anything: the tests run in
 * the first, the program in the second, which never holds the tests, the descriptor of the verdict, or a way into the
 * first one's memory. The tests call the program through `program`, a module that asks the second process.
 *
 * Its standard input is {program, tests}, in JSON. It writes {python, outcome} or
 * {python, invalid_tests} to descriptor 3.
 */
export const harness = `
import builtins, json, os, socket, sys
${copiedValues}
${remoteObjects}

def close_inherited(kept):
    for name in os.listdir("/proc/self/fd"):
        if int(name) not in kept:
            try:
                os.close(int(name))
            except OSError:
                pass

def silence(descriptors):
    nothing = os.open(os.devnull, os.O_RDWR)
    for descriptor in descriptors:
        os.dup2(nothing, descriptor)

def run_program(connection):
    namespace = {}
    def run(source):
        exec(source, namespace)
    def names():
        return [name for name in namespace if isinstance(name, str)]
    def get(name):
        if name not in namespace:
            raise AttributeError(name)
        return namespace[name]
    peer = Peer(connection, {**everything, "run": run, "names": names, "get": get})
    while True:
        peer.answer(peer.receive())

def run_tests(connection):
    given = json.loads(sys.stdin.buffer.read())
    silence([0])
    peer = Peer(connection, little)
    try:
        tests = compile(given["tests"], "<tests>", "exec")
    except (SyntaxError, ValueError) as error:
        return {"invalid_tests": type(error).__name__ + ": " + described(error)}
    try:
        peer.ask("run", given["program"])
        program = type(sys)("program")
        def attribute(name):
            if name == "__all__":
                known = vars(builtins)
                return [found for found in peer.ask("names") if not found.startswith("_") and found not in known]
            if name.startswith("__"):
                raise AttributeError(name)
            return peer.ask("get", name)
        program.__getattr__ = attribute
        sys.modules["program"] = program
        exec(tests, {"program": program})
        outcome = "passed"
    except BaseException as error:
        outcome = ("failed: " + type(error).__name__ + ": " + described(error))[:300]
        outcome = outcome.encode("utf-8", "replace").decode()
    return {"outcome": "failed: it ended without finishing" if peer.ended else outcome}

def main():
    if sys.path and sys.path[0] == "":
        del sys.path[0]
    close_inherited({0, 3})
    silence([1, 2])
    ours, theirs = socket.socketpair()
    if os.fork() == 0:
        silence([0])
        os.close(3)
        ours.close()
        run_program(theirs)
    theirs.close()
    # The other process can neither trace this one nor read its memory or descriptors.
    import ctypes
    if ctypes.CDLL(None).prctl(4, 0, 0, 0, 0) != 0:
        os._exit(1)
    version = ".".join(map(str, sys.version_info[:3]))
    os.write(3, json.dumps({"python": version, **run_tests(ours)}).encode())
    os._exit(0)

main()
`;
