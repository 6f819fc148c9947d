// The content of site.json, as `elman export --to web` writes it.

import type { Kind } from "./local/tokenizer";

/** A file that lies beside the page, and how to tell that it is whole. */
export interface StoredFile {
  bytes: number;
  crc32: number;
}

export interface LocalSite {
  backend: "local";
  name: string;
  about: string;
  bits_per_character: number | null;
  tokenizer: Kind;
  unknown: number | null;
  opening: string;
  /** The width of each part of the state, in the order of the graph's inputs. */
  states: number[];
  files: Record<"model.onnx" | "tokenizer.json", StoredFile>;
}

export type Site = LocalSite | { backend: "server" };
