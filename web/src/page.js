// What every page needs in the browser: htmx, and small behaviours that the server's HTML asks for by attribute.
// Everything works without them; they save typing, time and lost work.
import "htmx.org";
import { keepDrafts } from "./drafts.js";
import { uploadFiles } from "./files.js";
import { countLetters } from "./letters.js";
import { listenToKeys } from "./keys.js";
import {
  askForWhatChangedMeanwhile, guardDoubleSubmit, printOnRequest, showSummary, updateWithoutButton,
} from "./forms.js";

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
  askForWhatChangedMeanwhile();
}

if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
else start();
