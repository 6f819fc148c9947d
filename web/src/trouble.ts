// What can go wrong, by the name of its message in language.ts and what it is about.

export type TroubleName = "missing" | "damaged" | "unusable" | "refused" | "unreachable";

export class Trouble extends Error {
  constructor(
    readonly trouble: TroubleName,
    readonly detail: string,
  ) {
    super(`${trouble}: ${detail}`);
  }
}

/** The server asks for a key, or for another one. */
export class Locked extends Trouble {
  constructor(detail: string) {
    super("refused", detail);
  }
}
