// A prompt in, pieces of text out, one token at a time, as elman's generation/stream.py writes them.

import type { Piece, Request } from "../backend";
import type { LocalSite } from "../site";
import { type Engine } from "./engine";
import { uniforms } from "./random";
import { choose, probabilities, surprise } from "./sampling";
import type { Tokenizer } from "./tokenizer";

const READ_AT_ONCE = 1024;
const ALTERNATIVES = 5;

export class Writer {
  private readonly names: (string | null)[];

  constructor(
    private readonly site: LocalSite,
    private readonly tokenizer: Tokenizer,
    private readonly engine: Engine,
  ) {
    const whole = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
    this.names = tokenizer.pieces.map((piece, token) => {
      if (token === site.unknown) return null;
      try {
        return whole.decode(piece);
      } catch {
        return null; // a part of a character
      }
    });
  }

  /** The text that a request goes on from. */
  textOf(request: Request): string {
    return (request.prompt || this.site.opening) + request.written;
  }

  async *write(request: Request): AsyncGenerator<Piece> {
    const random = uniforms(request.seed);
    const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
    let ids = this.tokenizer.encode(this.textOf(request));
    let state = this.engine.initialState();
    let bits = 0; // of bytes that are no whole character yet
    for (; ids.length > READ_AT_ONCE; ids = ids.slice(READ_AT_ONCE))
      ({ state } = await this.engine.feed(ids.slice(0, READ_AT_ONCE), state));
    for (let written = 1; written <= request.length; written++) {
      const after = await this.engine.feed(ids, state);
      state = after.state;
      const token = choose(probabilities(after.logits, request, this.site.unknown), random());
      const said = surprise(after.logits, token, (other) => this.names[other], ALTERNATIVES);
      const text = decoder.decode(this.tokenizer.pieces[token], { stream: written < request.length });
      bits += said.bits;
      if (text) {
        yield { text, bits, alternatives: this.names[token] === text ? said.alternatives : [] };
        bits = 0;
      }
      ids = [token];
    }
  }
}
