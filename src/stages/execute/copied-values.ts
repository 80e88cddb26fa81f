/**
 * How values pass between the tests' process and the program's, in Python. Plain values (numbers, text, lists, tuples,
 * sets, dictionaries, dates and the like) are copied in JSON, without the classes that a program derives from them, and
 * in-place changes of arguments are copied back; of other objects the `peer` makes references.
 */
export const copiedValues = `
made = {("decimal", "Decimal"), ("fractions", "Fraction"), ("datetime", "date"), ("datetime", "datetime"),
        ("datetime", "time"), ("datetime", "timedelta")}
mutable = {"list": list, "dict": dict, "set": set, "bytearray": bytearray}

class Values:
    """The containers of a request and its answer, by number, so that both name the same object."""
    def __init__(self, peer):
        self.peer = peer
        self.objects = []
        self.numbers = {}
        self.nodes = []

    def number(self, value):
        self.objects.append(value)
        self.numbers[id(value)] = len(self.objects) - 1
        return len(self.objects) - 1

    def keep_first(self, count):
        del self.objects[count:]
        self.numbers = {id(value): number for number, value in enumerate(self.objects)}
        self.nodes = []

    def encode(self, value):
        if value is None or value is True or value is False:
            return value
        if isinstance(value, int):
            whole = int.__add__(value, 0)
            return whole if whole.bit_length() < 4096 else ["int", hex(whole)]
        if isinstance(value, float):
            return float.__mul__(value, 1.0)
        if isinstance(value, str):
            return str.__str__(value)
        if isinstance(value, bytes):
            return ["bytes", bytes.decode(value, "latin-1")]
        if isinstance(value, complex):
            return ["complex", value.real, value.imag]
        if isinstance(value, range):
            return ["range", value.start, value.stop, value.step]
        if isinstance(value, (list, tuple, dict, set, frozenset, bytearray)):
            if id(value) not in self.numbers:
                self.add(value)
            return ["node", self.numbers[id(value)]]
        kind = type(value)
        if (kind.__module__, kind.__name__) in made:
            return ["made", kind.__module__, kind.__name__, [self.encode(part) for part in value.__reduce__()[1]]]
        return self.peer.reference(value)

    def add(self, value):
        if isinstance(value, (tuple, frozenset)):
            content = self.content(value)
            self.number(value)
            self.nodes.append(content)
        else:
            number = self.number(value)
            self.nodes.append(None)
            position = len(self.nodes) - 1
            self.nodes[position] = self.content(value)

    def content(self, value):
        if isinstance(value, dict):
            return ["dict", [[self.encode(key), self.encode(item)] for key, item in dict.items(value)]]
        if isinstance(value, bytearray):
            return ["bytearray", bytes(value).decode("latin-1")]
        for name, kind in (("list", list), ("tuple", tuple), ("set", set), ("frozenset", frozenset)):
            if isinstance(value, kind):
                return [name, [self.encode(item) for item in kind.__iter__(value)]]

    def decode(self, value):
        if not isinstance(value, list):
            return value
        tag, *rest = value
        if tag == "node":
            return self.objects[rest[0]]
        if tag == "int":
            return int(rest[0], 16)
        if tag == "bytes":
            return rest[0].encode("latin-1")
        if tag == "complex":
            return complex(*rest)
        if tag == "range":
            return range(*rest)
        if tag == "made" and (rest[0], rest[1]) in made:
            return getattr(__import__(rest[0]), rest[1])(*[self.decode(part) for part in rest[2]])
        return self.peer.referenced(tag, rest[0])

    def decode_nodes(self, nodes):
        first = len(self.objects)
        for name, content in nodes:
            self.number(mutable[name]() if name in mutable else None)
        for offset, (name, content) in enumerate(nodes):
            if name not in mutable:
                value = {"tuple": tuple, "frozenset": frozenset}[name](self.decode(item) for item in content)
                self.objects[first + offset] = value
                self.numbers[id(value)] = first + offset
        for offset, node in enumerate(nodes):
            if node[0] in mutable:
                self.fill(first + offset, node)

    def fill(self, number, node):
        name, content = node
        value = self.objects[number]
        if name == "list":
            list.__setitem__(value, slice(None), [self.decode(item) for item in content])
        elif name == "bytearray":
            bytearray.__setitem__(value, slice(None), content.encode("latin-1"))
        elif name == "set":
            set.clear(value)
            set.update(value, [self.decode(item) for item in content])
        else:
            items = [(self.decode(key), self.decode(item)) for key, item in content]
            dict.clear(value)
            dict.update(value, items)
`;
