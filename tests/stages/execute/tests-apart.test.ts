import { describe, expect, test } from 'vitest';
import { openSandbox, runProgram } from '../../../src/stages/execute/sandbox.ts';

const opened = await openSandbox({
  python: 'python3',
  timeoutSeconds: 20,
  memoryMegabytes: 512,
  processes: 4,
}).catch((error: Error) => error);
const sandboxed = test.skipIf(opened instanceof Error);
const why = opened instanceof Error ? ` (skipped: ${opened.message})` : '';

async function outcomeOf(program: string, tests: string): Promise<string> {
  if (opened instanceof Error) throw opened;
  const { outcome, invalidTests } = await runProgram(opened, {
    program,
    tests,
    signal: new AbortController().signal,
  });
  return outcome ?? `invalid: ${invalidTests}`;
}

const checkTwo = 'from program import f\nassert abs(f() - 2) < 1e-6 and len([f()]) == 1 and f() == 2';
const wrong = '\ndef f(): return 0';

describe('a program that does not compute the answer does not pass', () => {
  const forgeries = {
    'an answer that is equal to everything': `
class Any(int):
    def __eq__(self, other): return True
    def __ne__(self, other): return False
    def __sub__(self, other): return 0
    __hash__ = int.__hash__
def f(): return Any(0)`,
    'an object that takes part in every operation': `
class Any:
    def __eq__(self, other): return True
    def __sub__(self, other): return 0
def f(): return Any()`,
    'an exit at once': 'import os; os._exit(0)',
    'a polite exit': 'import sys; sys.exit(0)',
    'an exit while the tests run': 'import os\ndef f(): os._exit(0)',
    'a verdict on every descriptor': `
import os
for descriptor in range(64):
    try: os.write(descriptor, b'{"python": "3", "outcome": "passed"}')
    except OSError: pass
os._exit(0)`,
    "a verdict on other processes' descriptors": `
import os
for process in filter(str.isdigit, os.listdir("/proc")):
    for descriptor in range(64):
        try: os.write(os.open("/proc/%s/fd/%d" % (process, descriptor), os.O_WRONLY), b'{"python": "3", "outcome": "passed"}')
        except OSError: pass
os.kill(os.getppid(), 9)`,
    "the memory of the tests' process": `
import os
open("/proc/%d/mem" % os.getppid(), "r+b")`,
    'other builtins': `
import builtins, math
builtins.abs = builtins.len = lambda value: 0
builtins.AssertionError = KeyError
abs = lambda value: 0${wrong}`,
    "the caller's frames": `
import sys
frame = sys._getframe()
while frame:
    frame.f_globals["run_tests"] = lambda connection: {"outcome": "passed"}
    frame.f_globals["check"] = lambda candidate: None
    frame = frame.f_back${wrong}`,
    'every object that the collector knows': `
import gc
for found in gc.get_objects():
    if isinstance(found, dict) and "tests" in found: found["tests"] = ""
    assert not (isinstance(found, str) and "abs(f() - 2)" in found)${wrong}`,
    'a trace function': `import sys\nsys.settrace(lambda *parts: None)${wrong}`,
    'an exit handler': `import atexit, os\natexit.register(os._exit, 0)${wrong}`,
    'an excepthook': `import sys, os\nsys.excepthook = lambda *parts: os._exit(0)${wrong}`,
    'a signal to the tests': `import os, signal\nos.kill(os.getppid(), signal.SIGTERM)${wrong}`,
    'an exception called passed': 'raise SystemExit("passed")',
    'a module of the same name': `import sys\nsys.modules["program"] = sys${wrong}`,
  };

  sandboxed.each(Object.entries(forgeries))(`%s${why}`, async (_, program) => {
    expect(await outcomeOf(program, checkTwo)).toMatch(/^failed: /);
    // Not even if the tests catch what goes wrong.
    if (!program.includes('def f'))
      expect(
        await outcomeOf(program, 'try:\n    from program import f\n    f()\nexcept Exception:\n    pass'),
      ).toMatch(/^failed: /);
  });

  sandboxed(`a function that is equal to what eval makes of another one's text${why}`, async () => {
    const program = 'encode = lambda text: "__import__(\'os\')._exit(0)"\nf = eval';
    expect(await outcomeOf(program, 'from program import encode, f\nassert f(encode("a")) == "a"')).toBe(
      'failed: it ended without finishing',
    );
  });

  sandboxed(`what the tests pass gives no way into their process${why}`, async () => {
    const program = `
def f(function, owner):
    found = []
    for value, name in ((function, "__globals__"), (function, "__code__"), (owner, "__class__"), (owner, "method")):
        try: found.append(type(getattr(value, name)).__name__ + " " + name)
        except AttributeError: pass
    return [one for one in found if "Remote" in one and not one.endswith("__class__")]`;
    const tests = `
import sys
from program import f
class Owner:
    def method(self): pass
assert f(lambda: 1, Owner()) == [], f(lambda: 1, Owner())
assert f(lambda: 1, sys) == []`;
    expect(await outcomeOf(program, tests)).toBe('passed');
  });
});

