// A server that speaks the OpenAI completions form: `elman serve`.

import type { Alternative, Backend, Model, Piece, Request, Written } from "./backend";
import { keptKey } from "./key";
import { Locked, Trouble } from "./trouble";

const ALTERNATIVES = 5;

interface Logprobs {
  tokens: string[];
  token_logprobs: number[];
  top_logprobs: Record<string, number>[];
}

interface Event {
  choices?: { text: string; logprobs: Logprobs | null }[];
  unknown?: string[];
  error?: { message: string };
}

const NOTHING: Logprobs = { tokens: [], token_logprobs: [], top_logprobs: [] };

export class ServerBackend implements Backend {
  async models(): Promise<Model[]> {
    const response = await ask("v1/models");
    const { data } = (await response.json()) as { data: { id: string }[] };
    return data.map(({ id }) => ({ name: id, about: "", bitsPerCharacter: null }));
  }

  async *write(request: Request, signal: AbortSignal): AsyncGenerator<Written> {
    const { model, prompt, written } = request;
    const body = {
      model,
      max_tokens: request.length,
      temperature: request.temperature,
      top_p: request.topP,
      seed: request.seed,
      stream: true,
      logprobs: ALTERNATIVES,
    };
    try {
      const before = prompt || !written ? prompt : await openingOf(model, signal);
      const response = await complete({ ...body, prompt: before + written || undefined }, signal);
      for await (const arrived of events(response.body!)) {
        const said = arrived.map((event): Event => JSON.parse(event));
        yield { pieces: said.flatMap(piecesOf), unknown: said.flatMap((event) => event.unknown ?? []) };
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }
}

/** What a model reads first where there is no prompt: the echo of a text without one, and without a length. */
async function openingOf(model: string, signal: AbortSignal): Promise<string> {
  const response = await complete({ model, max_tokens: 0, echo: true }, signal);
  const { choices } = (await response.json()) as { choices: { text: string }[] };
  return choices[0].text;
}

function complete(body: object, signal: AbortSignal): Promise<Response> {
  const headers = { "Content-Type": "application/json" };
  return ask("v1/completions", { method: "POST", headers, body: JSON.stringify(body), signal });
}

/** Ask for an address beside the page; whatever is refused is said in the server's own words. */
async function ask(address: string, init: RequestInit = {}): Promise<Response> {
  const headers = new Headers(init.headers);
  const key = keptKey();
  if (key) headers.set("Authorization", `Bearer ${key}`);
  const response = await fetch(address, { ...init, headers }).catch((error: unknown) => {
    throw init.signal?.aborted ? error : new Trouble("unreachable", address);
  });
  if (response.ok) return response;
  const said = await response.json().catch(() => null);
  const message = said?.error?.message ?? `${address}: ${response.status}`;
  throw response.status === 401 ? new Locked(message) : new Trouble("refused", message);
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
