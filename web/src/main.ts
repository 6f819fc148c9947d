// The page: a backend, the controls, and the texts side by side.

import { openBackend, type Backend, type Model } from "./backend";
import { keptKey } from "./key";
import { fillIn, inEveryLanguage, languageTag, number, switchLanguage, words } from "./language";
import { Branch, characters, type Owner, type Settings } from "./page/branch";
import { Details } from "./page/details";
import { KeyForm } from "./page/key";
import { LEVELS } from "./page/text";
import { Locked, Trouble } from "./trouble";

function find<Kind extends HTMLElement>(selector: string): Kind {
  return document.querySelector<Kind>(selector)!;
}

const form = find<HTMLFormElement>("#controls");
const choice = find<HTMLSelectElement>("#model-choice select");
const branches: Branch[] = [];
let made = 0;
let backend: Backend | null = null;
let models: Model[] = [];
let trouble: Trouble | null = null;

const details = new Details({
  rewind: (branch, place) => {
    branch.rewind(place + 1);
    branch.text.element.focus();
  },
  fork: (branch, place, instead) => {
    const settings = read();
    if (!settings) return;
    const inherited = branch.text.pieces.slice(0, place + 1);
    if (instead) inherited[place] = { ...inherited[place], text: instead.text, bits: -Math.log2(instead.probability) };
    const origin = { parent: branch.ordinal, characters: characters(branch.upTo(instead ? place : place + 1)) };
    const seed = 1 + Math.max(...branches.map((other) => other.settings?.seed ?? 0)); // one that is new here
    const fork = new Branch(++made, branch.prompt, inherited, origin, backend!, owner);
    branches.push(fork);
    branch.element.after(fork.element);
    fork.element.scrollIntoView({ block: "nearest" });
    fork.text.element.focus({ preventScroll: true });
    void fork.write({ ...settings, seed });
  },
});

const keyForm = new KeyForm(() => void open());

const owner: Owner = {
  look: (branch, place) => details.look(branch, place),
  choose: (branch, place) => details.pin(branch, place),
  settings: read,
  close: (branch) => {
    details.forget(branch);
    branch.remove();
    branches.splice(branches.indexOf(branch), 1);
    find("#empty").hidden = branches.length > 0;
    (branches[0]?.text.element ?? find("#prompt")).focus();
  },
  say: (text) => (find("#said").textContent = text),
  failed: (trouble) => trouble instanceof Locked && keyForm.ask(),
};

/** What the controls say, or nothing where they say what cannot be. */
function read(): Settings | null {
  if (!form.reportValidity()) return null;
  const data = new FormData(form);
  const value = (name: string) => Number(data.get(name));
  const model = models[choice.selectedIndex].name;
  return { model, length: value("length"), temperature: value("temperature"), topP: value("topP"), seed: value("seed") };
}

function draw(): void {
  const say = words();
  document.documentElement.lang = languageTag();
  document.title = say.title;
  fillIn(document);
  find("#language").lang = say.toOther === "中文" ? "zh-CN" : "en";
  const model = models[choice.selectedIndex];
  const known = model && [model.name, model.about, model.bitsPerCharacter && say.bitsPerCharacter(number(model.bitsPerCharacter, 2))];
  find("#about").textContent = known ? known.filter(Boolean).join(" · ") : trouble || keyForm.open ? "" : say.opening;
  find("#trouble").hidden = !trouble;
  find("#trouble").textContent = trouble ? say[trouble.trouble](trouble.detail) : "";
  for (const slider of form.querySelectorAll<HTMLInputElement>("input[type=range]"))
    form.querySelector<HTMLOutputElement>(`output[for=${slider.id}]`)!.value = number(slider.valueAsNumber, 2);
}

async function open(): Promise<void> {
  trouble = null;
  try {
    backend ??= await openBackend();
    models = await backend.models();
    keyForm.close();
    choice.replaceChildren(...models.map(({ name }) => new Option(name)));
    find("#model-choice").hidden = models.length < 2;
    find<HTMLButtonElement>("#write").disabled = false;
  } catch (error) {
    if (!(error instanceof Trouble)) throw error;
    const isAsked = error instanceof Locked && !keptKey(); // nothing is wrong yet
    if (!isAsked) trouble = error;
    owner.failed(error);
  }
  draw();
}

form.addEventListener("input", draw);
form.addEventListener("submit", (event) => {
  event.preventDefault();
  const settings = read();
  if (!settings) return;
  const prompt = find<HTMLTextAreaElement>("#prompt").value;
  const branch = new Branch(++made, prompt, [], null, backend!, owner);
  branches.push(branch);
  find("#branches").prepend(branch.element);
  find("#empty").hidden = true;
  void branch.write(settings);
});
find("#language").addEventListener("click", switchLanguage);
find("#scale").append(
  ...Array.from({ length: LEVELS + 1 }, (_, level) => {
    const step = document.createElement("span");
    step.className = `c s${level}`;
    step.textContent = level === LEVELS ? `${level}+` : String(level);
    return step;
  }),
);
inEveryLanguage(draw);
void open();
