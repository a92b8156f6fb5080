import { SenseError } from "../../core/errors.js";

/** A name that a pickle refers to (`module.name`); it is looked up in an allowlist and never imported. */
export class Global {
  constructor(readonly name: string) {}
}

/** What a pickle can become here: dicts are maps, lists and tuples arrays; `T` is what the allowlist makes. */
export type Pickled<T> =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | Global
  | Pickled<T>[]
  | Map<Pickled<T>, Pickled<T>>
  | T;

export interface Allowlist<T> {
  /** What a call of a global gives; it must throw for every name it does not know. `key` is the dict's key it may be for. */
  call(name: string, args: readonly Pickled<T>[], key: string): Pickled<T>;
  /** True for a global that may be mentioned. */
  knows(name: string): boolean;
  /** What a persistent id stands for. */
  persistent(id: Pickled<T>, key: string): Pickled<T>;
}

class Mark {}
const mark = new Mark();

function refuse(why: string): never {
  throw new SenseError("BAD_CHECKPOINT", why, {
    hint: "only plain tensors are read: save the model's state_dict() and nothing else",
  });
}

/**
 * Reads one pickle (protocols 2 to 5) that starts at `start`, and tells where it ends. It runs nothing: a global is only a
 * name, and calling one asks the allowlist. Throws `BAD_CHECKPOINT` for anything else.
 */
