// The diagram of a case with its tokens. Reads <div id="canvas" data-diagrams='[{process, name, url, tokens, done}]'>.
// The drawing is a picture for those who see; the list beside it (drawn by the server) says the same in words.
import NavigatedViewer from "bpmn-js/lib/NavigatedViewer";
import "./diagram.css";

const canvasElement = document.getElementById("canvas");
if (canvasElement) show(canvasElement);

async function show(element) {
  const diagrams = JSON.parse(element.dataset.diagrams);
  const viewer = new NavigatedViewer({ container: element });
  const tabs = [...document.querySelectorAll("[data-process]")];
  for (const tab of tabs) {
    tab.addEventListener("click", (event) => {
      event.preventDefault();
      choose(tab.dataset.process);
    });
  }
  for (const button of document.querySelectorAll("[data-element]")) {
    button.addEventListener("click", async (event) => {
      event.preventDefault();
      if (button.dataset.in) await choose(button.dataset.in);
      focus(button.dataset.element);
    });
  }
  let shown = null;
  await choose(element.dataset.first || diagrams[0]?.process);

  async function choose(process) {
    if (process === shown) return;
    const diagram = diagrams.find((one) => one.process === process);
    if (!diagram) return;
    shown = process;
    for (const tab of tabs) {
      if (tab.dataset.process === process) tab.setAttribute("aria-current", "page");
      else tab.removeAttribute("aria-current");
    }
    try {
      const answer = await fetch(diagram.url, { credentials: "same-origin" });
      if (!answer.ok) throw new Error(String(answer.status));
      await viewer.importXML(await answer.text());
      mark(diagram);
      fit(diagram);
      element.dataset.ready = process;
    } catch {
      element.dataset.failed = process;
      document.getElementById("canvas-failed").hidden = false;
    }
  }

  function mark(diagram) {
    const canvas = viewer.get("canvas");
    const registry = viewer.get("elementRegistry");
    const overlays = viewer.get("overlays");
    for (const id of diagram.done) if (registry.get(id)) canvas.addMarker(id, "m-done");
    for (const token of diagram.tokens) {
      if (!registry.get(token.element)) continue;
      canvas.addMarker(token.element, "m-token");
      const tag = document.createElement("div");
      tag.className = "hj-token";
      tag.dataset.state = token.state;
      tag.textContent = token.note;
      tag.setAttribute("aria-hidden", "true");
      overlays.add(token.element, { position: { top: -24, left: 0 }, html: tag });
    }
  }

  // On a wide screen the whole diagram; where that would be too small to read, the place where the case is.
  function fit(diagram) {
    const canvas = viewer.get("canvas");
    canvas.zoom("fit-viewport");
    const token = diagram.tokens.find((one) => viewer.get("elementRegistry").get(one.element));
    if (token && canvas.zoom() < 0.55) {
      canvas.zoom(0.75);
      focus(token.element);
    }
  }

  function focus(id) {
    const canvas = viewer.get("canvas");
    const registry = viewer.get("elementRegistry");
    const shape = registry.get(id);
    if (!shape) return;
    const box = canvas.viewbox();
    canvas.viewbox({
      ...box,
      x: within(shape.x + (shape.width ?? 0) / 2 - box.width / 2, box.width, box.inner.x, box.inner.width),
      y: within(shape.y + (shape.height ?? 0) / 2 - box.height / 2, box.height, box.inner.y, box.inner.height),
    });
    for (const other of registry.filter((one) => canvas.hasMarker(one, "m-selected"))) {
      canvas.removeMarker(other, "m-selected");
    }
    canvas.addMarker(id, "m-selected");
  }
}

// The place of a window of this size that shows as much of the drawing as there is, and no more margin than needed.
function within(wanted, size, start, length) {
  const margin = 30;
  if (size >= length + 2 * margin) return start - (size - length) / 2;
  return Math.min(Math.max(wanted, start - margin), start + length + margin - size);
}
