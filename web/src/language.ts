// What the page says, in English and in Chinese.

const english = {
  title: "elman playground",
  toOther: "中文",
  opening: "Getting the model ready …",
  bitsPerCharacter: (bits: string) => `${bits} bits per character`,
  key: "API key",
  keyHint: "This server serves only who has its key; it is forgotten when this tab is closed.",
  useKey: "Use this key",
  model: "Model",
  prompt: "Prompt",
  promptHint: "What the text begins with; may be left empty.",
  temperature: "Temperature",
  temperatureHint: "Below 1 safer, above 1 wilder.",
  topP: "Top-p",
  topPHint: "Choose among the likeliest that hold this share.",
  seed: "Seed",
  seedHint: "The same seed gives the same text.",
  length: "Length",
  lengthHint: "In tokens.",
  write: "Write",
  stop: "Stop",
  writeOn: "Write on",
  close: "Close",
  texts: "Texts",
  empty: "Nothing is written yet. Each press of Write adds a text here.",
  text: (number: number) => `Text ${number}`,
  characters: (number: number) => `Text ${number}, character by character`,
  forkOf: (number: number, place: string) => `fork of text ${number} after ${place} characters`,
  settings: (seed: string, temperature: string, topP: string) => `seed ${seed}, temperature ${temperature}, top-p ${topP}`,
  written: (count: string) => `${count} characters`,
  speed: (rate: string) => `${rate} characters per second`,
  unknown: (pieces: string) => `Not seen in training, read as unknown: ${pieces}`,
  legend: "Surprise in bits",
  keys: "Point at a character to see what else could have stood there; click it, or press Enter, to go on from there. Arrow keys move.",
  bits: (bits: string) => `${bits} bits`,
  details: "This character",
  instead: "Fork with another character",
  noAlternatives: "Alternatives are not known here.",
  rewind: "Rewind to here",
  fork: "Fork here",
  space: "space",
  newline: "new line",
  tab: "tab",
  writing: (number: number) => `Writing text ${number}.`,
  finished: (number: number, count: string, rate: string) => `Text ${number} has ${count} characters, written at ${rate} per second.`,
  rewound: (number: number, count: string) => `Text ${number} is rewound to ${count} characters.`,
  missing: (detail: string) => `${detail} cannot be loaded; expected it beside this page. Export the model again: elman export MODEL DIR --to web`,
  damaged: (detail: string) => `${detail} is damaged: its content does not match its checksum. Export the model again: elman export MODEL DIR --to web`,
  unusable: (detail: string) => `The model cannot run in this browser (${detail}). A current Chromium, Firefox or Safari can run it.`,
  refused: (detail: string) => `The server refused: ${detail}`,
  unreachable: (detail: string) => `The server does not answer (${detail}). Start it, elman serve MODEL, and load this page again.`,
};

export type Words = typeof english;

const chinese: Words = {
  title: "elman 试验场",
  toOther: "English",
  opening: "正在准备模型……",
  bitsPerCharacter: (bits) => `每字符 ${bits} 比特`,
  key: "API 密钥",
  keyHint: "此服务器只为持有密钥者服务；关闭此标签页后密钥即被忘记。",
  useKey: "使用此密钥",
  model: "模型",
  prompt: "开头",
  promptHint: "文本的开头；可以留空。",
  temperature: "温度",
  temperatureHint: "低于 1 更稳妥，高于 1 更大胆。",
  topP: "Top-p",
  topPHint: "只在合计占这一份额的最可能者中选择。",
  seed: "种子",
  seedHint: "种子相同，文本相同。",
  length: "长度",
  lengthHint: "以词元计。",
  write: "写",
  stop: "停止",
  writeOn: "接着写",
  close: "关闭",
  texts: "文本",
  empty: "还没有文本。每按一次“写”，这里就多一篇。",
  text: (number) => `文本 ${number}`,
  characters: (number) => `文本 ${number}，逐字符`,
  forkOf: (number, place) => `从文本 ${number} 的第 ${place} 个字符后分出`,
  settings: (seed, temperature, topP) => `种子 ${seed}，温度 ${temperature}，top-p ${topP}`,
  written: (count) => `${count} 个字符`,
  speed: (rate) => `每秒 ${rate} 个字符`,
  unknown: (pieces) => `训练时没有见过，按未知读入：${pieces}`,
  legend: "意外程度（比特）",
  keys: "指向一个字符，可见此处还可能写什么；点击它或按回车，可从那里继续。方向键移动。",
  bits: (bits) => `${bits} 比特`,
  details: "这个字符",
  instead: "换一个字符，另写一篇",
  noAlternatives: "此处不知道其他可能。",
  rewind: "回到这里",
  fork: "从这里分出",
  space: "空格",
  newline: "换行",
  tab: "制表符",
  writing: (number) => `正在写文本 ${number}。`,
  finished: (number, count, rate) => `文本 ${number} 有 ${count} 个字符，每秒写 ${rate} 个。`,
  rewound: (number, count) => `文本 ${number} 已退回到 ${count} 个字符。`,
  missing: (detail) => `无法载入 ${detail}，它应与本页放在一起。请重新导出模型：elman export MODEL DIR --to web`,
  damaged: (detail) => `${detail} 已损坏：内容与校验和不符。请重新导出模型：elman export MODEL DIR --to web`,
  unusable: (detail) => `模型无法在此浏览器中运行（${detail}）。新版 Chromium、Firefox 或 Safari 可以。`,
  refused: (detail) => `服务器拒绝了请求：${detail}`,
  unreachable: (detail) => `服务器没有应答（${detail}）。请启动它：elman serve MODEL，再重新载入本页。`,
};

type PlainName = { [Name in keyof Words]: Words[Name] extends string ? Name : never }[keyof Words];

let isChinese = navigator.language.toLowerCase().startsWith("zh");
const listeners = new Set<() => void>();

/** What the page says now. */
export function words(): Words {
  return isChinese ? chinese : english;
}

/** Write a number as the language does. */
export function number(value: number, digits = 0): string {
  const options = { minimumFractionDigits: digits, maximumFractionDigits: digits };
  return value.toLocaleString(isChinese ? "zh-CN" : "en", options);
}

/** Call a function now and whenever the language is switched. */
export function inEveryLanguage(draw: () => void): void {
  listeners.add(draw);
  draw();
}

/** Forget a function that `inEveryLanguage` was given. */
export function forget(draw: () => void): void {
  listeners.delete(draw);
}

export function switchLanguage(): void {
  isChinese = !isChinese;
  for (const draw of listeners) draw();
}

/** Fill in what a part of the page says by itself: elements with data-words="name". */
export function fillIn(root: ParentNode): void {
  for (const element of root.querySelectorAll<HTMLElement>("[data-words]"))
    element.textContent = words()[element.dataset.words as PlainName];
}

export function languageTag(): string {
  return isChinese ? "zh-CN" : "en";
}
