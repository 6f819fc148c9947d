// The kind and the content of tokenizer.json in, a tokenizer out: the ids of elman's tokens/*.py.

import { BytePairs, SYMBOLS } from "./bytepairs";

export type Kind = "character" | "byte" | "word" | "bpe";

/** Every id is a piece of bytes; pieces side by side are the text. */
export interface Tokenizer {
  pieces: Uint8Array[];
  encode(text: string): number[];
  /** What of a text was not seen in training, in order. */
  unknownPieces(text: string): string[];
}

interface Stored {
  model: { vocab: Record<string, number>; merges?: [string, string][] };
}

// A word with its inner apostrophes or a run of signs, each with a space before it; or one white space.
// Words are made of what Oniguruma, which the tokenizers library uses, takes for \w; to it the small
// numbers of Latin-1 are words by themselves and signs after a sign.
const W = "\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}";
const IN_WORD = `[${W}²³¹¼½¾]`;
const WORDS = new RegExp(
  ` ?${IN_WORD}+(?:['\\u2019]${IN_WORD}+)*| ?[^\\p{White_Space}${W}]+|\\p{White_Space}`,
  "gu",
);

export function loadTokenizer(kind: Kind, json: string): Tokenizer {
  const utf8 = new TextEncoder();
  if (kind === "byte") {
    const pieces = Array.from({ length: 256 }, (_, byte) => Uint8Array.of(byte));
    return { pieces, encode: (text) => Array.from(utf8.encode(text)), unknownPieces: () => [] };
  }
  const { model } = JSON.parse(json) as Stored;
  const vocabulary = new Map(Object.entries(model.vocab));
  const pieces: Uint8Array[] = [];
  if (kind === "bpe") {
    const byteOf = new Map(SYMBOLS.map((symbol, byte) => [symbol, byte]));
    for (const [symbols, id] of vocabulary) pieces[id] = Uint8Array.from(symbols, (symbol) => byteOf.get(symbol)!);
    const pairs = new BytePairs(vocabulary, model.merges!);
    return { pieces, encode: (text) => pairs.encode(text), unknownPieces: () => [] };
  }
  for (const [piece, id] of vocabulary) pieces[id] = utf8.encode(piece);
  const split = (text: string) => (kind === "word" ? (text.match(WORDS) ?? []) : Array.from(text));
  return {
    pieces,
    encode: (text) => split(text).map((piece) => vocabulary.get(piece) ?? 0),
    unknownPieces: (text) => split(text).filter((piece) => !vocabulary.has(piece)),
  };
}
