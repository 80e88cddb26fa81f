/**
 * The connection between the tests' process and the program's, in Python. Each end can ask the other for an operation
 * on one of its objects. Needs `builtins`, `json` and `sys`, and the class Values.
 */
export const remoteObjects = `
class Remote:
    """An object of the other process."""
    __slots__ = ("_peer", "_key")
    def __init__(self, peer, key):
        object.__setattr__(self, "_peer", peer)
        object.__setattr__(self, "_key", key)
    def __call__(self, *args, **kwargs): return self._peer.ask("call", self, list(args), kwargs)
    def __getattr__(self, name): return self._peer.ask("attribute", self, name)
    def __setattr__(self, name, value): self._peer.ask("set_attribute", self, name, value)
    def __iter__(self): return self._peer.ask("iterate", self)
    def __next__(self): return self._peer.ask("next", self)
    def __len__(self): return self._peer.ask("length", self)
    def __bool__(self): return self._peer.ask("truth", self) is True
    def __getitem__(self, key): return self._peer.ask("item", self, key)
    def __setitem__(self, key, value): self._peer.ask("set_item", self, key, value)
    def __repr__(self): return str(self._peer.ask("representation", self))
    def __str__(self): return str(self._peer.ask("text", self))
    def __hash__(self): return hash(self._key)
    # The program never sees what it is compared with, unless both objects are its own.
    def __eq__(self, other):
        return isinstance(other, Remote) and self._peer.ask("equal", self, other) is True
    def __instancecheck__(self, value):
        return isinstance(value, Remote) and self._peer.ask("instance", self, value) is True

def set_item(owner, key, value):
    owner[key] = value

everything = {
    "call": lambda function, args, kwargs: function(*args, **kwargs), "attribute": getattr, "set_attribute": setattr,
    "iterate": iter, "next": next, "length": len, "truth": bool, "item": lambda owner, key: owner[key],
    "set_item": set_item, "representation": repr, "text": str, "equal": lambda one, other: bool(one == other),
    "instance": lambda kind, value: isinstance(value, kind),
}

def own_field(owner, name):
    if name.startswith("_") or isinstance(owner, (type, type(sys))) or name not in vars(owner):
        raise AttributeError(name)
    return vars(owner)[name]

def set_own_field(owner, name, value):
    own_field(owner, name)
    vars(owner)[name] = value

# What the program may do with an object of the tests: nothing that leads to their modules.
little = {
    "call": everything["call"], "iterate": iter, "next": next, "attribute": own_field, "set_attribute": set_own_field,
}

stand_ins = {}

def exception_class(name, base):
    kind = getattr(builtins, name, None)
    if isinstance(kind, type) and issubclass(kind, BaseException):
        return kind
    if (name, base) not in stand_ins:
        stand_ins[(name, base)] = type(name, (exception_class(base, "Exception"),), {})
    return stand_ins[(name, base)]

def described(error):
    try:
        return str(error)
    except BaseException:
        return ""

class Peer:
    """One end of the connection. Either end may ask the other while it answers."""
    def __init__(self, connection, operations):
        self.stream = connection.makefile("rwb")
        self.operations = operations
        self.own = {}
        self.ended = False

    def reference(self, value):
        if isinstance(value, Remote):
            return ["yours", value._key]
        if isinstance(value, type) and issubclass(value, BaseException):
            return ["exception", [value.__name__, builtin_base(value)]]
        self.own[id(value)] = value
        return ["mine", id(value)]

    def referenced(self, tag, key):
        if tag == "mine":
            return Remote(self, int(key))
        if tag == "yours":
            return self.own[key]
        if tag == "exception":
            return exception_class(*key)
        raise ValueError(tag)

    def send(self, message):
        self.stream.write(json.dumps(message).encode() + b"\\n")
        self.stream.flush()

    def receive(self):
        line = self.stream.readline()
        if not line:
            self.ended = True
            raise EOFError("it ended without finishing")
        return json.loads(line)

    def ask(self, operation, *operands):
        values = Values(self)
        encoded = [values.encode(operand) for operand in operands]
        self.send({"ask": operation, "nodes": values.nodes, "operands": encoded})
        while True:
            message = self.receive()
            if "ask" in message:
                self.answer(message)
                continue
            values.decode_nodes(message["nodes"])
            for number, node in message["changed"]:
                values.fill(number, node)
            if "error" in message:
                name, base, text, args = message["error"]
                raise self.error(exception_class(name, base), text, values, args)
            return values.decode(message["value"])

    def error(self, kind, text, values, args):
        try:
            error = kind(*values.decode(args))
        except BaseException:
            error = None
        if isinstance(error, kind) and described(error) == text:
            return error
        return type(kind.__name__, (kind,), {"__init__": lambda self: None, "__str__": lambda self: text})()

    def answer(self, message):
        values = Values(self)
        values.decode_nodes(message["nodes"])
        operands = [values.decode(operand) for operand in message["operands"]]
        received = len(message["nodes"])
        try:
            result = {"value": values.encode(self.operations[message["ask"]](*operands))}
        except BaseException as error:
            values.keep_first(received)
            name = type(error).__name__
            result = {"error": [name, builtin_base(type(error)), described(error), values.encode(list(error.args))]}
        changed = []
        for number, node in enumerate(message["nodes"]):
            if node[0] in mutable:
                content = values.content(values.objects[number])
                if json.dumps(content) != json.dumps(node):
                    changed.append([number, content])
        self.send({**result, "nodes": values.nodes, "changed": changed})

def builtin_base(kind):
    return next(base.__name__ for base in kind.__mro__ if getattr(builtins, base.__name__, None) is base)
`;
