// A file input inside [data-upload] sends each chosen file at once and shows how it goes, in words too.
// The stored file's id takes the input's place in the form. Without this script the form sends the files itself.
// The fields are drawn anew by the server as somebody types. An answer that was asked for before a file was stored
// does not know it: its tile is put back until the server has drawn a tile for the file itself.
const unseen = new Set();
const dropped = new Set(); // ids; an answer that was asked for before may still draw them

export function uploadFiles() {
  document.addEventListener("htmx:after:swap", () => {
    for (const upload of unseen) upload.putBack();
    for (const tile of document.querySelectorAll("[data-file]")) if (dropped.has(tile.dataset.file)) tile.remove();
  });
  // Nobody is sent on without the file that is still on its way.
  document.addEventListener("submit", (event) => {
    const waiting = [...unseen].filter((upload) => upload.sending && upload.form === event.target);
    if (!waiting.length) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    const { target, submitter } = event;
    Promise.all(waiting.map((upload) => upload.ended)).then((stored) => {
      if (stored.every(Boolean)) target.requestSubmit(submitter?.isConnected ? submitter : undefined);
      else waiting.find((upload) => upload.tile.dataset.s === "failed")?.tile.querySelector("button").focus();
    });
  }, true);
  document.addEventListener("change", (event) => {
    const input = event.target;
    const tiles = input.closest?.("[data-upload]");
    if (!tiles || input.type !== "file") return;
    event.stopPropagation();
    for (const file of input.files) new Upload(tiles, input, file);
    input.value = "";
  }, true);
  // Choosing a file changes no answer yet; the form is not asked again for it.
  document.addEventListener("input", (event) => {
    if (event.target.type === "file" && event.target.closest("[data-upload]")) event.stopPropagation();
  }, true);
  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("[data-drop-file]");
    if (!button) return;
    const tile = button.closest(".hj-tile");
    const form = tile.closest("form");
    const next = tile.parentElement.querySelector("input[type=file]");
    for (const upload of unseen) if (upload.tile === tile) unseen.delete(upload);
    dropped.add(tile.dataset.file);
    tile.remove();
    form?.dispatchEvent(new Event("change", { bubbles: true }));
    next?.focus();
  });
}

let count = 0;

class Upload {
  constructor(tiles, input, file) {
    this.form = tiles.closest("form");
    this.url = tiles.dataset.upload;
    this.name = tiles.dataset.files;
    this.multiple = input.multiple;
    this.file = file;
    this.words = document.getElementById("upload-words").dataset;
    this.tile = document.createElement("div");
    this.tile.className = "hj-tile";
    this.tile.id = `upload-${++count}`; // an id of its own: a swap takes it out whole and makes nothing else of it
    if (!this.multiple) this.standAlone(tiles);
    tiles.insertBefore(this.tile, tiles.querySelector(".hj-tile-add"));
    unseen.add(this);
    this.send();
  }

  standAlone(tiles) {
    for (const old of tiles.querySelectorAll("[data-file]")) old.remove();
    for (const other of unseen) if (other.form === this.form && other.name === this.name) other.forget();
  }

  forget() {
    unseen.delete(this);
    this.tile.remove();
  }

  putBack() {
    const tiles = this.form.querySelector(`[data-upload][data-files="${CSS.escape(this.name)}"]`);
    if (!tiles) return; // the question is hidden for now
    const id = this.tile.dataset.file;
    const drawn = [...tiles.querySelectorAll("[data-file]")].some((tile) => tile !== this.tile && tile.dataset.file === id);
    if (id && drawn) this.forget();
    else if (!tiles.contains(this.tile)) {
      if (!this.multiple) for (const old of tiles.querySelectorAll("[data-file]")) old.remove();
      tiles.insertBefore(this.tile, tiles.querySelector(".hj-tile-add"));
    }
  }

  send() {
    const request = new XMLHttpRequest();
    const body = new FormData();
    body.append("file", this.file);
    body.append("_key", this.name);
    const token = this.form.querySelector("[name=csrf_token]");
    if (token) body.append("csrf_token", token.value);
    this.sending = true;
    this.ended = new Promise((tell) => { this.end = tell; });
    request.open("POST", this.url);
    request.setRequestHeader("Accept", "application/json");
    request.responseType = "json";
    this.draw("uploading", this.words.uploading.replace("{percent}", "0"));
    request.upload.addEventListener("progress", (event) => {
      if (!event.lengthComputable) return;
      const percent = Math.round((100 * event.loaded) / event.total);
      this.say.textContent = this.words.uploading.replace("{percent}", percent);
      this.bar.value = percent;
    });
    request.addEventListener("load", () => {
      if (request.status < 300) this.done(request.response);
      else this.fail(request.response?.detail || this.words.refused);
    });
    request.addEventListener("error", () => this.fail(this.words.broken));
    request.send(body);
  }

  draw(state, words) {
    this.tile.replaceChildren();
    this.tile.dataset.s = state;
    const picture = part("div", "hj-tile-pic");
    if (this.file.type.startsWith("image/")) {
      const image = part("img", "hj-tile-img");
      image.alt = "";
      image.src = URL.createObjectURL(this.file);
      image.addEventListener("load", () => URL.revokeObjectURL(image.src), { once: true });
      picture.append(image);
    } else {
      picture.append(document.querySelector("#upload-words svg").cloneNode(true));
    }
    this.body = part("div", "hj-tile-body");
    this.body.append(part("b", "hj-file", this.file.name));
    this.say = part("span", state === "failed" ? "hj-tile-why" : "", words);
    this.say.setAttribute("role", "status");
    this.body.append(this.say);
    if (state === "uploading") {
      this.bar = part("progress");
      this.bar.max = 100;
      this.bar.value = 0;
      this.bar.setAttribute("aria-label", this.file.name);
      this.body.append(this.bar);
    }
    this.tile.append(picture, this.body);
  }

  done(stored) {
    this.sending = false;
    this.draw("", stored.note || this.words.stored);
    this.tile.dataset.file = stored.id;
    const kept = part("input");
    kept.type = "hidden";
    kept.name = this.name;
    kept.value = stored.id;
    const drop = part("button", "btn btn-link btn-sm", this.words.drop);
    drop.type = "button";
    drop.dataset.dropFile = "";
    drop.append(part("span", "hj-sr", this.file.name));
    this.body.append(drop, kept);
    if (unseen.has(this)) this.form.dispatchEvent(new Event("change", { bubbles: true }));
    this.end(true);
  }

  fail(why) {
    this.sending = false;
    this.draw("failed", why);
    const again = part("button", "btn btn-link btn-sm", this.words.again);
    again.type = "button";
    again.addEventListener("click", () => this.send());
    this.body.append(again);
    this.end(false);
  }
}

function part(tag, className = "", text = "") {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (text) made.textContent = text;
  return made;
}
