// The model runs here, beside the page, so that the page stays fluid while it writes.

import type { Piece, Request, Written } from "../backend";
import type { LocalSite } from "../site";
import { Trouble, type TroubleName } from "../trouble";
import { Engine } from "./engine";
import { readWhole } from "./files";
import { loadTokenizer, type Tokenizer } from "./tokenizer";
import { Writer } from "./writer";

export type Order =
  | { kind: "open"; site: LocalSite; folder: string }
  | { kind: "write"; job: number; request: Request }
  | { kind: "stop"; job: number };

export type Report =
  | { kind: "ready" }
  | { kind: "trouble"; job: number | null; trouble: TroubleName; detail: string }
  | ({ kind: "written"; job: number; done: boolean } & Written);

const SLICE = 16; // milliseconds between two reports, about one for each picture of the screen
const WARMING = 1000; // milliseconds after which the browser has compiled what is often run

let tokenizer: Tokenizer;
let writer: Writer;
const running = new Set<number>();
const report = (message: Report) => postMessage(message);

onmessage = async ({ data }: MessageEvent<Order>) => {
  const job = data.kind === "open" ? null : data.job;
  try {
    if (data.kind === "open") await open(data.site, data.folder);
    else if (data.kind === "write") await write(data.job, data.request);
    else running.delete(data.job);
  } catch (error) {
    const known = error instanceof Trouble ? error : new Trouble("unusable", String(error));
    report({ kind: "trouble", job, trouble: known.trouble, detail: known.detail });
  }
};

async function open(site: LocalSite, folder: string): Promise<void> {
  const [graph, json] = await Promise.all([
    readWhole(folder, "model.onnx", site.files["model.onnx"]),
    readWhole(folder, "tokenizer.json", site.files["tokenizer.json"]),
  ]);
  tokenizer = loadTokenizer(site.tokenizer, new TextDecoder().decode(json));
  writer = new Writer(site, tokenizer, await Engine.open(graph, site.states));
  report({ kind: "ready" });
  await warm();
}

/** Write for nobody until somebody asks: the browser compiles what is often run, and the first text is fast. */
async function warm(): Promise<void> {
  const begun = performance.now();
  const request = { model: "", prompt: "", written: "", length: Infinity, temperature: 1, topP: 1, seed: 0 };
  for await (const _ of writer.write(request)) {
    await turn();
    if (running.size || performance.now() - begun > WARMING) return;
  }
}

/** Write, and report in slices; between two of them the other jobs and a stop have their turn. */
async function write(job: number, request: Request): Promise<void> {
  running.add(job);
  let pieces: Piece[] = [];
  let begun = performance.now();
  const unknown = [...new Set(tokenizer.unknownPieces(writer.textOf(request)))];
  report({ kind: "written", job, done: false, pieces, unknown });
  for await (const piece of writer.write(request)) {
    pieces.push(piece);
    if (performance.now() - begun < SLICE) continue;
    report({ kind: "written", job, done: false, pieces, unknown: [] });
    pieces = [];
    await turn();
    if (!running.has(job)) break;
    begun = performance.now();
  }
  running.delete(job);
  report({ kind: "written", job, done: true, pieces, unknown: [] });
}

/** Let whatever waits be heard; a timer would wait for four milliseconds. */
function turn(): Promise<unknown> {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve(null);
    };
    port2.postMessage(null);
  });
}
