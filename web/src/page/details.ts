// What is known of one character: how surprising it was, what else could have stood there, and going on from it.

import type { Alternative } from "../backend";
import { fillIn, number, words } from "../language";
import type { Branch } from "./branch";
import { percent, visible } from "./text";

export interface Going {
  rewind(branch: Branch, place: number): void;
  /** Make a new branch of the text up to a character, or with another in its place. */
  fork(branch: Branch, place: number, instead: Alternative | null): void;
}

const GAP = 8;

export class Details {
  private readonly element = document.querySelector<HTMLElement>("#details")!;
  private at: { branch: Branch; place: number } | null = null;
  private pinned = false;

  constructor(private readonly going: Going) {
    this.button("#rewind").onclick = () => this.leave(({ branch, place }) => going.rewind(branch, place));
    this.button("#fork").onclick = () => this.leave(({ branch, place }) => going.fork(branch, place, null));
    document.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && this.pinned) this.leave(({ branch }) => branch.text.element.focus());
    });
    document.addEventListener("pointerdown", (event) => {
      if (this.pinned && !this.element.contains(event.target as Node)) this.hide();
    });
    addEventListener("scroll", () => this.at && this.put(), { passive: true });
    addEventListener("resize", () => this.at && this.put());
  }

  /** Show a character as long as it is looked at. */
  look(branch: Branch, place: number | null): void {
    if (this.pinned) return;
    if (place === null) this.hide();
    else this.show(branch, place);
  }

  /** Show a character until the user goes on from it or leaves. */
  pin(branch: Branch, place: number): void {
    this.show(branch, place);
    this.pinned = true;
    this.element.classList.add("pinned");
    this.button("#rewind").focus({ preventScroll: true });
  }

  /** Forget a branch that changes. */
  forget(branch: Branch): void {
    if (this.at?.branch === branch) this.hide();
  }

  private show(branch: Branch, place: number): void {
    this.at = { branch, place };
    const { text, bits, alternatives } = branch.text.pieces[place];
    fillIn(this.element);
    this.element.setAttribute("aria-label", words().details);
    this.find(".character").replaceChildren(strong(visible(text)), ` ${words().bits(number(bits, 1))}`);
    const list = this.find(".alternatives");
    list.replaceChildren(words().noAlternatives);
    if (alternatives.length) {
      list.setAttribute("role", "group");
      list.setAttribute("aria-label", words().instead);
      list.replaceChildren(
        ...alternatives.map((other) => {
          const button = document.createElement("button");
          button.type = "button";
          button.classList.toggle("chosen", other.text === text);
          button.style.setProperty("--share", String(other.probability));
          button.append(strong(visible(other.text)), ` ${percent(other)}`);
          button.onclick = () => this.leave(() => this.going.fork(branch, place, other));
          return button;
        }),
      );
    }
    this.element.hidden = false;
    this.put();
  }

  /** Put the box below its character, or above where there is no room. */
  private put(): void {
    const { branch, place } = this.at!;
    const character = branch.text.elementAt(place).getBoundingClientRect();
    const { width, height } = this.element.getBoundingClientRect();
    const page = document.documentElement;
    const left = Math.max(GAP, Math.min(character.left - GAP, page.clientWidth - width - GAP));
    const below = character.bottom + GAP;
    const fits = below + height < page.clientHeight;
    this.element.style.left = `${left}px`;
    this.element.style.top = `${fits ? below : Math.max(GAP, character.top - height - GAP)}px`;
  }

  private leave(then: (at: { branch: Branch; place: number }) => void): void {
    const at = this.at!;
    this.hide();
    then(at);
  }

  private hide(): void {
    this.at = null;
    this.pinned = false;
    this.element.classList.remove("pinned");
    this.element.hidden = true;
  }

  private find(selector: string): HTMLElement {
    return this.element.querySelector<HTMLElement>(selector)!;
  }

  private button(selector: string): HTMLButtonElement {
    return this.element.querySelector<HTMLButtonElement>(selector)!;
  }
}

function strong(text: string): HTMLElement {
  const element = document.createElement("strong");
  element.textContent = text;
  return element;
}
