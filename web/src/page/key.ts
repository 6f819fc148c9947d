// The field for the key of a server that asks for one.

import { keepKey } from "../key";

export class KeyForm {
  private readonly form = document.querySelector<HTMLFormElement>("#key-form")!;
  private readonly field = this.form.querySelector("input")!;

  /** `given` is called when there is a key to try. */
  constructor(given: () => void) {
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      keepKey(this.field.value);
      given();
    });
  }

  get open(): boolean {
    return !this.form.hidden;
  }

  ask(): void {
    this.form.hidden = false;
    this.field.select();
  }

  close(): void {
    this.form.hidden = true;
    this.field.value = "";
  }
}
