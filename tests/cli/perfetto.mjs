// Asks Perfetto's own trace processor, as it stands in its page: the worker that is there,
// engine_bundle.js, loads it and answers over a port.
//
//   node perfetto.mjs FOLDER_OF_THE_PAGE TRACE SQL...
//
// prints the answers as JSON: of each query a list of rows.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { runInThisContext } from "node:vm";

const [page, trace, ...queries] = process.argv.slice(2);

// As much of protobuf as trace_processor.proto asks for.

function varint(value) {
  const out = [];
  let left = BigInt(value);
  for (; left > 127n; left >>= 7n) out.push(Number(left & 127n) | 128);
  return Buffer.from([...out, Number(left)]);
}

const number = (field, value) => Buffer.concat([varint(field << 3), varint(value)]);
const bytes = (field, value) =>
  Buffer.concat([varint((field << 3) | 2), varint(value.length), value]);

function readVarint(data, at) {
  let value = 0n;
  for (let shift = 0n; ; shift += 7n) {
    const byte = data[at++];
    value |= BigInt(byte & 127) << shift;
    if (byte < 128) return [BigInt.asIntN(64, value), at];
  }
}

function* fields(data) {
  for (let at = 0; at < data.length; ) {
    let key, size;
    [key, at] = readVarint(data, at);
    const kind = Number(key & 7n);
    if (kind === 0) {
      let value;
      [value, at] = readVarint(data, at);
      yield [Number(key >> 3n), value];
      continue;
    }
    if (kind === 2) [size, at] = readVarint(data, at);
    else size = { 1: 8, 5: 4 }[kind];
    yield [Number(key >> 3n), data.subarray(at, at + Number(size))];
    at += Number(size);
  }
}

function numbers(data) {
  const out = [];
  for (let at = 0, value; at < data.length; out.push(Number(value)))
    [value, at] = readVarint(data, at);
  return out;
}

// The worker takes this program for a browser.

const { exit } = process;
const replies = [];
const port = { postMessage: (data) => replies.push(Buffer.from(data)) };
globalThis.self = globalThis;
globalThis.location = { href: "http://localhost/" };
globalThis.WorkerGlobalScope = Object;
globalThis.XMLHttpRequest = class {
  open(method, name) {
    this.response = readFileSync(join(page, name));
  }
  send() {}
};
delete globalThis.process;
console.warn = () => {};
runInThisContext(readFileSync(join(page, "engine_bundle.js"), "utf8"));
self.onmessage({ data: port });
await new Promise((ready) => setTimeout(ready));

const [APPEND, END, QUERY] = [1, 2, 3]; // methods of TraceProcessorRpc
let sent = 0;

function* asked(method, args = Buffer.alloc(0)) {
  replies.length = 0;
  const request = Buffer.concat([number(1, ++sent), number(2, method), args]);
  port.onmessage({ data: new Uint8Array(bytes(1, request)) });
  for (const [, reply] of fields(Buffer.concat(replies))) yield* fields(reply);
}

function rows(sql) {
  const names = [], cells = [];
  for (const [what, result] of asked(QUERY, bytes(103, bytes(1, Buffer.from(sql))))) {
    if (what !== 203) continue;
    for (const [field, value] of fields(result)) {
      if (field === 1) names.push(value.toString());
      if (field === 2 && value.length) throw new Error(`${sql}: ${value}`);
      if (field === 3) cells.push(...cellsOf(value));
    }
  }
  const out = [];
  while (cells.length) out.push(cells.splice(0, names.length));
  return out;
}

function cellsOf(batch) {
  const of = { 1: [], 2: [], 3: [], 4: [] };
  let kinds = [];
  for (const [field, value] of fields(batch)) {
    if (field === 1) kinds = [...value];
    if (field === 2) of[2] = numbers(value);
    if (field === 3) of[3] = [...new Float64Array(Uint8Array.from(value).buffer)];
    if (field === 5) of[4] = value.toString().split("\0");
  }
  return kinds.map((kind) => of[kind].shift() ?? null);
}

for (const [what, error] of asked(APPEND, bytes(101, readFileSync(trace))))
  if (what === 201) for (const [, text] of fields(error)) throw new Error(String(text));
[...asked(END)];
console.log(JSON.stringify(queries.map(rows)));
exit(0);