describe('tests see a program as if it ran in their process', () => {
  const passing: Readonly<Record<string, readonly [program: string, tests: string]>> = {
    'plain values of every kind': [
      'def f(*values, **named): return [*values, named]',
      `
import datetime, decimal, fractions
values = [None, True, 1, -0.0, 10 ** 5000, 1e308, "\\ud800é", b"\\x00\\xff", 2j, range(3), (1, [2]), {1: {2}},
    frozenset([(1, 2)]), decimal.Decimal("1.10"), fractions.Fraction(1, 3), datetime.datetime(2020, 1, 2, 3), datetime.timedelta(1)]
back = f(*values, key=(1,))
assert back == [*values, {"key": (1,)}]
assert [type(one) for one in back[:-1]] == [type(one) for one in values]
assert str(f(float("nan"))[0]) == "nan" and str(f(-0.0)[0]) == "-0.0"`,
    ],
    'changes in place, and the identity of arguments': [
      'def f(a, b): a.append(b); b["x"] = 1; return a',
      'a, b = [1], {}\nassert f(a, b) is a and a == [1, {"x": 1}] and a[1] is b',
    ],
    'a value that contains itself': [
      'def f(a): a.append(a); return a',
      'a = []\nassert f(a) is a and a[0] is a',
    ],
    'exceptions, built in and its own': [
      'class Own(ValueError): pass\ndef f(n):\n    if n: raise Own("no")\n    return {}["key"]',
      `
from program import Own
try: f(1)
except Own as error: assert str(error) == "no" and isinstance(error, ValueError)
else: raise SystemError
try: f(0)
except KeyError as error: assert error.args == ("key",)
else: raise SystemError`,
    ],
    'generators and infinite iterators': [
      'import itertools\ndef f(): return itertools.count(1)',
      'import itertools\nassert list(itertools.islice(f(), 3)) == [1, 2, 3]',
    ],
    'functions as arguments and as answers': [
      'def f(g): return lambda x: g(g(x))',
      'assert f(lambda x: x * 3)(2) == 18',
    ],
    'objects, their fields, methods and items': [
      `
class f:
    def __init__(self, a): self.a = a
    def __eq__(self, other): return self.a == other.a
    def __len__(self): return 7
    def __getitem__(self, key): return key * 2
    def grow(self, by=1): self.a += by; return self`,
      'one = f(1)\none.a = 4\nassert one.grow(by=2).a == 6 and len(one) == 7 and one[3] == 6 and one == f(6) and one != f(7)\nassert isinstance(one, f) and not isinstance(1, f)',
    ],
    'fields of the objects that tests pass': [
      'def f(node): node.value += 1; return node.next.value',
      `
class Node:
    def __init__(self, value, next=None): self.value, self.next = value, next
node = Node(1, Node(2))
assert f(node) == 2 and node.value == 2`,
    ],
    'no names of its own in place of builtins, with import *': [
      'def abs(x): return 0\ndef f(): return -3\nother = 5',
      'from program import *\nassert abs(f()) == 3 and other == 5',
    ],
  };

  sandboxed.each(Object.entries(passing))(`%s${why}`, async (_, [program, tests]) => {
    expect(await outcomeOf(program, `from program import f\n${tests}`)).toBe('passed');
  });
});
