// <form data-draft="URL"> is saved while somebody types; <span class="hj-saved" data-for-draft> says how it stands.
// Words come with the page (data-saving, data-saved, data-offline, data-failed), so that they are translated once.
const ICONS = { saving: "sync", saved: "check", offline: "cloud", failed: "alert" };
const REST_MS = 800; // a pause in typing
const SHOW_SAVING_MS = 300; // a quick save says nothing in between

export function keepDrafts() {
  for (const form of document.querySelectorAll("form[data-draft]")) new Draft(form);
}

class Draft {
  constructor(form) {
    this.form = form;
    this.status = document.querySelector("[data-for-draft]");
    this.timer = null;
    this.sending = false;
    this.again = false;
    this.key = `hejie-draft:${form.dataset.draft}`;
    form.addEventListener("input", () => this.later(REST_MS));
    form.addEventListener("change", () => this.later(REST_MS / 4));
    form.addEventListener("submit", () => {
      clearTimeout(this.timer);
      this.timer = null;
      this.sent = true; // what was sent needs no draft any more
      sessionStorage.removeItem(this.key);
    });
    addEventListener("pageshow", () => { this.sent = false; });
    addEventListener("online", () => this.later(0));
    document.addEventListener("visibilitychange", () => {
      if (document.visibilityState === "hidden" && this.timer) this.leave();
    });
  }

  later(ms) {
    if (this.sent) return;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.save(), ms);
  }

  body() {
    // The ids of stored files share their name with the file input, so its files are left out one by one.
    const data = new FormData();
    for (const [name, value] of new FormData(this.form)) if (!(value instanceof File)) data.append(name, value);
    return data;
  }

  leave() {
    clearTimeout(this.timer);
    this.timer = null;
    navigator.sendBeacon(this.form.dataset.draft, this.body());
  }

  async save() {
    this.timer = null;
    if (this.sending) {
      this.again = true;
      return;
    }
    this.sending = true;
    const slow = setTimeout(() => this.say("saving"), SHOW_SAVING_MS);
    try {
      const answer = await fetch(this.form.dataset.draft, {
        method: "POST",
        body: this.body(),
        headers: { Accept: "application/json" },
        credentials: "same-origin",
      });
      clearTimeout(slow);
      if (answer.ok) {
        const kept = await answer.json();
        this.say("saved", kept.saved_at);
        sessionStorage.removeItem(this.key);
      } else {
        this.say("failed");
      }
    } catch {
      clearTimeout(slow);
      this.hold();
    }
    this.sending = false;
    if (this.again) {
      this.again = false;
      this.later(0);
    }
  }

  hold() {
    const pairs = [...this.body()].filter(([name]) => name !== "csrf_token");
    try {
      sessionStorage.setItem(this.key, JSON.stringify(pairs));
      this.say("offline");
    } catch {
      this.say("failed");
    }
  }

  say(state, at = "") {
    if (!this.status) return;
    this.status.dataset.s = state;
    const words = this.status.dataset[state] ?? "";
    this.status.querySelector("use")?.setAttribute("href", `#i-${ICONS[state]}`);
    this.status.querySelector("span").textContent = words.replace("{time}", at);
    this.status.hidden = false;
  }
}
