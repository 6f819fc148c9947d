// A server that speaks the OpenAI completions form: `elman serve`.

import type { Alternative, Backend, Model, Piece, Request, Written } from "./backend";
import { Trouble } from "./trouble";

const ALTERNATIVES = 5;

interface Logprobs {
  tokens: string[];
  token_logprobs: number[];
  top_logprobs: Record<string, number>[];
}

interface Event {
  choices?: { text: string; logprobs: Logprobs | null }[];
  error?: { message: string };
}

const NOTHING: Logprobs = { tokens: [], token_logprobs: [], top_logprobs: [] };

export class ServerBackend implements Backend {
  readonly opening = "\n";

  async models(): Promise<Model[]> {
    const response = await ask("v1/models");
    const { data } = (await response.json()) as { data: { id: string }[] };
    return data.map(({ id }) => ({ name: id, about: "", bitsPerCharacter: null }));
  }

  async *write(request: Request, signal: AbortSignal): AsyncGenerator<Written> {
    const body = {
      model: request.model,
      prompt: request.prompt,
      max_tokens: request.length,
      temperature: request.temperature,
      top_p: request.topP,
      seed: request.seed,
      stream: true,
      logprobs: ALTERNATIVES,
    };
    const headers = { "Content-Type": "application/json" };
    try {
      const response = await ask("v1/completions", { method: "POST", headers, body: JSON.stringify(body), signal });
      for await (const arrived of events(response.body!))
        yield { pieces: arrived.flatMap((event) => piecesOf(JSON.parse(event))), unknown: [] };
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }
}

/** Ask for an address beside the page; whatever is refused is said in the server's own words. */
async function ask(address: string, init?: RequestInit): Promise<Response> {
  const response = await fetch(address, init).catch((error: unknown) => {
    throw init?.signal?.aborted ? error : new Trouble("unreachable", address);
  });
  if (response.ok) return response;
  const said = await response.json().catch(() => null);
  throw new Trouble("refused", said?.error?.message ?? `${address}: ${response.status}`);
}

/** The data of server-sent events, as many as arrive at once, up to the one that says that there are no more. */
async function* events(body: ReadableStream<Uint8Array<ArrayBuffer>>): AsyncGenerator<string[]> {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    const lines = (rest + value).split(/\r?\n/);
    rest = lines.pop()!;
    const data = lines.filter((line) => line.startsWith("data: ")).map((line) => line.slice("data: ".length));
    yield data.filter((event) => event !== "[DONE]");
    if (data.includes("[DONE]")) return;
  }
}

function piecesOf({ choices, error }: Event): Piece[] {
  if (error) throw new Trouble("refused", error.message);
  return (choices ?? []).flatMap(({ text, logprobs }) => {
    const { tokens, token_logprobs: nats, top_logprobs: top } = logprobs ?? NOTHING;
    if (tokens.join("") !== text) {
      const bits = nats.reduce((sum, value) => sum - value / Math.LN2, 0); // a character spans several tokens
      return text ? [{ text, bits, alternatives: [] }] : [];
    }
    return tokens.map((token, place) => ({ text: token, bits: -nats[place] / Math.LN2, alternatives: likeliest(top[place]) }));
  });
}

function likeliest(top: Record<string, number>): Alternative[] {
  const alternatives = Object.entries(top).map(([text, value]) => ({ text, probability: Math.exp(value) }));
  return alternatives.sort((a, b) => b.probability - a.probability);
}
