"use strict";
// Figures under the pointer, under a tap and under the arrow keys; tabs for the units.
const figures = JSON.parse(document.getElementById("figures").textContent);
const panel = document.getElementById("figure");

function make(tag, text, ...children) {
  const element = document.createElement(tag);
  element.textContent = text;
  element.append(...children);
  return element;
}

function percent(share) {
  return share < 0.0995 ? (100 * share).toFixed(1) + "%" : Math.round(100 * share) + "%";
}

function show(box, ...content) {
  panel.replaceChildren(...content);
  panel.hidden = false;
  const room = document.documentElement.clientWidth - panel.offsetWidth - 8;
  const below = box.bottom + 8 + panel.offsetHeight < window.innerHeight;
  panel.style.left = Math.max(8, Math.min(box.left, room)) + "px";
  panel.style.top = (below ? box.bottom + 8 : Math.max(8, box.top - panel.offsetHeight - 8)) + "px";
}

function hide() {
  panel.hidden = true;
  document.querySelectorAll(".here").forEach((span) => span.classList.remove("here"));
  document.querySelectorAll(".guide").forEach((line) => (line.style.visibility = "hidden"));
}

function describePiece(place) {
  const [text, bits, expected] = figures.pieces[place];
  const characters = [...text].length;
  const each = characters > 1 ? ", " + (bits / characters).toFixed(2) + " per character" : "";
  const rows = expected.map(([token, share]) => make("tr", "", make("td", "", make("code", token)), make("td", percent(share))));
  return [make("div", "", make("code", text), " \u00a0", make("strong", bits.toFixed(2) + " bits"), each),
          make("div", "expected here:"), make("table", "", ...rows)];
}

function describeUnit(unit, place) {
  return [make("div", "", make("code", figures.pieces[place][0]), " \u00a0", make("strong", figures.units[unit][place].toFixed(2)))];
}

for (const text of document.querySelectorAll(".text")) {
  const spans = [...text.children];
  const places = new Map(spans.map((span, place) => [span, place]));
  const unit = text.dataset.unit;
  let current = 0;
  spans.forEach((span) => span.removeAttribute("title"));

  function pick(place) {
    hide();
    current = place;
    spans[place].classList.add("here");
    const box = spans[place].getClientRects()[0];
    show(box, ...(unit === undefined ? describePiece(place) : describeUnit(unit, place)));
  }

  text.addEventListener("pointerover", (event) => places.has(event.target) && pick(places.get(event.target)));
  text.addEventListener("click", (event) => places.has(event.target) && pick(places.get(event.target)));
  text.addEventListener("pointerleave", (event) => event.pointerType === "mouse" && hide());
  text.addEventListener("focus", () => text.matches(":focus-visible") && pick(current));
  text.addEventListener("blur", hide);
  text.addEventListener("scroll", () => document.activeElement !== text && hide());
  text.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (event.key === "Escape") hide();
    if (!step) return;
    event.preventDefault();
    const next = Math.max(0, Math.min(spans.length - 1, current + step));
    spans[next].scrollIntoView({ block: "nearest" });
    pick(next);
  });
}

for (const chart of document.querySelectorAll(".chart")) {
  const points = JSON.parse(chart.dataset.points);
  const guide = chart.querySelector(".guide");
  let current = 0;

  function pick(number) {
    current = Math.max(0, Math.min(points.length - 1, number));
    const [x, label] = points[current];
    guide.setAttribute("x1", x);
    guide.setAttribute("x2", x);
    guide.style.visibility = "visible";
    const box = chart.getBoundingClientRect();
    const left = box.left + (x / chart.viewBox.baseVal.width) * box.width;
    show({ left: left + 10, top: box.top + 20, bottom: box.top + 12 }, make("div", label));
  }

  function nearest(event) {
    const box = chart.getBoundingClientRect();
    const x = ((event.clientX - box.left) / box.width) * chart.viewBox.baseVal.width;
    let best = 0;
    points.forEach(([at], number) => { if (Math.abs(at - x) < Math.abs(points[best][0] - x)) best = number; });
    return best;
  }

  chart.addEventListener("pointermove", (event) => pick(nearest(event)));
  chart.addEventListener("pointerleave", (event) => event.pointerType === "mouse" && hide());
  chart.addEventListener("focus", () => chart.matches(":focus-visible") && pick(current));
  chart.addEventListener("blur", hide);
  chart.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (event.key === "Escape") hide();
    if (!step) return;
    event.preventDefault();
    pick(current + step);
  });
}

const articles = [...document.querySelectorAll(".unit")];
if (articles.length > 1) {
  const tabs = make("div", "");
  tabs.className = "tabs";
  tabs.setAttribute("role", "tablist");
  tabs.setAttribute("aria-label", "Units, by what they tell");
  const buttons = articles.map((article) => {
    const button = make("button", article.dataset.tab);
    button.type = "button";
    button.id = article.id + "-tab";
    button.setAttribute("role", "tab");
    button.setAttribute("aria-controls", article.id);
    article.setAttribute("role", "tabpanel");
    article.setAttribute("aria-labelledby", button.id);
    button.addEventListener("click", () => select(buttons.indexOf(button)));
    return button;
  });

  function select(chosen) {
    hide();
    articles.forEach((article, number) => {
      article.hidden = number !== chosen;
      buttons[number].setAttribute("aria-selected", String(number === chosen));
      buttons[number].tabIndex = number === chosen ? 0 : -1;
    });
  }

  tabs.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    const next = (buttons.indexOf(document.activeElement) + step + buttons.length) % buttons.length;
    select(next);
    buttons[next].focus();
  });
  tabs.append(...buttons);
  document.getElementById("unit-list").prepend(tabs);
  select(0);
}
document.addEventListener("scroll", () => { if (!document.activeElement.matches(".text, .chart")) hide(); }, { passive: true });
