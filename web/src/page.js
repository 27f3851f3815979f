// What every page needs in the browser: htmx, and small behaviours that the server's HTML asks for by attribute.
// Everything works without them; they save typing, time and lost work.
import "htmx.org";
import { keepDrafts } from "./drafts.js";
import { uploadFiles } from "./files.js";
import { countLetters } from "./letters.js";
import { listenToKeys } from "./keys.js";
import { showSummary, guardDoubleSubmit, updateWithoutButton, printOnRequest } from "./forms.js";

function start() {
  document.documentElement.classList.add("has-js");
  keepDrafts();
  uploadFiles();
  countLetters();
  listenToKeys();
  showSummary();
  guardDoubleSubmit();
  updateWithoutButton();
  printOnRequest();
}

if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
else start();
