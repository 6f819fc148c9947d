// A graph that elman exported in, logits and the next state out: ONNX Runtime in WebAssembly, one thread.

import * as ort from "onnxruntime-web/wasm";

import { Trouble } from "../trouble";

ort.env.wasm.numThreads = 1;
const ERRORS = 3; // what the runtime says: no warnings

export type State = ort.Tensor[];

export class Engine {
  private last: Promise<unknown> = Promise.resolve();

  private constructor(
    private readonly session: ort.InferenceSession,
    private readonly names: string[],
    private readonly sizes: number[],
  ) {}

  static async open(graph: Uint8Array, sizes: number[]): Promise<Engine> {
    try {
      const session = await ort.InferenceSession.create(graph, { executionProviders: ["wasm"], logSeverityLevel: ERRORS });
      return new Engine(session, session.inputNames.filter((name) => name.startsWith("state.")), sizes);
    } catch (error) {
      throw new Trouble("unusable", error instanceof Error ? error.message : String(error));
    }
  }

  initialState(): State {
    return this.sizes.map((size) => new ort.Tensor("float32", new Float32Array(size), [1, size]));
  }

  /** Read tokens: the logits after the last of them, and the next state. */
  feed(ids: number[], state: State): Promise<{ logits: Float32Array; state: State }> {
    const turn = this.last.then(() => this.run(ids, state)); // the runtime bears one call at a time
    this.last = turn.catch(() => null);
    return turn;
  }

  private async run(ids: number[], state: State): Promise<{ logits: Float32Array; state: State }> {
    const given: Record<string, ort.Tensor> = {
      ids: new ort.Tensor("int64", BigInt64Array.from(ids, BigInt), [ids.length, 1]),
    };
    this.names.forEach((name, place) => (given[name] = state[place]));
    const after = this.names.map((name) => `next.${name}`);
    const results = await this.session.run(given, ["logits", ...after]);
    const logits = results["logits"].data as Float32Array;
    return { logits: logits.slice(-results["logits"].dims[2]), state: after.map((name) => results[name] as ort.Tensor) };
  }
}