export function unpickle<T>(
  bytes: Uint8Array,
  allow: Allowlist<T>,
  start = 0,
): { readonly value: Pickled<T>; readonly end: number } {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const decoder = new TextDecoder();
  const stack: (Pickled<T> | Mark)[] = [];
  const memo = new Map<number, Pickled<T>>();
  let at = start;

  const need = (length: number): number => {
    if (!(length >= 0 && at + length <= bytes.byteLength)) refuse(`the pickle ends early, at byte ${at}`);
    at += length;
    return at - length;
  };
  const u8 = (): number => view.getUint8(need(1));
  const u16 = (): number => view.getUint16(need(2), true);
  const u32 = (): number => view.getUint32(need(4), true);
  const i32 = (): number => view.getInt32(need(4), true);
  const u64 = (): number => Number(view.getBigUint64(need(8), true));
  const slice = (length: number): Uint8Array => bytes.subarray(need(length), at);
  const text = (length: number): string => decoder.decode(slice(length));
  const line = (): string => {
    const end = bytes.indexOf(10, at);
    if (end < 0) refuse(`the pickle ends early, at byte ${at}`);
    const value = text(end - at);
    at++;
    return value;
  };
  const long = (length: number): number | bigint => {
    let value = 0n;
    for (const [i, byte] of slice(length).entries()) value |= BigInt(byte) << BigInt(8 * i);
    const signed = BigInt.asIntN(Math.max(8 * length, 1), value);
    return Number.isSafeInteger(Number(signed)) ? Number(signed) : signed;
  };
  const pop = (): Pickled<T> => {
    const value = stack.pop();
    if (value === undefined || value instanceof Mark)
      return refuse(`the pickle takes from an empty stack at byte ${at}`);
    return value;
  };
  const top = (): Pickled<T> => {
    const value = pop();
    stack.push(value);
    return value;
  };
  const sinceMark = (): Pickled<T>[] => {
    const from = stack.lastIndexOf(mark);
    if (from < 0) return refuse(`the pickle has no mark at byte ${at}`);
    const items = stack.splice(from).slice(1);
    return items as Pickled<T>[];
  };
  const tuple = (length: number): Pickled<T>[] => Array.from({ length }, pop).reverse();
  const global = (name: string): Global => {
    if (!allow.knows(name)) refuse(`the pickle asks for ${JSON.stringify(name)}, which is not a kind of tensor`);
    return new Global(name);
  };
  const recall = (index: number): Pickled<T> => {
    const value = memo.get(index);
    return value === undefined ? refuse(`the pickle refers to memo ${index}, which it never made`) : value;
  };
  const setItems = (items: readonly Pickled<T>[]): void => {
    const target = top();
    if (!(target instanceof Map) || items.length % 2 !== 0) refuse(`the pickle sets items of no dict, byte ${at}`);
    for (let i = 0; i < items.length; i += 2) target.set(items[i]!, items[i + 1]!);
  };
  const append = (items: readonly Pickled<T>[]): void => {
    const target = top();
    if (!Array.isArray(target)) refuse(`the pickle appends to no list, byte ${at}`);
    for (const item of items) target.push(item);
  };
  /** While a dict's value is made, its key is the last text on the stack. */
  const key = (): string => String(stack.findLast((value) => typeof value === "string") ?? "");
  const reduce = (): Pickled<T> => {
    const args = pop();
    const callee = pop();
    if (!(callee instanceof Global) || !Array.isArray(args))
      return refuse(`the pickle calls what is no name, byte ${at}`);
    return allow.call(callee.name, args, key());
  };

  for (;;) {
    const code = u8();
    switch (String.fromCharCode(code)) {
      case "\x80": // PROTO
        u8();
        break;
      case "\x95": // FRAME
        u64();
        break;
      case ".": // STOP
        return { value: pop(), end: at };
      case "(":
        stack.push(mark);
        break;
      case "0":
        stack.pop();
        break;
      case "1": // POP_MARK
        sinceMark();
        break;
      case "2": // DUP
        stack.push(top());
        break;
      case "N":
        stack.push(null);
        break;
      case "\x88":
        stack.push(true);
        break;
      case "\x89":
        stack.push(false);
        break;
      case "J": // BININT
        stack.push(i32());
        break;
      case "K":
        stack.push(u8());
        break;
      case "M":
        stack.push(u16());
        break;
      case "\x8a": // LONG1
        stack.push(long(u8()));
        break;
      case "G": // BINFLOAT, the one big-endian number
        stack.push(view.getFloat64(need(8)));
        break;
      case "X": // BINUNICODE
        stack.push(text(u32()));
        break;
      case "\x8c": // SHORT_BINUNICODE
        stack.push(text(u8()));
        break;
      case "\x8d": // BINUNICODE8
        stack.push(text(u64()));
        break;
      case "U": // SHORT_BINSTRING
        stack.push(text(u8()));
        break;
      case "T": // BINSTRING
        stack.push(text(i32()));
        break;
      case "B": // BINBYTES
        stack.push(slice(u32()));
        break;
      case "C": // SHORT_BINBYTES
        stack.push(slice(u8()));
        break;
      case "}":
        stack.push(new Map());
        break;
      case "]":
      case ")":
      case "\x8f": // EMPTY_SET
        stack.push([]);
        break;
      case "t": // TUPLE
      case "l": // LIST
      case "\x91": // FROZENSET
        stack.push(sinceMark());
        break;
      case "\x85":
        stack.push(tuple(1));
        break;
      case "\x86":
        stack.push(tuple(2));
        break;
      case "\x87":
        stack.push(tuple(3));
        break;
      case "a":
        append([pop()]);
        break;
      case "e": // APPENDS
      case "\x90": // ADDITEMS
        append(sinceMark());
        break;
      case "s":
        setItems(tuple(2));
        break;
      case "u":
        setItems(sinceMark());
        break;
      case "q":
        memo.set(u8(), top());
        break;
      case "r":
        memo.set(u32(), top());
        break;
      case "\x94": // MEMOIZE
        memo.set(memo.size, top());
        break;
      case "h":
        stack.push(recall(u8()));
        break;
      case "j":
        stack.push(recall(u32()));
        break;
      case "c":
        stack.push(global(`${line()}.${line()}`));
        break;
      case "\x93": {
        const [module, name] = tuple(2);
        if (typeof module !== "string" || typeof name !== "string")
          return refuse(`the pickle has a broken name, byte ${at}`);
        stack.push(global(`${module}.${name}`));
        break;
      }
      case "R":
      case "\x81": // NEWOBJ: a call of the class
        stack.push(reduce());
        break;
      case "b": // BUILD: the attributes of an OrderedDict (`_metadata`) are of no use here
        pop();
        if (!(top() instanceof Map)) refuse(`the pickle sets the state of an object, byte ${at}`);
        break;
      case "Q": // BINPERSID
        stack.push(allow.persistent(pop(), key()));
        break;
      default:
        return refuse(
          `the pickle has instruction 0x${code.toString(16)} at byte ${at - 1}, which a state dict never needs`,
        );
    }
  }
}
