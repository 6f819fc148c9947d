// Logits in, a token out: the arithmetic of elman's generation/sampling.py, in doubles.

import type { Alternative } from "../backend";

export interface Sampling {
  temperature: number;
  topP: number;
}

/** Return the distribution that a token is drawn from; one token may be forbidden. */
export function probabilities(logits: Float32Array, sampling: Sampling, forbidden: number | null): Float64Array {
  const shares = new Float64Array(logits);
  for (let token = 0; token < shares.length; token++) shares[token] /= sampling.temperature;
  if (forbidden !== null) shares[forbidden] = -Infinity;
  normalise(shares);
  if (sampling.topP < 1) {
    const order = Array.from(shares.keys()).sort((a, b) => shares[b] - shares[a]);
    let sum = 0;
    for (const token of order) {
      const share = shares[token];
      sum += share;
      if (sum - share >= sampling.topP) shares[token] = 0;
    }
    scale(shares);
  }
  return shares;
}

/** Return the token at which the running sum passes a uniform number. */
export function choose(shares: Float64Array, uniform: number): number {
  let sum = 0;
  for (let token = 0; token < shares.length; token++) {
    sum += shares[token];
    if (sum > uniform) return token;
  }
  return shares.length - 1;
}

/** Return how surprising a token is, in bits, and the likeliest ones: what the model itself says. */
export function surprise(
  logits: Float32Array,
  token: number,
  nameOf: (token: number) => string | null,
  count: number,
): { bits: number; alternatives: Alternative[] } {
  const shares = normalise(new Float64Array(logits));
  const best: number[] = [];
  for (let other = 0; other < shares.length; other++) {
    if (best.length === count && shares[other] <= shares[best[count - 1]]) continue;
    if (nameOf(other) === null) continue;
    const place = best.findIndex((better) => shares[better] < shares[other]);
    best.splice(place < 0 ? best.length : place, 0, other);
    best.length = Math.min(best.length, count);
  }
  const alternatives = best.map((other) => ({ text: nameOf(other)!, probability: shares[other] }));
  return { bits: -Math.log2(shares[token]), alternatives };
}

function normalise(scores: Float64Array): Float64Array {
  let largest = -Infinity;
  for (let place = 0; place < scores.length; place++) largest = Math.max(largest, scores[place]);
  for (let place = 0; place < scores.length; place++) scores[place] = Math.exp(scores[place] - largest);
  return scale(scores);
}

function scale(shares: Float64Array): Float64Array {
  let sum = 0;
  for (let place = 0; place < shares.length; place++) sum += shares[place];
  for (let place = 0; place < shares.length; place++) shares[place] /= sum;
  return shares;
}
