// One text: what it began with, what was written, and the writing itself.

import type { Backend, Piece, Request } from "../backend";
import { fillIn, forget, inEveryLanguage, number, words } from "../language";
import { Trouble } from "../trouble";
import { Text, type Listener } from "./text";

/** Where a branch comes from. */
export interface Origin {
  parent: number;
  characters: number;
}

/** How a text is to be written on. */
export type Settings = Omit<Request, "prompt" | "written">;

export interface Owner extends Record<keyof Listener, (branch: Branch, place: number) => void> {
  look(branch: Branch, place: number | null): void;
  settings(): Settings | null;
  close(branch: Branch): void;
  /** Tell those who cannot see it. */
  say(text: string): void;
  /** Hear of trouble that may concern more than this text. */
  failed(trouble: Trouble): void;
}

export class Branch {
  readonly element = document.createElement("article");
  readonly text: Text;
  settings: Settings | null = null;
  private running: AbortController | null = null;
  private length = 0; // in characters, of which this run wrote
  private written = 0;
  private seconds = 0;
  private unknown: string[] = [];
  private trouble: Trouble | null = null;
  private readonly draw = () => {
    fillIn(this.element);
    this.describe();
  };

  constructor(
    readonly ordinal: number,
    readonly prompt: string,
    inherited: Piece[],
    private readonly origin: Origin | null,
    private readonly backend: Backend,
    private readonly owner: Owner,
  ) {
    this.text = new Text(prompt, {
      look: (place) => owner.look(this, place),
      choose: (place) => owner.choose(this, place),
    });
    this.element.innerHTML = `
      <div class="heading">
        <h3 id="b${ordinal}"></h3>
        <button type="button" class="stop" data-words="stop"></button>
        <button type="button" class="on" data-words="writeOn"></button>
        <button type="button" class="close quiet" data-words="close"></button>
      </div>
      <p class="facts"><span class="origin"></span><span class="settings"></span><span class="count"></span><span class="speed"></span></p>
      <p class="unknown"></p>
      <p class="trouble" role="alert"></p>`;
    this.element.setAttribute("aria-labelledby", `b${ordinal}`);
    this.element.append(this.text.element);
    this.find(".stop").onclick = () => this.stop();
    this.find(".on").onclick = () => {
      const settings = owner.settings();
      if (settings) void this.write(settings);
    };
    this.find(".close").onclick = () => owner.close(this);
    this.text.append(inherited);
    for (const before of this.text.element.children) before.classList.add("before");
    this.length = characters(this.upTo(Infinity));
    inEveryLanguage(this.draw);
  }

  /** The text so far, up to a number of pieces. */
  upTo(pieces: number): string {
    return this.prompt + this.writtenUpTo(pieces);
  }

  /** Write on from the end of the text. */
  async write(settings: Settings): Promise<void> {
    this.stop();
    const run = new AbortController();
    const request = { ...settings, prompt: this.prompt, written: this.writtenUpTo(Infinity) };
    [this.running, this.settings, this.written, this.seconds, this.trouble] = [run, settings, 0, 0, null];
    this.describe();
    this.owner.say(words().writing(this.ordinal));
    const begun = performance.now();
    try {
      for await (const { pieces, unknown } of this.backend.write(request, run.signal)) {
        if (run.signal.aborted) break; // the text may have been cut since
        if (unknown.length) this.unknown = unknown;
        this.text.append(pieces);
        const more = pieces.reduce((sum, piece) => sum + characters(piece.text), 0);
        this.written += more;
        this.length += more;
        this.seconds = (performance.now() - begun) / 1000;
        this.describe();
      }
    } catch (error) {
      if (!(error instanceof Trouble)) throw error;
      this.trouble = error;
      this.owner.failed(error);
    } finally {
      if (this.running === run) this.running = null;
    }
    this.describe();
    if (!run.signal.aborted && !this.trouble)
      this.owner.say(words().finished(this.ordinal, number(this.length), number(this.rate)));
  }

  stop(): void {
    this.running?.abort();
    this.running = null;
    this.describe();
  }

  /** Keep the text up to a number of pieces. */
  rewind(pieces: number): void {
    this.stop();
    this.text.cut(pieces);
    this.length = characters(this.upTo(Infinity));
    this.written = 0;
    this.describe();
    this.owner.say(words().rewound(this.ordinal, number(this.length)));
  }

  remove(): void {
    this.stop();
    forget(this.draw);
    this.element.remove();
  }

  private writtenUpTo(pieces: number): string {
    return this.text.pieces.slice(0, pieces).map((piece) => piece.text).join("");
  }

  private get rate(): number {
    return this.seconds ? this.written / this.seconds : 0;
  }

  private describe(): void {
    const say = words();
    const { origin, settings } = this;
    this.find("h3").textContent = say.text(this.ordinal);
    this.text.element.setAttribute("aria-label", say.characters(this.ordinal));
    this.find(".origin").textContent = origin ? say.forkOf(origin.parent, number(origin.characters)) : "";
    this.find(".settings").textContent = settings
      ? say.settings(String(settings.seed), String(settings.temperature), String(settings.topP))
      : "";
    this.find(".count").textContent = say.written(number(this.length));
    this.find(".speed").textContent = this.written ? say.speed(number(this.rate)) : "";
    this.find(".unknown").textContent = this.unknown.length ? say.unknown(this.unknown.join(" ")) : "";
    this.find(".trouble").textContent = this.trouble ? say[this.trouble.trouble](this.trouble.detail) : "";
    this.find(".stop").hidden = !this.running;
    this.find(".on").hidden = this.running !== null;
    this.text.element.setAttribute("aria-busy", String(this.running !== null));
    this.element.classList.toggle("writing", this.running !== null);
  }

  private find(selector: string): HTMLElement {
    return this.element.querySelector<HTMLElement>(selector)!;
  }
}

export function characters(text: string): number {
  let count = 0;
  for (const _ of text) count++;
  return count;
}
