// What the page asks of whatever runs a model. A backend keeps no state: each request carries the text so far.

import { LocalBackend } from "./local/backend";
import { ServerBackend } from "./server";
import type { Site } from "./site";

export interface Alternative {
  text: string;
  probability: number;
}

/** What was written: one character or more, never part of one. */
export interface Piece {
  text: string;
  bits: number;
  alternatives: Alternative[];
}

export interface Model {
  name: string;
  /** What kind of model it is, in a few words, where that is known. */
  about: string;
  bitsPerCharacter: number | null;
}

export interface Request {
  model: string;
  /** What was typed; the model opens the text by itself where that is nothing. */
  prompt: string;
  /** What stands after it so far. */
  written: string;
  /** In tokens. */
  length: number;
  temperature: number;
  topP: number;
  seed: number;
}

export interface Written {
  pieces: Piece[];
  /** What stood there before and the model does not know. */
  unknown: string[];
}

export interface Backend {
  /** Get ready, and say which models there are. */
  models(): Promise<Model[]>;
  /** Write until the length is reached or the signal says stop. */
  write(request: Request, signal: AbortSignal): AsyncIterable<Written>;
}

/** Read site.json beside the page: a model that lies there runs here, else the server runs it. */
export async function openBackend(): Promise<Backend> {
  const response = await fetch("site.json");
  const site: Site = response.ok ? await response.json() : { backend: "server" };
  return site.backend === "local" ? new LocalBackend(site) : new ServerBackend();
}
