// A text of which each character can be pointed at, with a mouse, a finger or the keys.

import type { Alternative, Piece } from "../backend";
import { number, words } from "../language";

export const LEVELS = 8; // of colour, one for each bit of surprise

export interface Listener {
  /** A character is looked at, or none. */
  look(place: number | null): void;
  /** A character is chosen. */
  choose(place: number): void;
}

let texts = 0;

export class Text {
  readonly element = document.createElement("div");
  readonly pieces: Piece[] = [];
  private readonly name = `t${++texts}`;
  private active: HTMLElement | null = null;

  constructor(
    prompt: string,
    private readonly listener: Listener,
  ) {
    this.element.className = "text";
    this.element.tabIndex = 0;
    this.element.setAttribute("role", "listbox");
    this.element.setAttribute("aria-describedby", "keys");
    const begun = document.createElement("span");
    begun.className = "prompt";
    begun.textContent = prompt;
    this.element.append(begun);
    this.element.addEventListener("pointerover", (event) => this.listener.look(this.placeOf(event.target)));
    this.element.addEventListener("pointerleave", () => this.listener.look(this.placeOf(this.active)));
    this.element.addEventListener("click", (event) => this.click(event));
    this.element.addEventListener("keydown", (event) => this.press(event));
    this.element.addEventListener("blur", () => this.activate(null));
  }

  append(pieces: Piece[]): void {
    const fragment = document.createDocumentFragment();
    for (const piece of pieces) {
      const span = document.createElement("span");
      span.className = `c s${Math.min(LEVELS, Math.floor(piece.bits))}`;
      span.id = `${this.name}-${this.pieces.length}`;
      span.setAttribute("role", "option");
      span.textContent = piece.text;
      fragment.append(span);
      this.pieces.push(piece);
    }
    this.element.append(fragment);
  }

  /** Keep so many pieces. */
  cut(count: number): void {
    this.activate(null);
    this.pieces.length = count;
    while (this.element.children.length > count + 1) this.element.lastElementChild!.remove();
  }

  elementAt(place: number): HTMLElement {
    return this.element.children[place + 1] as HTMLElement;
  }

  private placeOf(target: EventTarget | null): number | null {
    if (!(target instanceof HTMLElement) || !target.classList.contains("c")) return null;
    return Number(target.id.slice(this.name.length + 1));
  }

  private click(event: MouseEvent): void {
    const place = this.placeOf(event.target);
    if (place === null) return;
    this.activate(place);
    this.listener.choose(place);
  }

  private press(event: KeyboardEvent): void {
    if (!this.pieces.length || event.ctrlKey || event.metaKey || event.altKey) return;
    const place = this.placeOf(this.active);
    const last = this.pieces.length - 1;
    const to: Record<string, () => number> = {
      ArrowRight: () => (place === null ? 0 : Math.min(last, place + 1)),
      ArrowLeft: () => (place === null ? last : Math.max(0, place - 1)),
      ArrowDown: () => this.beside(place ?? 0, 1),
      ArrowUp: () => this.beside(place ?? last, -1),
      Home: () => 0,
      End: () => last,
    };
    if (event.key in to) this.activate(to[event.key]());
    else if (event.key === "Escape") this.activate(null);
    else if (place !== null && (event.key === "Enter" || event.key === " ")) this.listener.choose(place);
    else return;
    event.preventDefault();
  }

  /** The character nearest to one, a line below or above it. */
  private beside(place: number, direction: 1 | -1): number {
    const { left, top } = this.elementAt(place).getBoundingClientRect();
    let line: number | null = null;
    let best = place;
    let nearest = Infinity;
    for (let other = place + direction; this.pieces[other]; other += direction) {
      const box = this.elementAt(other).getBoundingClientRect();
      if (Math.abs(box.top - top) < 2) continue;
      line ??= box.top;
      if (Math.abs(box.top - line) > 2) break;
      if (Math.abs(box.left - left) < nearest) [best, nearest] = [other, Math.abs(box.left - left)];
    }
    return best;
  }

  private activate(place: number | null): void {
    this.active?.classList.remove("active");
    this.active?.removeAttribute("aria-selected");
    this.active = place === null ? null : this.elementAt(place);
    this.listener.look(place);
    if (place === null) {
      this.element.removeAttribute("aria-activedescendant");
      return;
    }
    this.active!.classList.add("active");
    this.active!.setAttribute("aria-selected", "true");
    this.active!.setAttribute("aria-label", describe(this.pieces[place]));
    this.active!.scrollIntoView({ block: "nearest" });
    this.element.setAttribute("aria-activedescendant", this.active!.id);
  }
}

/** A character by a name that can be seen and heard. */
export function visible(text: string): string {
  const names: Record<string, string> = { " ": words().space, "\n": words().newline, "\t": words().tab };
  return names[text] ?? text.replaceAll("\n", "↵").replaceAll(" ", "␣");
}

export function percent({ probability }: Alternative): string {
  return `${number(100 * probability, probability < 0.1 ? 1 : 0)} %`;
}

function describe({ text, bits, alternatives }: Piece): string {
  const others = alternatives.map((other) => `${visible(other.text)} ${percent(other)}`);
  return [visible(text), words().bits(number(bits, 1)), ...others].join(", ");
}
