// Byte pairs as in Radford et al. 2019: a text in, ids out; the merges come from tokenizer.json.

// A word, a number or a run of signs, each with a space before it; or white space.
const WORDS =
  /'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\p{White_Space}\p{L}\p{N}]+|\p{White_Space}+(?!\P{White_Space})|\p{White_Space}+/gu;

/** The visible character that stands for each byte: itself where it is visible Latin-1, else counted up from U+0100. */
export const SYMBOLS: string[] = (() => {
  let next = 0x100;
  const visible = (byte: number) => (byte > 0x20 && byte < 0x7f) || (byte > 0xa0 && byte !== 0xad);
  return Array.from({ length: 256 }, (_, byte) => String.fromCharCode(visible(byte) ? byte : next++));
})();

export class BytePairs {
  private readonly ranks: Map<string, number>;
  private readonly known = new Map<string, number[]>();

  constructor(
    private readonly vocabulary: Map<string, number>,
    merges: [string, string][],
  ) {
    this.ranks = new Map(merges.map((pair, rank) => [pair.join(" "), rank]));
  }

  encode(text: string): number[] {
    return (text.match(WORDS) ?? []).flatMap((word) => {
      const ids = this.known.get(word) ?? this.merge(word);
      this.known.set(word, ids);
      return ids;
    });
  }

  /** Join the pair that was learned first, until none is left. */
  private merge(word: string): number[] {
    const parts = Array.from(new TextEncoder().encode(word), (byte) => SYMBOLS[byte]);
    for (;;) {
      let best = -1;
      let bestRank = Infinity;
      for (let place = 0; place + 1 < parts.length; place++) {
        const rank = this.ranks.get(`${parts[place]} ${parts[place + 1]}`) ?? Infinity;
        if (rank < bestRank) [best, bestRank] = [place, rank];
      }
      if (best < 0) return parts.map((part) => this.vocabulary.get(part)!);
      parts.splice(best, 2, parts[best] + parts[best + 1]);
    }
  }
}
