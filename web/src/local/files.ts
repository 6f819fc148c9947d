// A file beside the page in, its bytes out, whole or not at all.

import type { StoredFile } from "../site";
import { Trouble } from "../trouble";

export async function readWhole(folder: string, name: string, expected: StoredFile): Promise<Uint8Array<ArrayBuffer>> {
  const response = await fetch(new URL(name, folder)).catch(() => null);
  if (!response?.ok) throw new Trouble("missing", name);
  const content = new Uint8Array(await response.arrayBuffer());
  if (content.length !== expected.bytes || crc32(content) !== expected.crc32) throw new Trouble("damaged", name);
  return content;
}

const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  return value;
});

/** The checksum of zip and PNG: browsers offer SHA-256 only to pages that came over HTTPS or from this machine. */
export function crc32(content: Uint8Array): number {
  let value = 0xffffffff;
  for (const byte of content) value = TABLE[(value ^ byte) & 0xff] ^ (value >>> 8);
  return (value ^ 0xffffffff) >>> 0;
}
