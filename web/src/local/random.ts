// A seed in, uniform numbers out: those of NumPy's Generator(PCG64(seed)).random().
// O'Neill 2014 (PCG XSL-RR 128/64); the seed is spread by NumPy's SeedSequence (O'Neill 2015).

const MASK64 = (1n << 64n) - 1n;
const MASK128 = (1n << 128n) - 1n;
const MULTIPLIER = 0x2360ed051fc65da44385df649fccf645n;
const POOL = 4;

/** Spread a whole number, 0 or more, over four words of 64 bits. */
function spread(seed: bigint): bigint[] {
  const entropy: number[] = [];
  for (let rest = seed; rest > 0n || entropy.length === 0; rest >>= 32n) entropy.push(Number(rest & 0xffffffffn));
  let constant = 0x43b0d7e5;
  const hash = (value: number): number => {
    const mixed = value ^ constant;
    constant = Math.imul(constant, 0x931e8875);
    return fold(Math.imul(mixed, constant));
  };
  const mix = (x: number, y: number): number => fold(Math.imul(0xca01f9dd, x) - Math.imul(0x4973f715, y));
  const pool = Array.from({ length: POOL }, (_, place) => hash(entropy[place] ?? 0));
  for (let from = 0; from < POOL; from++)
    for (let to = 0; to < POOL; to++) if (from !== to) pool[to] = mix(pool[to], hash(pool[from]));
  for (const more of entropy.slice(POOL)) for (let to = 0; to < POOL; to++) pool[to] = mix(pool[to], hash(more));

  let after = 0x8b51f9dd;
  const words = Array.from({ length: 2 * POOL }, (_, place) => {
    const mixed = pool[place % POOL] ^ after;
    after = Math.imul(after, 0x58f38ded);
    return BigInt(fold(Math.imul(mixed, after)));
  });
  return Array.from({ length: POOL }, (_, place) => words[2 * place] | (words[2 * place + 1] << 32n));
}

function fold(value: number): number {
  return (value ^ (value >>> 16)) >>> 0;
}

/** Return a function that gives the next number from [0, 1) at each call. */
export function uniforms(seed: number): () => number {
  const [high, low, incrementHigh, incrementLow] = spread(BigInt(seed));
  const increment = (((incrementHigh << 64n) | incrementLow) << 1n) | 1n;
  const step = (state: bigint): bigint => (state * MULTIPLIER + increment) & MASK128;
  let state = step(increment + ((high << 64n) | low));
  return () => {
    state = step(state);
    const mixed = (state >> 64n) ^ (state & MASK64);
    const turn = state >> 122n;
    const word = ((mixed >> turn) | (mixed << (64n - turn))) & MASK64;
    return Number(word >> 11n) / 2 ** 53;
  };
}
