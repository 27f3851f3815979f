// Single keys on pages with <body data-keys>: J and K walk the rows, Enter opens, X ticks, C claims, / searches.
// Silent while somebody types, with a modifier, and when switched off (WCAG 2.1.4: the cookie is read by the server).
export function listenToKeys() {
  if (!document.body.hasAttribute("data-keys")) return;
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) return;
    const act = { j: () => step(1), k: () => step(-1), Enter: open, c: claim, "/": search, "?": help }[event.key];
    if (act?.(event) === true) event.preventDefault();
  });
  const first = rows()[0];
  if (first) link(first).tabIndex = 0;
  for (const row of rows().slice(1)) link(row).tabIndex = -1;
  document.addEventListener("focusin", (event) => {
    const row = event.target.closest?.(".hj-row");
    if (row && event.target === link(row)) mark(row);
  });
}

const typing = (target) => target.matches?.("input, textarea, select, [contenteditable]");
const rows = () => [...document.querySelectorAll(".hj-row")];
const link = (row) => row.querySelector(".c-what a");
const cursor = () => rows().findIndex((row) => row.classList.contains("is-cursor"));

function mark(row) {
  for (const other of rows()) {
    other.classList.toggle("is-cursor", other === row);
    link(other).tabIndex = other === row ? 0 : -1;
  }
}

function step(by) {
  const all = rows();
  if (!all.length) return false;
  const at = cursor();
  const next = all[Math.min(Math.max(at < 0 ? (by > 0 ? 0 : all.length - 1) : at + by, 0), all.length - 1)];
  link(next).focus();
  next.scrollIntoView({ block: "nearest" });
  return true;
}

function open(event) {
  const row = rows()[cursor()];
  if (!row || event.target.matches?.("a, button, summary")) return false;
  link(row).click();
  return true;
}

function claim() {
  rows()[cursor()]?.querySelector("[data-claim]")?.click();
  return true;
}

function search() {
  document.querySelector("input[type=search]")?.focus();
  return true;
}

function help() {
  document.getElementById("keys")?.scrollIntoView({ block: "center" });
  return true;
}
