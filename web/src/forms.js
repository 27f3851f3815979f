// The list of errors is where a person lands after a form came back.
export function showSummary() {
  document.getElementById("summary")?.focus();
}

// A second press of the same button sends nothing; the button says that it works.
export function guardDoubleSubmit() {
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (event.defaultPrevented || form.method === "get" || form.hasAttribute("hx-post")) return;
    if (form.dataset.sent) {
      event.preventDefault();
      return;
    }
    form.dataset.sent = "1";
    const button = event.submitter;
    if (button?.dataset.busy) {
      button.setAttribute("aria-disabled", "true");
      button.textContent = button.dataset.busy;
    }
  });
  addEventListener("pageshow", (event) => {
    if (event.persisted) for (const form of document.querySelectorAll("[data-sent]")) delete form.dataset.sent;
  });
}

// While the server draws the fields anew, what changes meanwhile asks for nothing. It is asked for once that is done.
export function askForWhatChangedMeanwhile() {
  let changes = 0;
  const before = new WeakMap();
  for (const kind of ["input", "change"]) document.addEventListener(kind, () => { changes += 1; });
  document.addEventListener("htmx:before:request", (event) => before.set(event.detail.ctx, changes));
  document.addEventListener("htmx:finally:request", (event) => {
    if (before.get(event.detail.ctx) === changes) return;
    document.querySelector("#fields[hx-post]")?.dispatchEvent(new Event("change", { bubbles: true }));
  });
}

// <form data-auto> (filters, choices kept in the address) needs no button where scripts run.
export function updateWithoutButton() {
  document.addEventListener("change", (event) => {
    const form = event.target.closest?.("form[data-auto]");
    if (form) form.requestSubmit();
  });
}

export function printOnRequest() {
  document.addEventListener("click", (event) => {
    if (event.target.closest?.("[data-print]")) print();
  });
}
